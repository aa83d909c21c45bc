"""Milliseconds of attribution, occlusion and class images: this project and its peers, alternating.

Every contender explains the same test image by the same trained network, or climbs its ten logits
from a zero image with every frame kept, in a process of its own: peers with TensorFlow's own choice
of threads, first on all cores, then on one. What a peer does not offer, and what is not installed,
is named. The report is the median over rounds and the ratio within each round.

The peers, in an environment of their own: `pip install --no-deps xplique tf-keras-vis saliency`
with what they import: deprecated, einops, matplotlib, opencv-python-headless, scikit-image,
scikit-learn, tensorflow-probability and tf-keras.
"""

import importlib.util
import os
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.contender import Contender, serve

STEPS, SAMPLES, NOISE = 64, 50, 0.15
ITERATIONS, LEARNING_RATE = 200, 0.05
ROUNDS = 9
_ROUND_SECONDS = 0.3
_WEIGHTS = Path(__file__).parents[1] / "assets" / "models" / "model-1.safetensors"
TASKS = {
    "gradient": "Gradient",
    "integrated": f"Integrated gradients, {STEPS} steps",
    "smooth": f"SmoothGrad, {SAMPLES} samples",
    "12/4": "Occlusion 12/4, 25 positions",
    "4/1": "Occlusion 4/1, 625 positions",
    "ascent": f"Ten class images at once, {ITERATIONS} steps of Adam, every frame kept",
}
PEERS = {"xplique": "xplique", "tf-keras-vis": "tf_keras_vis", "saliency": "saliency"}
OFFERED = {
    "convscope": tuple(TASKS),
    "xplique": tuple(TASKS),
    "tf-keras-vis": ("gradient", "smooth", "ascent"),
    "saliency": ("gradient", "integrated", "smooth", "4/1"),
}


def main(rounds: int = ROUNDS) -> None:
    """Print a table for all cores and one for a single core."""
    missing = [name for name, module in PEERS.items() if not importlib.util.find_spec(module)]
    if missing:
        print(f"Not installed, and so not measured: {', '.join(missing)}.")
    for cores in ("all", "one"):
        print(f"One call, model-1, {cores} core{'s' * (cores == 'all')}, median of {rounds} rounds")
        for task, title in TASKS.items():
            names = [name for name in OFFERED if task in OFFERED[name] and name not in missing]
            report(title, compare(names, task, cores, rounds))
            without = [name for name in PEERS if name not in names and name not in missing]
            if without:
                print(f"    not offered by {', '.join(without)}")


def compare(names: list[str], task: str, cores: str, rounds: int) -> dict[str, list[float]]:
    """Seconds per call of every round, the contenders one after the other in each."""
    contenders = [Contender("benchmarks.attribution", name, task, cores) for name in names]
    seconds: dict[str, list[float]] = {name: [] for name in names}
    for contender in contenders:
        contender.round()  # start-up, tracing and warm-up
    for _ in range(rounds):
        for contender in contenders:
            seconds[contender.name].append(contender.round())
    for contender in contenders:
        contender.__exit__(None, None, None)
    return seconds


def report(title: str, seconds: dict[str, list[float]]) -> None:
    """Print the medians, and how many times as fast as each peer this project is."""
    print(f"  {title}")
    for name, times in seconds.items():
        ratios = [peer / own for peer, own in zip(times, seconds["convscope"], strict=True)]
        print(
            f"    {name:13s}{statistics.median(times) * 1000:9.2f} ms   convscope is "
            f"{statistics.median(ratios):6.2f} times as fast [{min(ratios):.2f}, {max(ratios):.2f}]"
        )


def timed(explain: Callable[[], Any]) -> Callable[[], float]:
    """A round: the fastest of the calls that fit into a third of a second.

    The fastest, because whatever else the machine does only ever adds.
    """

    def work() -> float:
        seconds: list[float] = []
        while sum(seconds) < _ROUND_SECONDS or len(seconds) < 3:
            started = time.perf_counter()
            explain()
            seconds.append(time.perf_counter() - started)
        return min(seconds)

    for _ in range(3):
        explain()
    return work


def convscope(task: str) -> Callable[[], Any]:
    """This project's functions as the pages call them."""
    from core.inspection.attribution import gradient, integrated_gradients, smooth_grad
    from core.inspection.occlusion import occlude
    from core.optimization.engine import optimize_images
    from core.optimization.objectives import logit
    from core.zoo import models as zoo

    classifier = zoo.load("model-1")
    image, label = _image_and_label()
    given = (classifier, image, np.array([label]))
    return {
        "gradient": lambda: gradient(*given),
        "integrated": lambda: integrated_gradients(*given, steps=STEPS),
        "smooth": lambda: smooth_grad(*given, samples=SAMPLES, noise=NOISE),
        "12/4": lambda: occlude(*given, block=12, stride=4),
        "4/1": lambda: occlude(*given, block=4, stride=1),
        "ascent": lambda: optimize_images(
            classifier,
            _ZEROS,
            logit(np.arange(10)),
            learning_rate=LEARNING_RATE,
            iterations=ITERATIONS,
        ),
    }[task]


def xplique(task: str) -> Callable[[], Any]:
    """Explainers of xplique, built once, with batches that hold a whole image's copies.

    Its class images start at noise of 0.01 and come to [0, 1] by its own sigmoid.
    """
    import keras as k
    from xplique import attributions
    from xplique.features_visualizations import Objective, optimize

    model, (image, label) = keras_model(), _image_and_label()
    if task == "ascent":
        logits = Objective.neuron(model, "logits", [*range(10)])
        return lambda: optimize(
            logits,
            k.optimizers.Adam(LEARNING_RATE),
            nb_steps=ITERATIONS,
            use_fft=False,
            transformations=None,
            custom_shape=None,
            save_every=1,
        )
    target = np.eye(10, dtype=np.float32)[[label]]
    explainer = {
        "gradient": lambda: attributions.Saliency(model, batch_size=_BATCH),
        "integrated": lambda: attributions.IntegratedGradients(
            model, batch_size=_BATCH, steps=STEPS
        ),
        "smooth": lambda: attributions.SmoothGrad(
            model, batch_size=_BATCH, nb_samples=SAMPLES, noise=NOISE
        ),
        "12/4": lambda: attributions.Occlusion(
            model, batch_size=_BATCH, patch_size=12, patch_stride=4
        ),
        "4/1": lambda: attributions.Occlusion(
            model, batch_size=_BATCH, patch_size=4, patch_stride=1
        ),
    }[task]()
    return lambda: np.asarray(explainer.explain(image, target))


def tf_keras_vis(task: str) -> Callable[[], Any]:
    """`Saliency` of tf-keras-vis with its sign kept; `ActivationMaximization` with our settings.

    It cuts what it shows to [0, 1], and not what it goes on from.
    """
    import keras as k
    from tf_keras_vis.activation_maximization import ActivationMaximization
    from tf_keras_vis.activation_maximization.callbacks import Callback
    from tf_keras_vis.saliency import Saliency
    from tf_keras_vis.utils.scores import CategoricalScore

    class Frames(Callback):  # type: ignore[misc]
        def on_begin(self, **_: Any) -> None:
            self.kept: list[Any] = []

        def __call__(self, step: int, values: Any, *_: Any, **__: Any) -> None:
            self.kept.append(values[0].numpy())

    if task == "ascent":
        climb, classes = ActivationMaximization(keras_model(), clone=False), [*range(10)]
        return lambda: climb(
            CategoricalScore(classes),
            seed_input=_ZEROS,
            input_range=(0, 1),
            input_modifiers=None,
            regularizers=None,
            steps=ITERATIONS,
            optimizer=k.optimizers.Adam(LEARNING_RATE),
            callbacks=Frames(),
        )
    image, label = _image_and_label()
    explainer, score = Saliency(keras_model(), clone=False), CategoricalScore([label])
    samples = SAMPLES if task == "smooth" else 0
    return lambda: explainer(
        score,
        image,
        smooth_samples=samples,
        smooth_noise=NOISE,
        gradient_modifier=lambda gradients: gradients,
        normalize_map=False,
        keepdims=True,
    )


def saliency(task: str) -> Callable[[], Any]:
    """Masks of PAIR's saliency, around a model call compiled by `tf.function`."""
    import saliency.core as masks
    import tensorflow as tf

    model, (images, label) = keras_model(), _image_and_label()
    image = images[0]

    @tf.function(input_signature=[tf.TensorSpec([None, 28, 28, 1], tf.float32)])
    def logit_and_gradient(batch: Any) -> Any:
        with tf.GradientTape() as tape:
            tape.watch(batch)
            logit = model(batch, training=False)[:, label]
        return logit, tape.gradient(logit, batch)

    @tf.function(input_signature=[tf.TensorSpec([None, 28, 28, 1], tf.float32)])
    def logit(batch: Any) -> Any:
        return model(batch, training=False)[:, label]

    def call(batch: Any, call_model_args: Any = None, expected_keys: Any = None) -> Any:
        batch = tf.constant(np.asarray(batch, np.float32))
        if masks.OUTPUT_LAYER_VALUES in expected_keys:
            return {masks.OUTPUT_LAYER_VALUES: logit(batch).numpy()}
        return {masks.INPUT_OUTPUT_GRADIENTS: logit_and_gradient(batch)[1].numpy()}

    gradients = masks.GradientSaliency()
    return {
        "gradient": lambda: gradients.GetMask(image, call),
        "integrated": lambda: masks.IntegratedGradients().GetMask(
            image, call, x_steps=STEPS, batch_size=STEPS
        ),
        "smooth": lambda: gradients.GetSmoothedMask(
            image, call, stdev_spread=NOISE, nsamples=SAMPLES, magnitude=False
        ),
        "4/1": lambda: masks.Occlusion().GetMask(image, call, size=4),
    }[task]


_BATCH = 256
_ZEROS = np.zeros((10, 28, 28, 1), np.float32)


def keras_model() -> Any:
    """Model 1 with its weights, and none of this project's settings of TensorFlow."""
    import keras as k
    import safetensors.numpy

    layers = k.layers
    image = x = k.Input((28, 28, 1))
    for name in ("conv1", "conv2"):
        x = layers.Conv2D(32, 3, padding="same", name=name)(x)
        x = layers.MaxPooling2D()(layers.ReLU()(x))
    x = layers.ReLU()(layers.Dense(500, name="dense1")(layers.Flatten()(x)))
    model = k.Model(image, layers.Dense(10, name="logits")(x))
    weights = safetensors.numpy.load_file(_WEIGHTS)
    for name in ("conv1", "conv2", "dense1", "logits"):
        model.get_layer(name).set_weights([weights[f"{name}/kernel"], weights[f"{name}/bias"]])
    return model


def _image_and_label() -> tuple[Any, int]:
    from core.arrays import to_float
    from core.data.mnist import load_mnist

    test = load_mnist().test.first(1)
    return to_float(test.images), int(test.labels[0])


if __name__ == "__main__":
    name, task, cores = sys.argv[1:]
    if cores == "one":  # before TensorFlow counts the cores
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    contenders = {
        "convscope": convscope,
        "xplique": xplique,
        "tf-keras-vis": tf_keras_vis,
        "saliency": saliency,
    }
    serve(timed(contenders[name](task)))
