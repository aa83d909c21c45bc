"""What the report claims of its experiments, beside what is measured here."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from core.arrays import BoolArray, FloatArray, IntArray
from core.report.settings import E9
from core.statistics.paired import against, judge
from core.statistics.rate import Rate

if TYPE_CHECKING:
    from core.network.model import LayerInfo
    from core.optimization.engine import Trajectory

VERY_HIGH = 0.9  # what is taken for the report's “very high confidence”
CONVERGED = 0.01  # of the whole gain: what the last 20 iterations of a converged cost add at most


@dataclass(frozen=True)
class Claim:
    """What the report says, whether a measurement confirms it (None: only in part), and how."""

    words: str
    confirmed: bool | None
    measured: str


@dataclass(frozen=True)
class Comparison:
    """One line of E4: what the report says, what the model says, and why they differ."""

    what: str
    reported: int
    computed: int
    reason: str


def batch_normalization_verdict(plain: BoolArray, normalized: BoolArray) -> str:
    """E2's claim “a percent better”, in one sentence: which of the same images each reads right.

    bool [n] each. It is confirmed if a difference is shown and is half a point or more.
    """
    verdict = judge(normalized, plain)
    holds = verdict.winner > 0 and verdict.pair.difference >= 0.005
    gain = "" if verdict.shown else f" ({verdict.amount})"
    return (
        f"“A percent better” is {'confirmed' if holds else 'not confirmed'}: Model 2 is "
        f"{verdict.words()}{gain}."
    )


def compare_dimensions(rows: "list[LayerInfo]") -> list[Comparison]:
    """E4 on the layer table of Model 1: neurons and parameters, reported beside computed."""
    layer = {row.name: row for row in rows}
    weighted = [layer[name] for name in ("conv1", "conv2", "dense1", "logits")]
    return [
        Comparison(
            "Parameters of Conv1",
            320,
            layer["conv1"].parameters,
            "Equal: 32 kernels of 3 × 3 on one input channel, and 32 biases.",
        ),
        Comparison(
            "Parameters of Conv2",
            320,
            layer["conv2"].parameters,
            "The report forgets that each of the 32 kernels spans all 32 input channels: "
            "32 × 32 × 3 × 3 + 32.",
        ),
        Comparison(
            "Parameters of the hidden layer",
            784_500,
            layer["dense1"].parameters,
            "Equal: 1,568 × 500 weights and 500 biases.",
        ),
        Comparison(
            "Parameters of the output layer",
            5_010,
            layer["logits"].parameters,
            "Equal: 500 × 10 weights and 10 biases.",
        ),
        Comparison(
            "Parameters in all",
            790_150,
            sum(row.parameters for row in rows),
            "The difference is Conv2's: 9,248 − 320 = 8,928.",
        ),
        Comparison(
            "Neurons",
            2_654,
            sum(row.units for row in weighted),
            "A convolution has a unit for each pixel of each map: 25,088 + 6,272 + 500 + 10. The "
            "report's figure equals 64 × 9 + 1,568 + 500 + 10: the weights of 64 kernels in place "
            "of their maps, and the flattened maps on top.",
        ),
    ]


def noise_claims(
    trajectory: "Trajectory", classes: IntArray, second: FloatArray, second_name: str
) -> list[Claim]:
    """E7's three claims against images made for classes int [n].

    second float32 [n, 10]: what another network, called `second_name`, takes the last images for.
    """
    rows = np.arange(len(classes))
    confidence = trajectory.probabilities[-1, rows, classes]
    least = int(confidence.argmin())
    term, sign = ("logit", -1) if "logit" in trajectory.terms else ("cross-entropy", 1)
    steps = np.diff(sign * trajectory.terms[term], axis=0)
    rises = int((steps > 0).sum())
    agreed = second.argmax(axis=1) == classes
    five = np.flatnonzero(classes == 5)
    of_five = f", the 5 as {int(second[five[0]].argmax())}" if len(five) else ""
    return [
        Claim(
            "Very high confidence",
            bool(confidence.min() >= VERY_HIGH),
            f"the probability of the wanted class is {confidence.min():.3f} to "
            f"{confidence.max():.3f}, least for {classes[least]}; {VERY_HIGH:g} is taken as very "
            "high.",
        ),
        Claim(
            "The cost always falls",
            rises == 0,
            f"it rises in {rises:,} of {steps.size:,} recorded steps.",
        ),
        Claim(
            "Most look like the digit, 5 does not",
            None,
            "what a person sees is not measured. What is: "
            f"{second_name} reads {int(agreed.sum())} of {len(classes)} as their "
            f"class{of_five}.",
        ),
    ]


def source_claims(
    reached: int, images: FloatArray, from_noise: FloatArray, source: FloatArray
) -> list[Claim]:
    """E8's two claims: how many of images [n, 28, 28, 1] reached their target, and smoothness.

    from_noise [n, 28, 28, 1]: E7's images for the same classes; source [1, 28, 28, 1].
    """
    rough, rough_noise, rough_source = (
        float(total_variation(each).mean()) for each in (images, from_noise, source)
    )
    return [
        Claim(
            "Classified as the target",
            reached == len(images),
            f"{reached} of {len(images)} are.",
        ),
        Claim(
            "Smoother than E7",
            rough < rough_noise,
            f"the total variation is {rough:.0f} in the mean, that of E7’s images of the same "
            f"classes {rough_noise:.0f}, and of the source itself {rough_source:.0f}.",
        ),
    ]


def total_variation(images: FloatArray) -> FloatArray:
    """The sum of |differences| between neighboring pixels of images [n, 28, 28, 1]: float [n]."""
    rows, columns = (np.abs(np.diff(images, axis=axis)).sum(axis=(1, 2, 3)) for axis in (1, 2))
    variation: FloatArray = rows + columns
    return variation


def carried_claim(misclassified: Mapping[int, Rate]) -> Claim:
    """E9's claim against the noise of each target: rates of other classes' images misread.

    It is confirmed if with every noise more than half of them are shown to be misread.
    """
    measured = [
        f"toward {target}: {rate.value * 100:.1f} % [{rate.interval[0] * 100:.1f}, "
        f"{rate.interval[1] * 100:.1f}], {rate.successes:,} of {rate.total:,}"
        for target, rate in misclassified.items()
    ]
    confirmed = all(against(rate, 0.5) > 0 for rate in misclassified.values())
    return Claim(E9.reported, confirmed, f"misread are, {'; '.join(measured)}.")


@dataclass(frozen=True)
class Likeness:
    """How class images compare to the test images.

    of_class: the most similar test image is of the class; cosine: with it, in the median;
    real_cosine: of test images with their most similar others. second_reads: those that another
    network reads as their class.
    """

    of_class: int
    cosine: float
    real_cosine: float
    second_reads: int
    second_name: str


def class_image_claims(
    images: FloatArray, rough_real: FloatArray, late_gains: FloatArray, likeness: Likeness
) -> list[Claim]:
    """E10's three claims: made images [n, 28, 28, 1] beside test images, late_gains [n].

    rough_real [m]: the total variation of each test image. late_gains: shares of the whole gain,
    NaN where there is none. Jittery is more total variation than 97.5 % of the test images have.
    """
    rough = total_variation(images)
    count, typical = len(images), float(np.median(rough))
    converged = int((np.abs(late_gains) < CONVERGED).sum())
    gained = late_gains[np.isfinite(late_gains)]
    late = f", at most {np.abs(gained).max() * 100:.1f} %" if len(gained) else ""
    none = f"; {count - len(gained)} gain nothing at all" if len(gained) < count else ""
    return [
        Claim(
            "Images close to digits",
            None,
            "what a person sees is not measured. What is: the most similar of "
            f"{len(rough_real):,} test images is of the class for {likeness.of_class} of {count} "
            f"(cosine {likeness.cosine:.2f} in the median; of test images with each other "
            f"{likeness.real_cosine:.2f}), and {likeness.second_name} reads "
            f"{likeness.second_reads} of {count} as their class.",
        ),
        Claim(
            "Jittery",
            typical > float(np.quantile(rough_real, 0.975)),
            f"the total variation is {typical:.0f} in the median, that of test images "
            f"{float(np.median(rough_real)):.0f}, 97.5 % of them below "
            f"{float(np.quantile(rough_real, 0.975)):.0f}.",
        ),
        Claim(
            "The cost converges",
            converged == count,
            f"for {converged} of {count} the last 20 iterations bring less than "
            f"{CONVERGED * 100:.0f} % of the whole gain{late}{none}.",
        ),
    ]


def channel_claim(change: FloatArray, shuffled: FloatArray) -> Claim:
    """E11's claim for one image: how its way changed the ten logits [10].

    shuffled [draws, 10]: the same change for images of the same pixels in random order. It is
    confirmed if a logit changes by 1 or more, which multiplies the odds by e.
    """
    up, down = int(change.argmax()), int(change.argmin())
    moved = [
        f"logit {label} {word} by {abs(float(change[label])):.1f}"
        for label, word, sign in ((up, "rises", 1), (down, "falls", -1))
        if sign * change[label] > 0
    ]
    control = float(np.abs(shuffled.mean(axis=0)).max())
    return Claim(
        "Changes the class logits up or down as iterations go",
        float(np.abs(change).max()) >= 1,
        f"{' and '.join(moved) or 'no logit changes'}; {int((change > 0).sum())} of "
        f"{len(change)} rise. The same pixels shuffled change a logit by {control:.1f} at most, in "
        f"the mean of {len(shuffled)} draws.",
    )
