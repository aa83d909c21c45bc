"""Strength and speed of the attacks: this project and its peers, alternating in one run.

Every contender attacks the same test images on the same trained network with the same budget, in
a process of its own: peers with TensorFlow's own choice of threads, and no early stop where that
can be chosen. Nobody's word for a success is taken: what comes back is clipped to [0, 1] and judged
by this project, among the images that the network read right before. `convscope-usual` is this
project by the gradient that its peers follow, which float32 rounds where a network is sure.
Seconds are medians over rounds with the ratio within each round. A contender whose first round
takes a minute has no other.

The peers, in an environment of their own that has this project's requirements too:

    pip install --no-deps foolbox==3.3.4 eagerpy==0.30.0 gitpython gitdb smmap
    pip install --no-deps adversarial-robustness-toolbox==1.20.1 tqdm scipy scikit-learn
    pip install --no-deps cleverhans==4.0.0 easydict tf-keras==2.21.0 tensorflow-probability

CleverHans calls an optimizer as Keras 2 has it, and so gets the one of tf-keras.
"""

import functools
import importlib.util
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.attribution import keras_model
from benchmarks.contender import Contender, serve

IMAGES = 256
_PATIENCE = 60  # seconds of a first round above which it is the only one
PEERS = {
    "foolbox": "foolbox",
    "foolbox-compiled": "foolbox",
    "art": "art",
    "cleverhans": "cleverhans",
}


@dataclass(frozen=True)
class Task:
    """An attack with its budget, on how many images, how many at a time, in how many rounds.

    without: contenders that would take hours.
    """

    title: str
    attack: str
    numbers: dict[str, Any] = field(default_factory=dict)
    images: int = IMAGES
    batch: int = 128
    rounds: int = 5
    without: tuple[str, ...] = ()


_PGD = {"step_size": 0.01, "iterations": 40}
_CARLINI_WAGNER = {
    "binary_search_steps": 5,
    "iterations": 100,
    "initial_constant": 1.0,
    "learning_rate": 0.1,
}
TASKS = {
    "fgsm-0.1": Task("FGSM, ε 0.1", "fgsm", {"epsilon": 0.1}, 500),
    "fgsm-0.2": Task("FGSM, ε 0.2", "fgsm", {"epsilon": 0.2}, 500),
    "fgsm-0.3": Task("FGSM, ε 0.3", "fgsm", {"epsilon": 0.3}, 500),
    "pgd-0.1": Task("PGD-40, ε 0.1", "pgd", _PGD | {"epsilon": 0.1}),
    "pgd-0.3": Task("PGD-40, ε 0.3", "pgd", _PGD | {"epsilon": 0.3}),
    "pgd-128": Task("PGD-40, batch of 128", "pgd", _PGD | {"epsilon": 0.3}, 128, 128, 9),
    "pgd-8": Task("PGD-40, batch of 8", "pgd", _PGD | {"epsilon": 0.3}, 8, 8, 9),
    "deepfool": Task("DeepFool", "deepfool", {"iterations": 50, "overshoot": 0.02}),
    "ddn": Task("DDN-100", "ddn", {"iterations": 100}, rounds=3),
    "carlini-wagner": Task(
        "Carlini–Wagner, 5 × 100", "carlini_wagner", _CARLINI_WAGNER, rounds=3, without=("art",)
    ),
    "carlini-wagner-8": Task(
        "Carlini–Wagner, 5 × 100, 8 images", "carlini_wagner", _CARLINI_WAGNER, 8, 8, 1
    ),
}
OFFERED = {
    "fgsm": ("convscope", "convscope-usual", "foolbox", "art", "cleverhans"),
    "pgd": ("convscope", "convscope-usual", "foolbox", "foolbox-compiled", "art", "cleverhans"),
    "deepfool": ("convscope", "foolbox", "foolbox-compiled", "art"),
    "ddn": ("convscope", "foolbox"),
    "carlini_wagner": ("convscope", "foolbox", "foolbox-compiled", "art", "cleverhans"),
}


def main() -> None:
    """Print a table for every task, or for those whose names follow on the command line."""
    missing = [name for name, module in PEERS.items() if not importlib.util.find_spec(module)]
    if missing:
        print(f"Not installed, and so not measured: {', '.join(missing)}.")
    chosen = sys.argv[2:] or list(TASKS)
    for name, task in ((name, TASKS[name]) for name in chosen):
        absent = {*missing, *task.without}
        contenders = [each for each in OFFERED[task.attack] if each not in absent]
        with tempfile.TemporaryDirectory() as folder:
            seconds = compare(contenders, name, Path(folder))
            report(task, seconds, Path(folder))


def compare(names: list[str], task: str, folder: Path) -> dict[str, list[float]]:
    """Seconds of every round, the contenders one after the other in each."""
    contenders = [Contender("benchmarks.attacks", name, task, str(folder)) for name in names]
    seconds: dict[str, list[float]] = {}
    for contender in contenders:
        first = contender.round()  # with start-up inside the libraries, tracing and warm-up
        seconds[contender.name] = [first] if first > _PATIENCE else []
    patient = [each for each in contenders if not seconds[each.name]]
    for _ in range(TASKS[task].rounds):
        for contender in patient:
            seconds[contender.name].append(contender.round())
    for contender in contenders:
        contender.__exit__(None, None, None)
    return seconds


def report(task: Task, seconds: dict[str, list[float]], folder: Path) -> None:
    """Print what each found and how long it took beside this project."""
    print(f"{task.title}: model-1, {task.images} test images, batches of {task.batch}", flush=True)
    for name, times in seconds.items():
        ratios = [peer / own for peer, own in zip(times, seconds["convscope"], strict=False)]
        print(
            f"  {name:17s}{_strength(task, np.load(folder / f'{name}.npy'))}"
            f"{statistics.median(times) * 1000 / task.images:9.2f} ms an image   convscope is "
            f"{statistics.median(ratios):6.2f} times as fast [{min(ratios):.2f}, {max(ratios):.2f}]"
        )
    share = np.load(folder / "convscope-share.npy")
    print(f"  of convscope's time {share:.0%} pass inside compiled graphs", flush=True)


def _strength(task: Task, found: Any) -> str:
    """Success, and the change of the images that were right before and are at the goal now."""
    from core.attacks.goals import Untargeted
    from core.attacks.result import result_of
    from core.zoo import models as zoo

    images, labels = _images_and_labels(task.images)
    strange = not np.isfinite(found).all()
    found = np.clip(np.nan_to_num(found), 0, 1).astype(np.float32)
    result = result_of(zoo.load_once("model-1"), "", images, found, Untargeted(labels))
    counted = result.right_before & result.succeeded
    distances = result.l2[counted] if counted.any() else np.zeros(1)
    return (
        f"{result.success.successes:4d} of {result.success.total} fooled"
        f"   L2 median {np.median(distances):.3f}, mean {distances.mean():.3f}"
        f"{'   NaN!' if strange else ''}"
    )


def _images_and_labels(count: int) -> tuple[Any, Any]:
    from core.arrays import to_float
    from core.data.mnist import load_mnist

    test = load_mnist().test.first(count)
    return to_float(test.images), test.labels.astype(np.int64)


def timed(attack: Callable[[Any, Any], Any], task: Task, file: Path) -> Callable[[], float]:
    """A round: all images, batch by batch; what was found is left in `file`."""
    images, labels = _images_and_labels(task.images)

    def work() -> float:
        starts = range(0, task.images, task.batch)
        started = time.perf_counter()
        found = [attack(*(each[i : i + task.batch] for each in (images, labels))) for i in starts]
        seconds = time.perf_counter() - started
        np.save(file, np.concatenate(found))
        return seconds

    return work


def convscope(task: Task, folder: Path, *, usual: bool = False) -> Callable[[], float]:
    """This project's functions as the pages call them, and the share of time in their graphs."""
    from core.attacks import gradient, minimal
    from core.attacks.goals import Untargeted
    from core.attacks.usual_gradient import WithUsualGradient
    from core.zoo import models as zoo

    classifier, spans = zoo.load("model-1"), []
    if usual:
        classifier = WithUsualGradient(classifier)
    name = "convscope-usual" if usual else "convscope"
    compiled = classifier.compiled

    def watched(name: str, build: Callable[[Any], Any]) -> Callable[..., Any]:
        function = compiled(name, build)

        def call(*given: Any) -> Any:
            started = time.perf_counter()
            out = function(*given)
            spans.append((started, time.perf_counter()))
            return out

        return call

    classifier.compiled = watched  # type: ignore[method-assign]
    attack = getattr(gradient if task.attack in ("fgsm", "pgd") else minimal, task.attack)
    work = timed(
        lambda x, y: attack(classifier, x, Untargeted(y), **task.numbers).adversarial,
        task,
        folder / f"{name}.npy",
    )

    def watched_work() -> float:
        spans.clear()
        seconds = work()
        np.save(folder / f"{name}-share.npy", _union(spans) / seconds)
        return seconds

    return watched_work


def _union(spans: list[tuple[float, float]]) -> float:
    """The length of what the spans cover; two batches run at a time."""
    covered, end = 0.0, 0.0
    for first, last in sorted(spans):
        covered += max(0.0, last - max(first, end))
        end = max(end, last)
    return covered


def foolbox(task: Task, *, compiled: bool = False) -> Callable[[Any, Any], Any]:
    """Foolbox on a Keras model as its documentation has it, or on one whose call is compiled."""
    import foolbox as fb
    import tensorflow as tf

    model, numbers = keras_model(), task.numbers
    called = compiled_call(model) if compiled else model
    network = fb.TensorFlowModel(called, bounds=(0, 1), device="/cpu:0")
    attacks = fb.attacks
    attack, more = {
        "fgsm": lambda: (attacks.LinfFastGradientAttack(), {"epsilon": numbers["epsilon"]}),
        "pgd": lambda: (
            attacks.LinfPGD(abs_stepsize=numbers["step_size"], steps=numbers["iterations"]),
            {"epsilon": numbers["epsilon"]},
        ),
        "deepfool": lambda: (
            attacks.L2DeepFoolAttack(steps=numbers["iterations"], overshoot=numbers["overshoot"]),
            {},
        ),
        "ddn": lambda: (attacks.DDNAttack(steps=numbers["iterations"]), {}),
        "carlini_wagner": lambda: (
            attacks.L2CarliniWagnerAttack(
                numbers["binary_search_steps"],
                numbers["iterations"],
                numbers["learning_rate"],
                initial_const=numbers["initial_constant"],
                abort_early=False,
            ),
            {},
        ),
    }[task.attack]()
    return lambda x, y: attack.run(network, tf.constant(x), tf.constant(y), **more).numpy()


def art(task: Task) -> Callable[[Any, Any], Any]:
    """The Adversarial Robustness Toolbox on a Keras model."""
    import tensorflow as tf
    from art.attacks import evasion
    from art.estimators.classification import TensorFlowV2Classifier

    numbers = task.numbers
    network = TensorFlowV2Classifier(
        model=keras_model(),
        nb_classes=10,
        input_shape=(28, 28, 1),
        loss_object=tf.keras.losses.CategoricalCrossentropy(from_logits=True),
        clip_values=(0, 1),
    )
    attack = {
        "fgsm": lambda: evasion.FastGradientMethod(
            network, eps=numbers["epsilon"], batch_size=task.batch
        ),
        "pgd": lambda: evasion.ProjectedGradientDescent(
            network,
            eps=numbers["epsilon"],
            eps_step=numbers["step_size"],
            max_iter=numbers["iterations"],
            num_random_init=1,
            batch_size=task.batch,
            verbose=False,
        ),
        "deepfool": lambda: evasion.DeepFool(
            network,
            max_iter=numbers["iterations"],
            epsilon=numbers["overshoot"],
            batch_size=task.batch,
            verbose=False,
        ),
        "carlini_wagner": lambda: evasion.CarliniL2Method(
            network,
            learning_rate=numbers["learning_rate"],
            binary_search_steps=numbers["binary_search_steps"],
            max_iter=numbers["iterations"],
            initial_const=numbers["initial_constant"],
            batch_size=task.batch,
            verbose=False,
        ),
    }[task.attack]()
    if task.attack == "deepfool":  # it goes away from what the network says
        return lambda x, y: attack.generate(x)
    return lambda x, y: attack.generate(x, np.eye(10, dtype=np.float32)[y])


def cleverhans(task: Task) -> Callable[[Any, Any], Any]:
    """CleverHans, which compiles the gradient by itself."""
    os.environ["TF_USE_LEGACY_KERAS"] = "1"  # before TensorFlow is loaded
    import tensorflow as tf
    from cleverhans.tf2.attacks import carlini_wagner_l2 as cw
    from cleverhans.tf2.attacks.fast_gradient_method import fast_gradient_method
    from cleverhans.tf2.attacks.projected_gradient_descent import projected_gradient_descent

    model, numbers = keras_model(), task.numbers

    def network(images: Any) -> Any:
        return model(images, training=False)

    if task.attack == "carlini_wagner":
        attack = cw.CarliniWagnerL2(
            network,
            batch_size=task.batch,
            binary_search_steps=numbers["binary_search_steps"],
            max_iterations=numbers["iterations"],
            initial_const=numbers["initial_constant"],
            learning_rate=numbers["learning_rate"],
            abort_early=False,
        )
        # It sets all that the optimizer holds to 0: in newer ones also the learning rate.
        attack.optimizer = tf.keras.optimizers.legacy.Adam(numbers["learning_rate"])
        return lambda x, y: attack.attack(x)
    box = {"clip_min": 0.0, "clip_max": 1.0}
    if task.attack == "fgsm":
        return lambda x, y: fast_gradient_method(
            network, tf.constant(x), numbers["epsilon"], np.inf, y=tf.constant(y), **box
        ).numpy()
    return lambda x, y: projected_gradient_descent(
        network,
        tf.constant(x),
        numbers["epsilon"],
        numbers["step_size"],
        numbers["iterations"],
        np.inf,
        y=tf.constant(y),
        sanity_checks=False,
        **box,
    ).numpy()


def compiled_call(model: Any) -> Callable[[Any], Any]:
    """A model's call as a compiled function of images."""
    import tensorflow as tf

    signature = [tf.TensorSpec([None, 28, 28, 1], tf.float32)]
    return tf.function(lambda images: model(images, training=False), input_signature=signature)


if __name__ == "__main__":
    name, task, folder = sys.argv[1], TASKS[sys.argv[2]], Path(sys.argv[3])
    peers = {
        "foolbox": foolbox,
        "foolbox-compiled": functools.partial(foolbox, compiled=True),
        "art": art,
        "cleverhans": cleverhans,
    }
    if name.startswith("convscope"):
        serve(convscope(task, folder, usual=name == "convscope-usual"))
    else:
        serve(timed(peers[name](task), task, folder / f"{name}.npy"))
