"""Maps and their controls over many images: who tells more of the truth than whom."""

import itertools
from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from core.arrays import FloatArray, IntArray
from core.inspection.fidelity import CONTROLS, IMAGE_ITSELF, RANDOM_MAP, fidelity, random_map
from core.network.classifier import Classifier
from core.statistics.averages import Mean
from core.statistics.paired import LEVEL, holm
from core.studies.study import Study, in_chunks
from core.work.chunks import HERE, AnyWorkers, work_on

_CHUNK = 10  # images

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


@dataclass(frozen=True, eq=False)
class Areas:
    """By name of a map or control, float32 [2, n]: areas of deletion and insertion."""

    of: Mapping[str, FloatArray]

    def __len__(self) -> int:
        """Of how many images they are."""
        return int(next(iter(self.of.values())).shape[1])


@dataclass(eq=False)
class FidelityStudy(Study[Areas]):
    """Areas of every map and of both controls over many images; grows while `work` goes on."""

    total: int

    @property
    def areas(self) -> Mapping[str, FloatArray]:
        """By name, float32 [2, count] of deletion and insertion; none before the first images."""
        return self.found.of if self.count else {}

    def scores(self) -> list[MapScore]:
        """Over the images measured so far, the best first; none before the first."""
        scores = [
            MapScore(name, deletion, insertion)
            for name, (deletion, insertion) in self.areas.items()
        ]
        return sorted(scores, key=lambda each: -each.score.value)

    def work(
        self,
        classifier: Classifier,
        images: FloatArray,
        maps: Mapping[str, MapOf],
        *,
        workers: AnyWorkers = HERE,
    ) -> Generator[float]:
        """Measure images [total, h, w, c], each for its predicted class; yields the share done.

        The rank over all images is taken of what is measured: it needs no chunk of its own.
        """
        parts = in_chunks(len(images), _CHUNK, areas, lambda rows: (classifier, images[rows], maps))
        yield from work_on(parts, self, workers)

    def _with(self, part: Areas) -> Areas:
        """As of every study."""
        if not self.count:
            return part
        return Areas(
            {
                name: np.concatenate([before, part.of[name]], axis=1)
                for name, before in self.areas.items()
            }
        )


def areas(classifier: Classifier, images: FloatArray, maps: Mapping[str, MapOf]) -> Areas:
    """Of each map and control of images float32 [n, h, w, c], for their predicted classes."""
    classes = classifier.predict(images)
    found = {}
    for name, map_of in _with_controls(maps).items():
        curves = fidelity(classifier, images, classes, map_of(classifier, images, classes))
        found[name] = np.stack([curves.deletion_area, curves.insertion_area])
    return Areas(found)


def _with_controls(maps: Mapping[str, MapOf]) -> dict[str, MapOf]:
    return {
        **maps,
        IMAGE_ITSELF: lambda _, images, __: images.mean(axis=-1),
        RANDOM_MAP: lambda _, images, __: random_map(images),
    }
