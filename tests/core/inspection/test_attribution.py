"""Closed form on linear models, a slow oracle, and counted traces."""

import weakref

import numpy as np
import pytest

from core.arrays import FloatArray, IntArray, to_float
from core.backend import keras, settle, tf
from core.data.fills import FILLS, fill_images
from core.data.mnist import Dataset
from core.inspection import attribution
from core.inspection.attribution import (
    grad_cam,
    gradient,
    gradient_times_input,
    integrated_gradients,
    randomize_last_layer,
    smooth_grad,
)
from core.network.architecture import MODEL_2, Architecture, ConvBlock
from core.network.classifier import Classifier
from core.network.model import build_model, named_variables, named_weights

METHODS = (gradient, gradient_times_input, integrated_gradients, smooth_grad, grad_cam)


@pytest.fixture(scope="module")
def linear() -> tuple[Classifier, FloatArray]:
    """A model without hidden layers, and its weights [28, 28, 10]."""
    image = keras.Input((28, 28, 1), name="image")
    flat = keras.layers.Flatten(name="flatten")(image)
    model = keras.Model(image, keras.layers.Dense(10, name="logits")(flat))
    weights = np.random.default_rng(1).normal(size=(784, 10)).astype(np.float32)
    model.layers[-1].kernel.assign(weights)
    return Classifier(model, name="linear"), weights.reshape(28, 28, 10)


@pytest.fixture
def digits(mnist: Dataset) -> tuple[FloatArray, IntArray]:
    return to_float(mnist.test.images[:5]), mnist.test.labels[:5].astype(np.int64)


def test_a_linear_model_has_its_weights_as_gradient(linear, digits) -> None:
    classifier, weights = linear
    images, classes = digits
    expected = weights[:, :, classes].transpose(2, 0, 1)
    ink = images[..., 0]
    assert gradient(*_of(linear, digits)).values == pytest.approx(expected, abs=1e-6)
    assert smooth_grad(*_of(linear, digits), noise=1).values == pytest.approx(expected, abs=1e-5)
    times_input = gradient_times_input(classifier, images, classes).values
    assert times_input == pytest.approx(expected * ink, abs=1e-6)
    for name in FILLS:
        baseline = fill_images(name, images)
        integrated = integrated_gradients(classifier, images, classes, baseline=baseline, steps=3)
        exact = expected * (ink - baseline[..., 0])
        assert integrated.values == pytest.approx(exact, abs=1e-5)
        assert integrated.completeness_gap == pytest.approx(0, abs=1e-3)


def _of(linear, digits) -> tuple[Classifier, FloatArray, IntArray]:
    return linear[0], *digits


@pytest.mark.parametrize("steps", [1, 7, 64])
def test_integrated_gradients_equal_a_slow_oracle(model_1: Classifier, digits, steps: int) -> None:
    """One step and one image at a time, with TensorFlow's tape in place of the compiled graph."""
    images, classes = digits
    baseline = fill_images("blurred", images)
    attributed = integrated_gradients(model_1, images, classes, baseline=baseline, steps=steps)
    for index, label in enumerate(classes):
        total = np.zeros((28, 28, 1))
        for step in range(steps):
            share = (step + 0.5) / steps
            point = baseline[index] + share * (images[index] - baseline[index])
            total += _taped_gradient(model_1, point, label) / steps
        values = (total * (images[index] - baseline[index]))[..., 0]
        assert attributed.values[index] == pytest.approx(values, abs=1e-3)  # kinks of the ReLUs
        rise = model_1.logits(images)[index, label] - model_1.logits(baseline)[index, label]
        gap = attributed.completeness_gap
        assert gap is not None
        assert gap[index] == pytest.approx(values.sum() - rise, abs=1e-3)


def _taped_gradient(classifier: Classifier, point: FloatArray, label: int) -> FloatArray:
    images = tf.constant(point[None].astype(np.float32))
    with tf.GradientTape() as tape:
        tape.watch(images)
        logit = classifier.model(images, training=False)[0, label]
    return np.asarray(tape.gradient(logit, images))[0]


def test_64_steps_are_complete(model_1: Classifier, mnist: Dataset) -> None:
    images = to_float(mnist.test.images[:100])
    gap = integrated_gradients(model_1, images, model_1.predict(images), steps=64).completeness_gap
    assert gap is not None
    assert np.abs(gap).mean() <= 0.02


def test_smooth_grad_is_the_mean_of_signed_gradients(model_1: Classifier, digits) -> None:
    images, classes = digits
    draws = np.random.default_rng(3).standard_normal((4, 28, 28, 1), np.float32)
    smooth = smooth_grad(model_1, images, classes, samples=4, noise=0.2, seed=3).values
    taped = [
        _taped_gradient(model_1, images[2] + np.float32(0.2) * draw, int(classes[2]))
        for draw in draws
    ]
    assert smooth[2] == pytest.approx(np.mean(taped, axis=0)[..., 0], abs=1e-5)
    assert smooth.min() < 0 < smooth.max()
    still = smooth_grad(model_1, images, classes, samples=2, noise=0).values
    assert still == pytest.approx(gradient(model_1, images, classes).values, abs=1e-5)


@pytest.mark.parametrize(
    "architecture",
    [
        Architecture((ConvBlock(4, 5),), ()),
        Architecture((ConvBlock(4, 4), ConvBlock(3, 3, pooling=1)), (7,)),
        Architecture((ConvBlock(4, 3, stride=2, pooling=1),), ()),
        Architecture((ConvBlock(4, 1), ConvBlock(4, 3)), (), batch_normalization=True),
    ],
    ids=["odd", "even", "stride", "normalized"],
)
def test_the_gradient_of_any_architecture_is_the_tape_s(architecture: Architecture, digits) -> None:
    """The first convolution's is written by hand where it is plain, and TensorFlow's otherwise."""
    images, classes = digits
    classifier = Classifier(build_model(architecture, seed=1), name="any")
    values = gradient(classifier, images, classes).values
    for index, label in enumerate(classes):
        taped = _taped_gradient(classifier, images[index], int(label))[..., 0]
        assert values[index] == pytest.approx(taped, abs=1e-5)


def test_grad_cam_of_a_convolution_by_hand() -> None:
    """Maps max(0, x) and 0 of two 1 × 1 kernels, 1 and −1; the logit weighs them by position."""
    model = build_model(Architecture((ConvBlock(2, 1, pooling=1),), ()))
    variables = named_variables(model)
    variables["conv1/kernel"].assign(np.array([1.0, -1.0]).reshape(1, 1, 1, 2))
    weights = np.random.default_rng(0).normal(size=(28, 28, 2, 10))
    variables["logits/kernel"].assign(weights.reshape(-1, 10))
    image = np.random.default_rng(1).random((1, 28, 28, 1), np.float32)
    classifier = Classifier(model, name="hand")
    for label in range(10):
        signed = grad_cam(classifier, image, np.array([label]), signed=True).values
        expected = weights[:, :, 0, label].mean() * image[0, :, :, 0]
        assert signed[0] == pytest.approx(expected, abs=1e-5)
        published = grad_cam(classifier, image, np.array([label])).values
        assert published[0] == pytest.approx(np.maximum(expected, 0), abs=1e-5)


def test_grad_cam_is_bilinear(model_1: Classifier, digits) -> None:
    images, classes = digits
    maps = np.random.default_rng(0).random((1, 14, 14, 1), np.float32)
    matrix = attribution._bilinear(14, 28)
    expected = np.asarray(tf.image.resize(maps, (28, 28)))[0, :, :, 0]
    assert matrix @ maps[0, :, :, 0] @ matrix.T == pytest.approx(expected, abs=1e-6)
    signed = grad_cam(model_1, images, classes, signed=True).values
    assert signed.min() < 0
    assert grad_cam(model_1, images, classes).values.min() == 0


def test_no_setting_retraces(model_1: Classifier, digits, monkeypatch: pytest.MonkeyPatch) -> None:
    images, classes = digits
    classifier = Classifier(model_1.model, name="fresh")
    traces = []
    compiled = attribution.compiled

    def counted(function, *types):
        def traced(*arguments: object) -> object:
            traces.append(function.__name__)  # runs when the function is traced, and only then
            return function(*arguments)

        return compiled(traced, *types)

    monkeypatch.setattr(attribution, "compiled", counted)
    for steps, samples, noise, count in ((1, 1, 0.0, 1), (64, 50, 0.3, 5), (33, 7, 0.1, 2)):
        arguments = (classifier, images[:count], classes[:count])
        gradient(*arguments)
        gradient_times_input(*arguments)
        baseline = fill_images("noise", images[:count])
        integrated_gradients(*arguments, baseline=baseline, steps=steps)
        smooth_grad(*arguments, samples=samples, noise=noise, seed=steps)
        grad_cam(*arguments)
        grad_cam(*arguments, signed=True)
    assert traces == ["logit_gradient", "weighted_maps"]


@pytest.mark.parametrize("method", METHODS, ids=lambda method: method.__name__)
def test_shapes_types_and_batches(method, model_1: Classifier, digits) -> None:
    images, classes = digits
    before = images.copy()
    values = method(model_1, images, classes).values
    assert values.shape == (5, 28, 28)
    assert values.dtype == np.float32
    assert (images == before).all()
    alone = method(model_1, images[3:4], classes[3:4]).values
    assert alone[0] == pytest.approx(values[3], abs=1e-5)


@pytest.mark.parametrize("method", METHODS, ids=lambda method: method.__name__)
def test_bad_values_are_one_sentence(method, model_1: Classifier, digits) -> None:
    images, classes = digits
    with pytest.raises(ValueError, match="The class is 10, outside 0 to 9"):
        method(model_1, images, classes * 0 + 10)
    with pytest.raises(ValueError, match="give one whole number for each"):
        method(model_1, images, classes[:2])
    with pytest.raises(ValueError, match=r"outside \[0, 1\]: clip them first"):
        method(model_1, images * np.float32(np.nan), classes)
    assert method(model_1, images[:0], classes[:0]).values.shape == (0, 28, 28)


def test_bad_settings_are_one_sentence(model_1: Classifier, digits) -> None:
    arguments = (model_1, *digits)
    with pytest.raises(ValueError, match="The number of steps is 0, outside 1 to 256"):
        integrated_gradients(*arguments, steps=0)
    with pytest.raises(ValueError, match="Pixels run from 2 to 2"):
        integrated_gradients(*arguments, baseline=2.0)
    with pytest.raises(ValueError, match="The number of samples is 1000, outside 1 to 256"):
        smooth_grad(*arguments, samples=1_000)
    with pytest.raises(ValueError, match="The noise is nan, outside 0 to 1"):
        smooth_grad(*arguments, noise=float("nan"))


def test_grad_cam_reads_the_last_maps_before_pooling(model_1: Classifier, linear) -> None:
    assert attribution.last_maps(model_1.model) == "conv2_relu"
    assert attribution.last_maps(build_model(MODEL_2)) == "conv2_relu"
    with pytest.raises(ValueError, match="Grad-CAM needs one"):
        attribution.last_maps(linear[0].model)


def test_only_the_last_layer_is_drawn_anew(model_1: Classifier) -> None:
    drawn = randomize_last_layer(model_1, seed=1)
    before, after = named_weights(model_1.model), named_weights(drawn.model)
    changed = {name for name in before if (before[name] != after[name]).any()}
    assert changed == {"logits/kernel", "logits/bias"}
    assert np.abs(after["logits/kernel"]).max() <= np.sqrt(6 / 510)
    assert randomize_last_layer(model_1, seed=1).version == drawn.version
    assert randomize_last_layer(model_1, seed=2).version != drawn.version
    assert drawn.version != model_1.version


def test_a_randomized_network_is_freed(model_1: Classifier, digits) -> None:
    drawn = randomize_last_layer(model_1)
    for method in METHODS:
        method(drawn, *digits)
    gone = weakref.ref(drawn.model)
    del drawn
    settle()
    assert gone() is None
