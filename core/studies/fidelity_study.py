"""Maps and their controls over many images: who tells more of the truth than whom."""

import itertools
from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from core.arrays import FloatArray, IntArray
from core.inspection.fidelity import CONTROLS, IMAGE_ITSELF, RANDOM_MAP, fidelity, random_map
from core.network.classifier import Classifier
from core.statistics.averages import Mean
from core.statistics.paired import LEVEL, holm
from core.studies.study import chunks

_CHUNK = 10  # images between two reports

MapOf = Callable[[Classifier, FloatArray, IntArray], FloatArray]


@dataclass(frozen=True, eq=False)
class MapScore:
    """What a study says of one map or control: areas float32 [n], one for each of the images."""

    name: str
    deletion_areas: FloatArray
    insertion_areas: FloatArray

    @property
    def deletion(self) -> Mean:
        """The mean area of deletion."""
        return Mean.of(self.deletion_areas)

    @property
    def insertion(self) -> Mean:
        """The mean area of insertion."""
        return Mean.of(self.insertion_areas)

    @property
    def score(self) -> Mean:
        """The mean of insertion minus deletion."""
        return Mean.of(self.scores)

    @property
    def scores(self) -> FloatArray:
        """Insertion minus deletion, float32 [n]."""
        return self.insertion_areas - self.deletion_areas

    @property
    def is_control(self) -> bool:
        """Whether it explains nothing, and is there to be beaten."""
        return self.name in CONTROLS


@dataclass(frozen=True)
class Ranking:
    """Who scores above whom, of maps measured on the same images: pairs (above, below) of names.

    A pair is shown by its mean difference, image by image, in a t-test at p < 0.05; all pairs are
    one family, corrected by Holm. family: how many they are.
    """

    above: frozenset[tuple[str, str]]
    family: int

    @classmethod
    def of(cls, scores: Sequence[MapScore]) -> "Ranking":
        """Of maps with the same images in the same order."""
        pairs = {
            (first.name, second.name): Mean.of(first.scores - second.scores)
            for first, second in itertools.combinations(scores, 2)
        }
        corrected = holm([mean.p_value for mean in pairs.values()])
        shown = [
            (first, second) if mean.value > 0 else (second, first)
            for ((first, second), mean), p_value in zip(pairs.items(), corrected, strict=True)
            if p_value < LEVEL
        ]
        return cls(frozenset(shown), len(pairs))

    def beats(self, first: str, second: str) -> bool:
        """Whether the first is shown to score above the second."""
        return (first, second) in self.above

    def rank(self, name: str) -> int:
        """1 + how many are shown to score above: those that no pair tells apart may tie."""
        return 1 + sum(below == name for _, below in self.above)


@dataclass(eq=False)
class FidelityStudy:
    """Areas of every map and of both controls over many images; grows while `work` goes on.

    areas: by name, float32 [2, count] of deletion and insertion, replaced as a whole.
    """

    total: int
    areas: Mapping[str, FloatArray] = field(default_factory=dict)

    @property
    def count(self) -> int:
        """How many images every map has been measured on."""
        return max((each.shape[1] for each in self.areas.values()), default=0)

    def scores(self) -> list[MapScore]:
        """Over the images measured so far, the best first; none before the first."""
        scores = [
            MapScore(name, deletion, insertion)
            for name, (deletion, insertion) in self.areas.items()
        ]
        return sorted(scores, key=lambda each: -each.score.value)

    def work(
        self, classifier: Classifier, images: FloatArray, maps: Mapping[str, MapOf]
    ) -> Generator[float]:
        """Measure images [total, h, w, c], each for its predicted class; yields the share done.

        For core.jobs: each step is ten images and one map.
        """
        parts = list(chunks(len(images), _CHUNK))
        for done, rows in enumerate(parts):
            part = images[rows]
            classes = classifier.predict(part)
            measured = _with_controls(maps)
            areas = {}
            for number, (name, map_of) in enumerate(measured.items()):
                values = map_of(classifier, part, classes)
                curves = fidelity(classifier, part, classes, values)
                both = np.stack([curves.deletion_area, curves.insertion_area])
                areas[name] = np.concatenate([*self._so_far(name), both], axis=1)
                if number + 1 == len(measured):
                    self.areas = areas
                yield (done + (number + 1) / len(measured)) / len(parts)

    def _so_far(self, name: str) -> list[FloatArray]:
        return [self.areas[name]] if name in self.areas else []


def _with_controls(maps: Mapping[str, MapOf]) -> dict[str, MapOf]:
    return {
        **maps,
        IMAGE_ITSELF: lambda _, images, __: images.mean(axis=-1),
        RANDOM_MAP: lambda _, images, __: random_map(images),
    }
