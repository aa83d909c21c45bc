"""A classifier with a defense in front of it, which is a classifier itself."""

import functools
import hashlib
import json
from collections.abc import Sequence
from typing import Any, Protocol

from core.arrays import FloatArray, Tensor, check_images
from core.backend import keras, tf
from core.checks import check_choice, check_seed, check_whole
from core.data.spec import DatasetSpec
from core.defenses.filters import (
    AVERAGED,
    EXACT,
    STAND_INS,
    STRAIGHT_THROUGH,
    Mode,
    check_trained_on,
    filter_of,
)
from core.defenses.purification import PREFIXES, purifier_of
from core.keyed_noise import other_seed
from core.network.classifier import BATCH, Classifier, in_batches

ATTACKER_DRAWS = 8  # over which an attacker averages who does not know a random defense's seed
MAX_PARTS, MAX_DRAWS = 4, 256


class Part(Protocol):
    """What can stand in front of a network: a filter, or something that was trained."""

    @property
    def key(self) -> str:
        """Itself in links, names of layers and digests, such as blur-1."""

    @property
    def title(self) -> str:
        """Itself on screen."""

    @property
    def looks(self) -> float:
        """What an image through it costs, in images through Model 1."""

    @property
    def identity(self) -> str:
        """All that its answers follow from; its key, if nothing was trained."""

    @property
    def gradient(self) -> str:
        """EXACT, STRAIGHT_THROUGH or AVERAGED."""

    @property
    def trained_on(self) -> DatasetSpec | None:
        """The one data set whose images it takes; None if any."""

    def layer(self, mode: Mode) -> keras.Layer:
        """A new layer from images to images of the same shape, in [0, 1]."""


Defense = Sequence[Part]


class DefendedClassifier(Classifier):
    """The network `bare` behind the parts of a defense, one after the other.

    Every map, attack and score works on it: an attack made on it is adaptive, one made on `bare`
    and scored here is static. A random part draws once for an image, keyed by `seed`; an attacker
    who does not know the seed attacks `with_seed(another, draws=ATTACKER_DRAWS)`, which answers
    with the mean of the logits over so many draws, and whose gradient is the mean's. stand_in: the
    gradient that a part without one passes back; the values going forward do not depend on it.
    It is pickled as the network and the text of the defense.
    """

    def __init__(
        self,
        bare: Classifier,
        defense: Defense,
        *,
        stand_in: str = "identity",
        draws: int = 1,
        seed: int = 0,
    ) -> None:
        check_choice("The stand-in", stand_in, STAND_INS)
        check_whole("The number of parts of a defense", len(defense), 1, MAX_PARTS)
        draws = check_whole("The number of draws", draws, 1, MAX_DRAWS)
        seed = check_seed(seed)
        for part in defense:
            check_trained_on(part.trained_on, part.title, bare.spec)
        self._bare, self.defense, self.stand_in = bare, tuple(defense), stand_in
        self.random = any(part.gradient == AVERAGED for part in defense)
        self.draws, self.seed = draws if self.random else 1, seed
        super().__init__(
            _joined(bare.model, self.defense, stand_in, self.draws, seed),
            name=f"{bare.name}, {title_of(defense)}",
            version=_version(bare, self.defense, stand_in, self.draws, seed),
            spec=bare.spec,
        )

    def __reduce__(self) -> tuple[Any, ...]:
        """What it is pickled as."""
        settings = self.stand_in, self.draws, self.seed
        return _received, (self.bare, key_of(self.defense), settings, self.version)

    @property
    def bare(self) -> Classifier:
        """The network without the defense."""
        return self._bare

    @property
    def looks(self) -> float:
        """What an image costs, in images through Model 1: the network and each part, every draw."""
        return self.draws * (self.bare.looks + sum(part.looks for part in self.defense))

    def purified(self, images: FloatArray) -> FloatArray:
        """What the network gets for images, of each the first draw."""
        return self.activations(images, self._last_part)

    def activations(self, images: FloatArray, layer: str) -> FloatArray:
        """As of `Classifier`; of a random defense those of an image's first draw."""
        outputs, names = self._outputs(images, layer), self.layer_names
        repeated = names[names.index("draws") : -1] if self.draws > 1 else []
        return outputs[:: self.draws] if layer in repeated else outputs

    def with_stand_in(self, stand_in: str) -> "DefendedClassifier":
        """The same defense with another gradient."""
        return DefendedClassifier(
            self.bare, self.defense, stand_in=stand_in, draws=self.draws, seed=self.seed
        )

    def with_seed(self, seed: int, *, draws: int | None = None) -> "DefendedClassifier":
        """The same defense with other draws, or another number of them."""
        seed = check_seed(seed)
        draws = self.draws if draws is None else draws
        return DefendedClassifier(
            self.bare, self.defense, stand_in=self.stand_in, draws=draws, seed=seed
        )

    @property
    def straight_through(self) -> bool:
        """Whether a part passes a gradient that is not its own."""
        return any(part.gradient == STRAIGHT_THROUGH for part in self.defense)

    @property
    def _last_part(self) -> str:
        return _layer_names(self.defense)[-1]

    def _outputs(self, images: FloatArray, layer: str) -> FloatArray:
        check_images(images, self.spec.shape)
        if self.draws == 1 or not len(images):
            return super().activations(images, layer)
        compiled = self.compiled(f"activations/{layer}", lambda _: self._compile(layer))
        outputs: FloatArray = in_batches(compiled, images, batch=max(1, BATCH // self.draws))
        return outputs


@functools.lru_cache(maxsize=16)
def _received(
    bare: Classifier, key: str, settings: tuple[str, int, int], version: str
) -> DefendedClassifier:
    """A pickled one in another process, which joins network and defense when it first comes.

    Raises ValueError if a part was trained, and is another here.
    """
    stand_in, draws, seed = settings
    defended = DefendedClassifier(bare, defense_of(key), stand_in=stand_in, draws=draws, seed=seed)
    if defended.version != version:
        raise ValueError(
            f"The defense {title_of(defended.defense)} is another one on this machine: install the "
            "same version of the dashboard on all."
        )
    return defended


def _version(bare: Classifier, defense: Defense, *settings: object) -> str:
    """A digest of the network, of each part, and of what they are run with."""
    every = [bare.version, *(part.identity for part in defense), *settings]
    return hashlib.sha256(json.dumps(every).encode()).hexdigest()[:16]


def key_of(defense: Defense) -> str:
    """A defense in links, such as blur-1+threshold-0.5."""
    return "+".join(part.key for part in defense)


def title_of(defense: Defense) -> str:
    """A defense on screen, such as Gaussian blur 1 + Threshold 0.5."""
    return " + ".join(part.title for part in defense)


def gradient_of(defense: Defense) -> str:
    """The gradient of the whole chain: of what kinds its parts' gradients are."""
    kinds = {part.gradient for part in defense}
    found = [kind for kind in (STRAIGHT_THROUGH, AVERAGED) if kind in kinds]
    return ", ".join(found) or EXACT


def defense_of(key: str) -> tuple[Part, ...]:
    """The defense that `key_of` names. Raises ValueError with one sentence on another text."""
    keys = key.split("+")
    check_whole("The number of parts of a defense", len(keys), 1, MAX_PARTS)
    return tuple(part_of(each) for each in keys)


def part_of(key: str) -> Part:
    """The part that a key names. Raises ValueError with one sentence on another text."""
    return purifier_of(key) if key.startswith(PREFIXES) else filter_of(key)


class _Repeated(keras.layers.Layer):  # type: ignore[misc]
    """Each image `draws` times in a row."""

    def __init__(self, draws: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._draws = draws

    def call(self, images: Tensor) -> Tensor:
        """[n, …] → [n · draws, …]."""
        return tf.repeat(images, self._draws, axis=0)

    def compute_output_shape(self, input_shape: Any) -> Any:
        """The number of images is unknown before and behind."""
        return input_shape


class _Averaged(keras.layers.Layer):  # type: ignore[misc]
    """The mean of `draws` rows."""

    def __init__(self, draws: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._draws = draws

    def call(self, logits: Tensor) -> Tensor:
        """[n · draws, classes] → [n, classes]."""
        return tf.reduce_mean(tf.reshape(logits, [-1, self._draws, logits.shape[1]]), axis=1)

    def compute_output_shape(self, input_shape: Any) -> Any:
        """The number of images is unknown before and behind."""
        return input_shape


def _layer_names(defense: Defense) -> list[str]:
    keys = [part.key for part in defense]
    return [
        f"{key}-{keys[:at].count(key) + 1}" if key in keys[:at] else key
        for at, key in enumerate(keys)
    ]


def _joined(
    model: keras.Model, defense: Defense, stand_in: str, draws: int, seed: int
) -> keras.Model:
    """The defense's layers, copies of the network's, and the mean over draws, as one model."""
    x = inputs = keras.Input(model.input_shape[1:], name="image")
    repeated = draws == 1
    for number, (part, name) in enumerate(zip(defense, _layer_names(defense), strict=True)):
        if part.gradient == AVERAGED and not repeated:
            x, repeated = _Repeated(draws, name="draws")(x), True
        layer = part.layer(Mode(stand_in, other_seed(seed, "part", number), draws))
        layer.name = name
        x = layer(x)
    for layer in model.layers[1:]:
        copy = type(layer).from_config(layer.get_config())
        if draws > 1 and layer.name == "logits":
            copy.name = "logits_of_draws"
        x = copy(x)
        copy.set_weights(layer.get_weights())
    if draws > 1:
        x = _Averaged(draws, name="logits")(x)
    return keras.Model(inputs, x)
