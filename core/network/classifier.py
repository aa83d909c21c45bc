"""One trained model and its compiled functions."""

import functools
import threading
from collections.abc import Callable, Hashable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.arrays import FloatArray, IntArray, Tensor, check_images
from core.backend import compiled, keras, tf
from core.data.spec import MNIST, DatasetSpec
from core.network.margins import log_odds_against
from core.network.model import layer_table, weights_digest
from core.network.plain_network import PlainNetwork

Climbed = Callable[[Tensor, Tensor], Tensor]  # logits [n, m] and classes [n] to numbers [n]
BATCH = 64  # what TensorFlow needs for one it keeps for good: 250 images would be 100 MB more
_MULTIPLY_ADDS = 5_000_000  # that take as long as Model 1's 2.8 million in its small layers
_MOST_KEPT = 16  # of those that came from another process
_two_at_a_time = ThreadPoolExecutor(2)  # an operation has one thread (core/backend.py)


class Classifier:
    """A trained model that answers with NumPy arrays.

    Built once per trained model. Every compiled function closes over this object's model and is
    owned by it, so that dropping the classifier frees both. `version` is a digest of layers and
    weights: two classifiers with the same version give the same numbers. `climbed`: what attacks
    on the cross-entropy follow up, or down toward a target. `spec` is the data set that it reads;
    raises ValueError on a model of images or classes that are not the set's. It can be pickled, if
    it has answered, too: as its layers, weights, names and set, of which another process builds it
    once.
    """

    climbed: Climbed = staticmethod(log_odds_against)

    def __init__(
        self, model: keras.Model, *, name: str, version: str = "", spec: DatasetSpec = MNIST
    ) -> None:
        if model.input_shape[1:] != spec.shape or model.output_shape[-1] != len(spec.classes):
            raise ValueError(
                f"The network turns {list(model.input_shape[1:])} into {model.output_shape[-1]} "
                f"logits, and {spec.name} has {list(spec.shape)} in {len(spec.classes)} classes: "
                "name the data set that it reads."
            )
        self.model = model
        self.name = name
        self.spec = spec
        self.version = version or weights_digest(model, spec)
        self._compiled: dict[Hashable, Any] = {}

    def __reduce__(self) -> tuple[Any, ...]:
        """What it is pickled as. A training changes weights in place, so they are digested now."""
        known = type(self), self.version, self.name, self.spec
        return _received, (known, PlainNetwork.of(self.model, self.spec))

    @property
    def bare(self) -> "Classifier":
        """The network without a defense in front of it: itself."""
        return self

    @functools.cached_property
    def looks(self) -> float:
        """What an image costs, in images through Model 1; a network up to 3 times its size is 1."""
        multiply_adds = sum(row.multiply_adds for row in layer_table(self.model))
        return max(1.0, multiply_adds // _MULTIPLY_ADDS)

    @property
    def layer_names(self) -> list[str]:
        """The names that `activations` accepts, from the image to the logits."""
        return [layer.name for layer in self.model.layers]

    def logits(self, images: FloatArray) -> FloatArray:
        """Logits float32 [n, classes] of images float32 [n, side, side, channels] in [0, 1]."""
        return self.activations(images, "logits")

    def probabilities(self, images: FloatArray) -> FloatArray:
        """Softmax of the logits: float32 [n, classes], each row sums to 1."""
        return softmax(self.logits(images))

    def predict(self, images: FloatArray) -> IntArray:
        """The class of the largest logit: int64 [n]."""
        classes: IntArray = np.argmax(self.logits(images), axis=1)
        return classes

    def activations(self, images: FloatArray, layer: str) -> FloatArray:
        """What `layer` puts out for images as of `logits`: float32 [n, …].

        Raises ValueError on images of another shape, type or range, and on an unknown layer.
        """
        check_images(images, self.spec.shape)
        compiled = self.compiled(f"activations/{layer}", lambda _: self._compile(layer))
        if not len(images):  # TensorFlow's fused convolution fails on an empty batch
            return np.zeros((0, *self.model.get_layer(layer).output.shape[1:]), np.float32)
        outputs: FloatArray = in_batches(compiled, images)
        return outputs

    def compiled(self, name: Hashable, build: Callable[[keras.Model], Any]) -> Any:
        """What `build` makes of the model, made once under `name` and dropped with this object.

        For the compiled functions of other modules, which must not outlive the model. The name
        says all that `build` follows beside the model.
        """
        if name not in self._compiled:
            self._compiled[name] = build(self.model)
        return self._compiled[name]

    def _compile(self, name: str) -> Any:
        if name not in self.layer_names:
            raise ValueError(
                f"There is no layer {name!r}: choose of {', '.join(self.layer_names)}."
            )
        model = keras.Model(self.model.inputs, self.model.get_layer(name).output)
        graph = compiled(lambda images: model(images, training=False), image_type(model))
        return graph.get_concrete_function()  # called for every single image: saves 0.2 ms each


_Known = tuple[type[Classifier], str, str, DatasetSpec]
_kept: dict[tuple[_Known, str], Classifier] = {}
_receiving = threading.Lock()


def _received(known: _Known, network: PlainNetwork) -> Classifier:
    """A pickled classifier in another process, which builds it when it first comes."""
    kind, version, name, spec = known
    key = known, network.digest
    with _receiving:
        classifier = _kept.pop(key, None)
        if classifier is None:
            classifier = kind.__new__(kind)
            Classifier.__init__(classifier, network.built(), name=name, version=version, spec=spec)
        _kept[key] = classifier  # the one that was asked for last stands at the end
        while len(_kept) > _MOST_KEPT:
            del _kept[next(iter(_kept))]
    return classifier


def image_type(model: keras.Model) -> tf.TensorSpec:
    """The type of the images that `model` takes, for the signature of a compiled function."""
    return tf.TensorSpec([None, *model.input_shape[1:]], tf.float32)


def in_batches(compiled: Callable[..., Any], *arrays: NDArray[Any], batch: int = BATCH) -> Any:
    """What a compiled function makes of arrays [n, …], `batch` rows at a time."""
    if not len(arrays[0]):  # convolutions of an empty batch fail: one row of zeros, and none of it
        one = (np.zeros((1, *each.shape[1:]), each.dtype) for each in arrays)
        return compiled(*map(tf.constant, one)).numpy()[:0]

    def run(start: int) -> Any:
        return compiled(*(tf.constant(each[start : start + batch]) for each in arrays)).numpy()

    starts = range(0, len(arrays[0]), batch)
    if len(starts) < 2:
        return run(0)
    return np.concatenate(list(_two_at_a_time.map(run, starts)))


def softmax(logits: FloatArray) -> FloatArray:
    """Probabilities along the last axis, computed without overflow."""
    powers = np.exp(logits - logits.max(axis=-1, keepdims=True))
    probabilities: FloatArray = powers / powers.sum(axis=-1, keepdims=True)
    return probabilities
