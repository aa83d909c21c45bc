"""The forward pass of a network in training, in graphs: two halves of a batch, fast gradients."""

from dataclasses import dataclass
from functools import partial

from core.arrays import Tensor
from core.backend import keras, tf
from core.network.stages.halves import ANSWERING, ATTACKING, TRAINING, Halves
from core.network.stages.table import stages_of
from core.training.augmentation import stateless_seed

__all__ = ["ANSWERING", "ATTACKING", "TRAINING", "TrainingForward"]


@dataclass(frozen=True)
class TrainingForward:
    """What `model`, built from an architecture, computes while it learns."""

    model: keras.Model

    def __call__(self, images: Tensor, seed: Tensor, mode: str = TRAINING) -> Tensor:
        """Logits of images float32 [n, h, w, c], n ≥ 2, on the two halves side by side.

        The same function as the model's own, arranged for speed by its stages. The averages of
        batch normalization move while TRAINING, and are what it normalizes by when ANSWERING,
        without dropout.
        """
        half = (tf.shape(images)[0] + 1) // 2
        halves = Halves([images[:half], images[half:]], mode, partial(stateless_seed, seed))
        *hidden, output = stages_of(self.model)
        for stage in hidden:
            halves = stage.train(halves)
        kernel, bias = output.layer.kernel, output.layer.bias
        return tf.concat([part @ kernel + bias for part in halves.settled().parts], axis=0)
