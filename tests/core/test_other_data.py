"""Everything that computes runs on images that are not MNIST's: 12 × 12 in color, of 7 classes."""

import ast
import functools
import io
import tokenize
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from core.arrays import FloatArray, IntArray, to_bytes, to_float
from core.attacks.catalog import ATTACKS
from core.attacks.few_pixels import random_pixels
from core.attacks.generated import additive_noise, generate_from_noise, move_toward
from core.attacks.goals import Targeted, Untargeted, random_targets
from core.attacks.noise_control import noise_at_edge, noise_of_norm
from core.attacks.plane import plane
from core.attacks.smallest import path, smallest
from core.attacks.universal_noise import carry, shuffled
from core.certification.growth import certified_radius, growth, looseness
from core.certification.interval_bounds import certified, interval_bounds
from core.certification.smoothing import certify
from core.data import sets
from core.data.dataset import Dataset, Split
from core.data.fills import FILLS, fill_images
from core.data.neighbors import nearest_by_class
from core.data.spec import MNIST, DatasetSpec
from core.defenses.adaptive import adaptive
from core.defenses.defended import DefendedClassifier, defense_of
from core.defenses.detection import DETECTORS
from core.defenses.filters import KINDS, Filter
from core.inspection import attribution, feature_maps
from core.inspection.class_images import (
    ImageSettings,
    maximize_channel,
    maximize_logit,
    start_images,
)
from core.inspection.fidelity import fidelity, random_map
from core.inspection.occlusion import occlude
from core.inspection.responses import most_similar, responses
from core.inspection.surgery import edited_classifier, scale_channels
from core.network.architecture import Architecture, ConvBlock
from core.network.classifier import Classifier
from core.network.evaluation import evaluate
from core.network.model import deserialize_model, serialize_model
from core.studies.detection_study import DetectionStudy
from core.studies.grid import Budget, Grid, Row
from core.studies.masking import MaskingStudy
from core.studies.robustness_curve import CurveStudy
from core.studies.scoreboard import Scoreboard
from core.training.runs import Run
from core.training.settings import TrainingSettings
from core.training.tray import Tray

COLORS = np.array([[230, 40, 30], [40, 200, 60], [50, 70, 240]], np.uint8)
NAMES = tuple(
    f"{color} {shape}" for shape in ("square", "bar") for color in ("red", "green", "blue")
)
SHAPES = DatasetSpec("shapes", "Shapes", 12, 3, (*NAMES, "nothing"), 1_400, 140, "Drawn by a test.")
NETWORK = Architecture((ConvBlock(8), ConvBlock(8)), (16,), classes=7, input_shape=SHAPES.shape)
COUNT = 8  # images that are attacked


def _drawn(count: int, seed: int) -> Split:
    random = np.random.default_rng(seed)
    labels = (np.arange(count) % len(SHAPES.classes)).astype(np.uint8)
    images = random.integers(0, 60, (count, *SHAPES.byte_shape)).astype(np.uint8)
    for image, label in zip(images, labels, strict=True):
        row, column = random.integers(1, 6, 2)
        if label < 3:
            image[row : row + 6, column : column + 6] = COLORS[label]
        elif label < 6:
            image[row + 2 : row + 5, :] = COLORS[label - 3]
    return Split(images, labels)


@functools.cache
def shapes() -> Dataset:
    return Dataset(
        _drawn(SHAPES.training_images, seed=0), _drawn(SHAPES.test_images, seed=1), SHAPES
    )


@pytest.fixture(scope="module", autouse=True)
def _known() -> Iterator[None]:
    """The set is a row of the table, as any other."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(sets.SETS, SHAPES.key, sets.Source(SHAPES, shapes))
        yield


@pytest.fixture(scope="module")
def run() -> Run:
    settings = TrainingSettings(
        epochs=4, training_images=1_400, batch_size=50, learning_rate=4e-3, shift=1, rotation=5.0,
        attack="fgsm", attack_epsilon=0.02, robust_scores=True,
    )  # fmt: skip
    run = Run(NETWORK, settings, shapes(), 1)
    list(run.work())
    return run


@pytest.fixture(scope="module")
def network(run: Run) -> Classifier:
    return run.classifier(run.checkpoints.steps[-1])


@pytest.fixture(scope="module")
def test(network: Classifier) -> tuple[FloatArray, IntArray]:
    """Images that are read right, one of each class and one more, and their classes."""
    split = shapes().test
    images, labels = to_float(split.images), split.labels.astype(np.int64)
    right = np.flatnonzero(network.predict(images) == labels)
    rows = [int(right[labels[right] == label][0]) for label in range(7)]
    rows.append(int(right[labels[right] == 0][1]))
    return images[rows], labels[rows]


def test_a_network_learns_it(run: Run, network: Classifier) -> None:
    split = shapes().test
    measured = evaluate(network, to_float(split.images), split.labels)
    assert measured.accuracy.value > 0.9
    assert measured.confusion.shape == (7, 7)
    assert network.spec is SHAPES
    assert run.last_scored is not None
    assert run.last_scored.test is not None
    assert run.last_scored.test.robust is not None


def test_a_model_comes_back_from_its_file_with_its_classes(run: Run, network: Classifier) -> None:
    step = run.checkpoints.steps[-1]
    accuracy = run.evaluate(step).accuracy
    card = run.card(step, accuracy, network.version, network.model.count_params())
    model, read = deserialize_model(serialize_model(network.model, card))
    assert read == card
    assert read.spec == SHAPES
    images = to_float(shapes().test.images[:5])
    back = Classifier(model, name=read.title, spec=read.spec)
    np.testing.assert_array_equal(back.logits(images), network.logits(images))
    assert back.version == network.version


def test_a_training_refuses_a_set_that_the_network_does_not_take() -> None:
    settings = TrainingSettings(training_images=1_400)
    with pytest.raises(ValueError, match="build it for these"):
        next(Run(Architecture(), settings, shapes(), 1).work())
    with pytest.raises(ValueError, match="Shapes has 1,400 training images here"):
        next(Run(NETWORK, replace(settings, training_images=1_401), shapes(), 1).work())


def test_images_of_mnist_are_refused_in_one_sentence(network: Classifier) -> None:
    digit = np.zeros((1, *MNIST.shape), np.float32)
    with pytest.raises(ValueError, match=r"not float32 \[n, 12, 12, 3\]"):
        network.logits(digit)
    with pytest.raises(ValueError, match="The class is 7, outside 0 to 6"):
        ATTACKS["FGSM"](network, to_float(shapes().test.images[:1]), Untargeted(np.array([7])))


QUICK = {
    "iterations": 10, "queries": 60, "population": 10, "generations": 4, "binary_search_steps": 2,
    "pixels": 20,
}  # fmt: skip


@pytest.mark.parametrize("name", ATTACKS)
@pytest.mark.parametrize("targeted", [False, True])
def test_every_attack_of_the_catalog(
    name: str, targeted: bool, network: Classifier, test: tuple[FloatArray, IntArray]
) -> None:
    images, labels = test
    attack = ATTACKS[name]
    quick = {key: value for key, value in QUICK.items() if key in attack.defaults()}
    if name == "One pixel":
        quick["pixels"] = 2
    goal = Targeted((labels + 1) % 7) if targeted else Untargeted(labels)
    for norm in ("linf", "l2") if attack.bounded else ("",):
        epsilon = {"linf": 0.3, "l2": 3.0}.get(norm, 0.0)
        settings = {**quick, **({"epsilon": epsilon, "norm": norm} if norm else {})}
        if "step_size" in attack.defaults():
            settings["step_size"] = epsilon / 4
        result = attack(network, images, goal, settings, record=True)
        assert result.adversarial.shape == images.shape
        assert result.trajectory is not None
        np.testing.assert_array_equal(result.trajectory.result, result.adversarial)
        assert {"linf": result.linf, "l2": result.l2}.get(norm, np.zeros(1)).max() <= (
            epsilon + 1e-4
        )
        if name == "One pixel":
            assert result.l0.max() <= 2
        elif not (targeted and name in ("FGSM", "Square", "JSMA")):
            assert result.succeeded.any(), norm
    assert attack.work(quick, classes=7) >= 1


def test_noise_of_the_attacks_and_of_the_controls(
    network: Classifier, test: tuple[FloatArray, IntArray]
) -> None:
    images, labels = test
    lengths = np.full(COUNT, 2.0, np.float32)
    found = np.sqrt(((noise_of_norm(images, lengths) - images) ** 2).sum(axis=(1, 2, 3)))
    assert found == pytest.approx(lengths, abs=0.01)
    changed = (noise_at_edge(images, 5, "l0") != images).any(axis=3).sum(axis=(1, 2))
    assert changed.max() == 5
    few = random_pixels(network, images, Untargeted(labels), pixels=6, queries=40)
    assert few.l0.max() <= 6
    targets = random_targets(images, labels, classes=7, seed=0)
    assert ((targets >= 0) & (targets < 7) & (targets != labels)).all()
    noise = additive_noise(network, images, Targeted(np.full(COUNT, 6)), iterations=5).noise
    assert noise is not None
    said = carry(network, noise[-1], images, labels, target=6, scale=5.0)
    assert said.misclassified().total == COUNT
    assert said.reached().total == COUNT - 1
    mixed = shuffled(noise[-1], images)
    assert np.sort(mixed[0].ravel()) == pytest.approx(np.sort(noise[-1].ravel()))


def test_the_smallest_change_and_the_plane_through_it(
    network: Classifier, test: tuple[FloatArray, IntArray]
) -> None:
    images, labels = test
    for method, norm in (("PGD", "linf"), ("PGD", "l2"), ("DDN", "l2")):
        found = smallest(
            network, images[:3], Untargeted(labels[:3]), method=method, norm=norm, iterations=10
        )
        assert found.found.all()
    one = smallest(network, images[:1], Untargeted(labels[:1]), norm="l2", iterations=10)
    steps = path(network, one, Untargeted(labels[:1]), iterations=10)
    shown = plane(network, images[:1], one.adversarial, path=steps, points=7)
    assert shown.ends[0] == labels[0] != shown.ends[1]


def test_images_made_from_nothing_and_toward_a_source(
    network: Classifier, test: tuple[FloatArray, IntArray]
) -> None:
    images, labels = test
    made = generate_from_noise(network, np.arange(7), learning_rate=0.05, iterations=60)
    assert made.result.shape == (7, *SHAPES.shape)
    assert (made.predicted[-1] == np.arange(7)).sum() > (made.predicted[0] == np.arange(7)).sum()
    goal = Targeted((labels + 1) % 7)
    for start in ("source", "noise"):
        moved = move_toward(network, images, goal, start=start, iterations=5)
        assert moved.images.shape == (6, *images.shape)
    settings = ImageSettings(iterations=20, jitter=1, blur=0.5, variation=0.001)
    excited = maximize_logit(network, np.arange(7), settings)
    assert (excited.terms["logit"][-1] > excited.terms["logit"][0]).all()
    begin = start_images("noise", 2, shape=SHAPES.shape)
    found = maximize_channel(network, "conv2", np.arange(2), settings, start=begin)
    assert found.result.shape == (2, *SHAPES.shape)


def test_attributions_show_one_value_a_pixel(
    network: Classifier, test: tuple[FloatArray, IntArray]
) -> None:
    images, labels = test
    maps = {
        "gradient": attribution.gradient(network, images, labels),
        "times input": attribution.gradient_times_input(network, images, labels),
        "integrated": attribution.integrated_gradients(network, images, labels, steps=128),
        "smooth": attribution.smooth_grad(network, images, labels, samples=3),
        "grad-cam": attribution.grad_cam(network, images, labels),
    }
    assert {each.values.shape for each in maps.values()} == {(COUNT, 12, 12)}
    gap, whole = maps["integrated"].completeness_gap, maps["integrated"].values.sum(axis=(1, 2))
    assert gap is not None
    assert np.abs(gap).max() < 0.1 * np.abs(whole).max()
    attribution.randomize_last_layer(network).logits(images)
    curves = fidelity(network, images, labels, maps["integrated"].values, steps=12)
    chance = fidelity(network, images, labels, random_map(images), steps=12)
    assert curves.deletion[:, 0] == pytest.approx(network.probabilities(images)[range(8), labels])
    assert curves.score.mean() > chance.score.mean()


def test_occlusion_covers_every_pixel(
    network: Classifier, test: tuple[FloatArray, IntArray]
) -> None:
    images, labels = test
    for name in FILLS:
        fill = fill_images(name, images, spec=SHAPES)
        assert fill.shape == images.shape
        found = occlude(network, images, labels, block=5, stride=3, fill=fill)
        assert found.logits.shape == (COUNT, 4, 4, 7)
        assert np.isfinite(found.per_pixel_mean(found.probability_drop)).all()
    by_hand = images.copy()
    by_hand[:, 3:8, 6:11] = fill[:, 3:8, 6:11]
    assert found.logits[:, 1, 2] == pytest.approx(network.logits(by_hand), abs=1e-4)
    with pytest.raises(ValueError, match="The block is 13, outside 1 to 12"):
        occlude(network, images, labels, block=13)


def test_feature_maps_responses_and_surgery(
    network: Classifier, test: tuple[FloatArray, IntArray]
) -> None:
    images, _ = test
    assert feature_maps.feature_maps(network, images, "pool1").shape == (COUNT, 6, 6, 8)
    assert feature_maps.convolutions(network.model)[0].input_channels == 3
    assert set(feature_maps.active_shares(network, images)) == {"conv1", "conv2"}
    assert responses(network, images, "conv2").means.shape == (COUNT, 8)
    assert most_similar(images[:2], images)[0].tolist() == [0, 1]
    factors = {"conv1": np.array([0.0, *np.ones(7)], np.float32)}
    edited = edited_classifier(network, factors, name="edited")
    assert edited.spec is SHAPES
    scaled = scale_channels(network, images, factors)
    assert edited.logits(images) == pytest.approx(scaled, abs=1e-4)
    distances = nearest_by_class(images[:1], *_arrays(), classes=7)
    assert distances.argmin() == 0
    assert len(distances) == 7


def _arrays() -> tuple[np.ndarray, np.ndarray]:
    return shapes().test.images, shapes().test.labels


@pytest.mark.parametrize("kind", KINDS)
def test_filters_take_each_channel_by_itself(
    kind: str, network: Classifier, test: tuple[FloatArray, IntArray]
) -> None:
    images, labels = test
    part = Filter(kind, KINDS[kind].default)
    filtered = part(images)
    assert filtered.shape == images.shape
    assert 0 <= filtered.min() <= filtered.max() <= 1
    if kind not in ("noise", "resize"):  # which draw by the whole image
        for channel in range(3):
            alone = part(images[..., channel : channel + 1])
            assert filtered[..., channel : channel + 1] == pytest.approx(alone, abs=1e-6)
    behind = DefendedClassifier(network, [part], draws=2)
    assert behind.spec is SHAPES
    assert behind.logits(images).shape == (COUNT, 7)
    if kind in ("bits", "jpeg"):
        result = adaptive(behind, images, Untargeted(labels), epsilon=0.5, iterations=6)
        assert result.linf.max() <= 0.5 + 1e-4
        assert result.standing.successes < COUNT


def test_what_was_trained_on_digits_is_refused_in_one_sentence(
    network: Classifier, test: tuple[FloatArray, IntArray]
) -> None:
    images, labels = test
    for key in ("autoencoder", "projection-20x2"):
        with pytest.raises(ValueError, match=r"was trained on MNIST and knows no images of Shapes"):
            DefendedClassifier(network, defense_of(key))
    for name, detector in DETECTORS.items():
        if name == "Feature squeezing":
            assert detector.scores(network, images).shape == (COUNT,)
        else:
            with pytest.raises(ValueError, match=r"was trained on MNIST"):
                detector.scores(network, images)
    few = adaptive(network, images, Untargeted(labels), epsilon=10, norm="l0")
    assert few.l0.max() <= 10


def test_what_is_proven(network: Classifier, test: tuple[FloatArray, IntArray]) -> None:
    images, labels = test
    bounds = interval_bounds(network, images, 0.01)["logits"]
    logits = network.logits(np.clip(images + np.float32(0.01), 0, 1))
    assert (bounds.lower <= logits + 1e-4).all()
    assert (logits <= bounds.upper + 1e-4).all()
    assert certified(network, images, labels, 0.0).all()
    assert growth(network, images[:1], int(labels[0]), [0.0, 0.01]).elided[0] > 0
    assert 0 < certified_radius(network, images[:1], int(labels[0])) < 1
    assert looseness(network, images[:1], 0.01, units=3, iterations=3)[-1].units == 7
    sure = certify(network, images[0:1], sigma=0.05, copies=300)
    assert sure.votes.shape == (7,)
    assert sure.predicted == labels[0]


def test_studies_over_many_images(network: Classifier, test: tuple[FloatArray, IntArray]) -> None:
    images, labels = test
    for goal in ("any other", "random target"):
        board = Scoreboard(ATTACKS["FGSM"], {"epsilon": 0.2}, goal, COUNT)
        list(board.work(network, images, labels))
        assert np.shape(board.matrix)[:2] == (7, 7)
    rows = tuple(
        Row(key or "none", key or "No defense", _behind(network, key)) for key in ("", "blur-1")
    )
    for own, budget in ((rows[:1], Budget("l0", 8, 4, 10)), (rows[1:], Budget("l2", 1.0, 4, 10))):
        grid = Grid(network, network, own, images, labels, budget)
        list(grid.work())
        assert len(grid.cells) == len(grid.plan)
    with pytest.raises(ValueError, match="outside 2 to 72"):
        Grid(network, network, rows, images, labels, Budget("l0", 73))
    masking = MaskingStudy(network, COUNT, 0.1, queries=10, source=network)
    list(masking.work(images, labels))
    assert masking.count == masking.planned
    curve = CurveStudy({"network": network}, "l2", (0.0, 2.0), COUNT, iterations=4)
    list(curve.work(images, labels))
    assert curve.curves[0].points[0].accuracy.value == 1
    detection = DetectionStudy(5, "Feature squeezing", 0.2)
    list(detection.work(network, shapes().test, iterations=3))
    assert len(detection.found.calibration) == 14


def _behind(network: Classifier, key: str) -> Classifier:
    return DefendedClassifier(network, defense_of(key)) if key else network


def test_a_tray_keeps_colors(test: tuple[FloatArray, IntArray]) -> None:
    images, labels = test
    tray = Tray(SHAPES)
    assert tray.add(images, labels, "here") == COUNT
    np.testing.assert_array_equal(tray.split.images, to_bytes(images))
    with pytest.raises(ValueError, match="The class is 7, outside 0 to 6"):
        tray.add(images[:1], [7], "here")


# No file but MNIST's own says what only MNIST is.

CORE = Path(__file__).parents[2] / "core"
OWN = {  # MNIST's spec and file, and its views: drawing, centering, the report
    "data/spec.py", "data/mnist.py", "data/centering.py", "data/photograph.py", "data/sheet.py",
    "data/pale.py", "data/pictures.py", "report/settings.py", "report/claims.py",
    "defenses/autoencoder.py", "defenses/generator.py", "defenses/projection.py",
    "zoo/walkthrough.py", "zoo/generative_training.py",
}  # fmt: skip
MEANS_MNIST = {28, 784, 60_000}
ANOTHER_MEANING = {"inspection/fidelity.py": {28}}  # steps of a curve


def _numbers(path: Path) -> set[object]:
    tree = ast.parse(path.read_text())
    return {node.value for node in ast.walk(tree) if isinstance(node, ast.Constant)}


@pytest.mark.parametrize("path", sorted(CORE.rglob("*.py")), ids=lambda p: p.stem)
def test_no_number_means_mnist(path: Path) -> None:
    name = path.relative_to(CORE).as_posix()
    if name in OWN:
        return
    names = {token.string for token in _tokens(path) if token.type == tokenize.NAME}
    assert not names & {"SIDE", "CLASSES"}
    numbers = {value for value in _numbers(path) if isinstance(value, int | float)}
    assert not numbers & MEANS_MNIST - ANOTHER_MEANING.get(name, set())
    assert "28, 28" not in path.read_text()


def _tokens(path: Path) -> Iterator[tokenize.TokenInfo]:
    yield from tokenize.generate_tokens(io.StringIO(path.read_text()).readline)
