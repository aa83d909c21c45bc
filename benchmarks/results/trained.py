"""Short trainings."""

import functools
from dataclasses import replace
from typing import Any

from benchmarks.results.tree import here, picked


def _trained(**settings: Any) -> Any:
    """The weights of Model 1 and what is said of it, after an epoch of 640 images."""
    mnist = here.load_mnist()
    few = replace(mnist, train=mnist.train.first(640), test=mnist.test.first(200))
    chosen = here.TrainingSettings(epochs=1, training_images=640, seed=2, **settings)
    *_, last = here.train(here.MODEL_1, few, chosen)
    return picked(last, "weights loss accuracy gradient_norms")


def _robust_step() -> Any:
    settings = here.RobustSettings(
        epochs=2, fall=1, batch_size=32, training_images=96, held_back=0, attack_ramp=0.5,
        certified_ramp=1, shift=1, clean_share=0.25,
    )  # fmt: skip
    trainer, train = here.RobustTrainer(here.STRIDED, settings), here.load_mnist().train
    images = train.images[:96].reshape(3, 32, 28, 28)
    means = trainer.run(images, train.labels[:96].reshape(3, 32), settings.schedule()[2:5])
    return means, trainer.folded()


RESULTS = {
    "Weights of a training": _trained,
    "Weights of an attacked training": functools.partial(
        _trained, attack="pgd", attack_steps=2, shift=1, rotation=5.0, label_smoothing=0.1
    ),
    "Steps of a robust training": _robust_step,
}
