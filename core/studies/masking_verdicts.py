"""What the evidence of a masking check says: silent, an alarm, or not clear, by a stated rule."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from core.arrays import BoolArray, FloatArray
from core.statistics.paired import against, judge
from core.statistics.rate import Rate

SILENT, ALARM, UNCLEAR = "silent", "alarm", "not clear"
_GAP, _HALF = 0.10, 0.5
_POINT = 0.01
_HEALED = 0.05
_STATES = {1: ALARM, 0: UNCLEAR, -1: SILENT}


@dataclass(frozen=True, eq=False)
class Finding:
    """One check: its state, the verdict in words, the rule behind it, and what it was read from.

    rates: by name, with their counts. line: x, and for each the accuracy there. values float32
    [n]: one for each image, where the check measures one.
    """

    key: str
    title: str
    state: str
    verdict: str
    criterion: str
    rates: Mapping[str, Rate]
    line: tuple[tuple[float, ...], tuple[Rate, ...]] | None = None
    axis: str = ""
    values: FloatArray | None = field(default=None, repr=False)


def conclusion(left: Rate | None, findings: Sequence[Finding], planned: int) -> tuple[str, str]:
    """What all findings say together: a state, and a sentence that begins with what stands.

    left: images that none of the checks' attacks breaks, None before the first. A silent check says
    that no gradient is hidden, not that anything is robust: SILENT is only what stands as well.
    """
    alarms, unclear = (sum(each.state == state for each in findings) for state in (ALARM, UNCLEAR))
    of = f"{len(findings)} checks" if len(findings) > 1 else "1 check"
    said = f"no alarm in {of}"
    if alarms:
        fire = "fires" if alarms == 1 else "fire"
        said = f"{alarms} of {of} {fire}: do not trust what a gradient attack says of it"
    elif unclear:
        said = f"{said}, {unclear} {'is' if unclear == 1 else 'are'} not clear"
    if left is None:
        return ALARM if alarms else UNCLEAR, f"Not attacked yet; {said}"
    silent = not alarms and not unclear and len(findings) == planned
    holds = against(left, _HALF)
    few = "too few images to tell whether most stand"
    robust = {-1: "not robust", 0: few, 1: "most stand"}[holds]
    masked = f"not masked, and {robust}" if silent else robust
    state = ALARM if alarms or holds < 0 else SILENT if silent and holds > 0 else UNCLEAR
    return state, (
        f"{masked[0].upper()}{masked[1:]}: {left.successes:,} of {left.total:,} stand under the "
        f"strongest attack of the checks; {said}"
    )


def compared(
    key: str, title: str, weak_name: str, weak: BoolArray, strong_name: str, strong: BoolArray
) -> Finding:
    """Two attacks on the same images: the one that should be weaker must not break more.

    weak and strong bool [n]: which images each breaks.
    """
    only_weak, only_strong = Rate.of(weak & ~strong), Rate.of(strong & ~weak)
    verdict = judge(weak, strong)
    if not only_weak.successes:
        state, words = SILENT, "no image is broken by the weaker attack alone"
    elif not verdict.shown:
        state, words = UNCLEAR, f"too few to tell from chance, {verdict.p_words}"
    elif verdict.winner > 0:
        state, words = ALARM, f"the attack that should be weaker is the stronger, {verdict.p_words}"
    else:
        state, words = SILENT, f"the attack that should be stronger is, {verdict.p_words}"
    said = (
        f"Only {weak_name} breaks {_count(only_weak)}, only {strong_name} "
        f"{only_strong.successes:,}: {words}."
    )
    criterion = (
        "Alarm: more images fall to the weaker attack alone than to the stronger alone, and "
        "McNemar’s exact test on those images has p < 0.05. Else, if any fall to it alone: not "
        "clear."
    )
    rates = {
        f"broken by {weak_name}": Rate.of(weak),
        f"broken by {strong_name}": Rate.of(strong),
        f"only by {weak_name}": only_weak,
        f"only by {strong_name}": only_strong,
    }
    return Finding(key, title, state, said, criterion, rates)


def gap(one: BoolArray, many: BoolArray, iterations: int) -> Finding:
    """Catastrophic overfitting: most images stand after one step, and fall after many.

    Wong, Rice and Kolter (2020), arXiv:2001.03994.
    """
    after_one, after_many = Rate.of(~one), Rate.of(~many)
    verdict, most = judge(~one, ~many), against(after_one, _HALF)
    wide = verdict.pair.difference > _GAP and verdict.shown
    if wide and most > 0:
        state, words = ALARM, "it looks robust to one step, and is not to many"
    elif wide and most == 0:
        state, words = UNCLEAR, "too few to tell whether most stand after one step"
    elif wide:
        state, words = SILENT, "one step breaks most as well, so that nothing looks robust"
    else:
        state, words = SILENT, "no difference of more than ten points is shown"
    points = 100 * (after_one.value - after_many.value)
    return Finding(
        "gap", "Robust to one step only", state,
        f"{_percent(after_one)} stand after one step, {_percent(after_many)} after {iterations} "
        f"({_signed(points)} points): {words}.",
        "Alarm: more than half stand after one step (exact binomial test, p < 0.05), more than 10 "
        "points above those that stand after many (McNemar’s exact test, p < 0.05).",
        {"stand after one step (FGSM)": after_one, f"stand after {iterations} (PGD)": after_many},
    )  # fmt: skip


def not_monotone(radii: Sequence[float], broken: BoolArray) -> Finding:
    """Each radius attacked on its own, broken bool [radii, n]: an image must not recover."""
    before = np.logical_or.accumulate(broken, axis=0)[:-1]
    recovered = Rate.of(np.any(before & ~broken[1:], axis=0))
    state = _STATES[against(recovered, _HEALED)]
    line = (tuple(radii), tuple(Rate.of(~each) for each in broken))
    return Finding(
        "monotone", "Success falls as ε grows", state,
        f"{_count(recovered)} broken at some ε stand at a larger one: "
        + {ALARM: "a larger ball holds all of the smaller, so the attack is lost in it",
           UNCLEAR: "not told from an attack’s luck",
           SILENT: "no more than an attack’s luck"}[state] + ".",
        "Each ε is attacked on its own. Alarm: more than 5 % of the images recover (exact binomial "
        "test, p < 0.05); silent: fewer (the same).",
        {"recover at a larger ε": recovered}, line, "ε, L∞",
    )  # fmt: skip


def reaches_zero(radius: float, broken: BoolArray, most: int) -> Finding:
    """At ε = 0.5 every image can be made the same gray: at most one class can stand.

    most: the images of the commonest class.
    """
    standing, bound = Rate.of(~broken), Rate(most, len(broken))
    if standing.successes <= most:
        asked = not standing.successes or most < len(broken)  # else all of one class may stand
        state = SILENT if asked else UNCLEAR
        words = f"no more than one class can hold ({most:,} of {len(broken):,})"
    elif against(standing, bound.value) == 0:
        state, words = UNCLEAR, "above what can stand, but so few may be an attack’s luck"
    else:
        state, words = ALARM, "the attack provably misses images"
    return Finding(
        "large", f"ε = {radius:g} does not reach zero", state,
        f"{_percent(standing)} stand at ε = {radius:g}: {words}.",
        f"At ε = 0.5 every image can be turned into the same gray, so that at most one class can "
        f"stand, here {most:,} images. Alarm: more stand than this share (exact binomial test, "
        "p < 0.05).",
        {f"stand at ε = {radius:g}": standing, "at most can stand": bound},
    )  # fmt: skip


def none_of(key: str, title: str, rates: Mapping[str, Rate], what: str) -> Finding:
    """The first rate must be 0."""
    rate = next(iter(rates.values()))
    state = SILENT if not rate.successes else ALARM if against(rate, _POINT) > 0 else UNCLEAR
    return Finding(
        key, title, state,
        f"On {_count(rate)} {what}.",
        "Alarm: more than 1 % (exact binomial test, p < 0.05); silent: none at all.",
        rates,
    )  # fmt: skip


def share_below(
    key: str,
    title: str,
    rates: Mapping[str, Rate],
    limit: float,
    what: str,
    *,
    values: FloatArray | None = None,
) -> Finding:
    """The first rate must be above `limit`; values float32 [n] are shown beside it."""
    rate = next(iter(rates.values()))
    state = _STATES[-against(rate, limit)]
    return Finding(
        key, title, state,
        f"On {_count(rate)} {what}.",
        f"Alarm: fewer than {100 * limit:g} % (exact binomial test, p < 0.05); silent: more.",
        rates, values=values,
    )  # fmt: skip


def more_still_helps(
    key: str, title: str, axis: str, effort: Sequence[int], broken: BoolArray
) -> Finding:
    """The last effort must break hardly more than the one before: broken bool [efforts, n]."""
    gained, verdict = Rate.of(broken[-1] & ~broken[-2]), judge(broken[-1], broken[-2])
    if gained.successes <= _POINT * gained.total:
        state = SILENT
    elif against(gained, _POINT) > 0 and verdict.winner > 0:
        state = ALARM
    else:
        state = UNCLEAR
    line = (tuple(map(float, effort)), tuple(Rate.of(~each) for each in broken))
    return Finding(
        key, title, state,
        f"{_count(gained)} fall to {effort[-1]} {axis} and not to {effort[-2]}: "
        + {ALARM: "the attack has not ended, and the figure is too high",
           UNCLEAR: "not told from luck",
           SILENT: "doubling the effort changes nothing that counts"}[state] + ".",
        "Alarm: doubling breaks more than 1 % of the images (exact binomial test, p < 0.05), and "
        "more than it loses (McNemar’s exact test, p < 0.05); silent: at most 1 % of those "
        "counted.",
        {"gained by doubling": gained}, line, axis,
    )  # fmt: skip


def _count(rate: Rate) -> str:
    return f"{rate.successes:,} of {rate.total:,} images"


def _percent(rate: Rate) -> str:
    return f"{100 * rate.value:.1f} %"


def _signed(points: float) -> str:
    return f"{'−' if points < 0 else '+'}{abs(points):.1f}"
