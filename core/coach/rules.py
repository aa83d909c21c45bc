"""The coach: rules that look at settings and at what came out, and say one sentence with a fix.

A rule is a function of a `Situation` (core/coach/situation.py); it keeps silent (None) where it
does not apply or where what it needs is not known.
"""

import math
from collections.abc import Callable

import numpy as np

from core.catalog import Value
from core.coach.situation import Advice, Situation

_SURE = 0.99995  # is written as a probability of 1.0000
_STEPPING = ("PGD", "BIM", "Momentum")
_USUAL_EPSILON = {"linf": 0.3, "l2": 2.0}
_MAX_ITERATIONS = 2_000
_WIDE = 0.2  # of a 95 % interval
_GROWN = 0.02  # ink of a pixel that has been more than nothing
INK_MEAN, INK_HIGH = 103.9, 163.7  # the sum of a test image's pixels: mean and 95th percentile


def advise(situation: Situation) -> list[Advice]:
    """What the rules have to say, the most important first."""
    return [advice for rule in RULES if (advice := rule(situation)) is not None]


def nothing_may_change(now: Situation) -> Advice | None:
    """A ball of radius 0."""
    if now.number("epsilon") != 0:
        return None
    return Advice(
        "nothing may change",
        "ε is 0: no pixel may change.",
        "The ball of radius 0 holds the image and nothing else.",
        {"epsilon": _USUAL_EPSILON[str(now.settings.get("norm", "linf"))]},
    )


def target_is_there(now: Situation) -> Advice | None:
    """The class that is asked for is what the network says already."""
    if now.goal is None or now.read != now.goal:
        return None
    return Advice(
        "target is there",
        f"The image is read as {now.goal} already: there is nothing to attack.",
        "Only images that were not read as the target can be counted as a success.",
        {"target": (now.goal + 1) % now.classes},
    )


def misread_before(now: Situation) -> Advice | None:
    """Untargeted, on an image that the network misreads without any attack."""
    if now.goal is not None or now.true is None or now.read in (None, now.true):
        return None
    return Advice(
        "misread before",
        f"This {now.true} is read as {now.read} without any attack: its success does not count.",
        "An untargeted attack has nothing to do here; a target gives it something.",
        {"goal": "Targeted"},
    )


def cannot_reach_the_edge(now: Situation) -> Advice | None:
    """Step size × iterations below ε."""
    size, count, epsilon = (now.number(n) for n in ("step_size", "iterations", "epsilon"))
    if now.attack not in _STEPPING or not size * count < epsilon - 1e-9:
        return None
    return Advice(
        "cannot reach the edge",
        "Step size × iterations < ε: the edge of the ball cannot be reached.",
        f"{count:.0f} steps of {size:g} go {size * count:g} far at most, and ε is {epsilon:g}.",
        {"step_size": round(2.5 * epsilon / count, 3)},
    )


def steps_across_the_ball(now: Situation) -> Advice | None:
    """Many steps, each as long as the ball's radius or longer."""
    size, count, epsilon = (now.number(n) for n in ("step_size", "iterations", "epsilon"))
    if now.attack not in _STEPPING or not (size >= epsilon > 0 and count > 1):
        return None
    return Advice(
        "steps across the ball",
        "A step is as long as the ball's radius: the attack leaps from edge to edge.",
        f"Steps of {size:g} in a ball of radius {epsilon:g} are {count:.0f} single steps, not one "
        "way.",
        {"step_size": round(epsilon / 4, 3)},
    )


def gray_is_inside(now: Situation) -> Advice | None:
    """An L∞ ball that holds a plain gray image."""
    if now.settings.get("norm") != "linf" or not now.number("epsilon") >= 0.5:
        return None
    return Advice(
        "gray is inside",
        "With ε of 0.5 or more every image can be turned into plain gray.",
        "A person could not read that either: a success at this ε says little of the network.",
        {"epsilon": 0.3},
    )


def gradient_has_vanished(now: Situation) -> Advice | None:
    """Cross-entropy toward a class whose probability is 1."""
    if now.settings.get("objective") != "cross-entropy" or now.goal is None:
        return None
    course = now.probabilities[:, now.goal]
    if not len(course) or course[-1] < _SURE:
        return None
    return Advice(
        "gradient has vanished",
        "The probability is 1.0000 and its gradient has vanished: maximize the logit.",
        "The gradient of −log p has the factor 1 − p, and that is nearly 0 here.",
        {"objective": "logit"},
    )


def larger_than_real(now: Situation) -> Advice | None:
    """A change that is larger than the way to a real image of the target."""
    fix = _smaller(now)
    if now.nearest_real is None or not now.change > now.nearest_real or not fix:
        return None
    return Advice(
        "larger than real",
        "This change is larger than the distance to a real image of the target.",
        f"L2 {now.change:.2f}; the nearest real {now.goal} is {now.nearest_real:.2f} away.",
        fix,
    )


def _smaller(now: Situation) -> dict[str, Value]:
    """What makes the change smaller; nothing of an attack that looks for the smallest itself."""
    if "epsilon" in now.settings:
        return {"epsilon": round(now.number("epsilon") / 2, 3)}
    if "beta" in now.settings:
        return {"beta": max(0.1, 10 * now.number("beta"))}
    if "theta" in now.settings:
        return {"pixels": max(2, int(now.number("pixels") / 2))}
    return {}


def still_rising(now: Situation) -> Advice | None:
    """Not there yet, and the logit has risen to the end."""
    course, count = now.course, now.number("iterations")
    if now.reached is not False or len(course) < 10 or not count < _MAX_ITERATIONS:
        return None
    tail = course[-max(2, len(course) // 10) :]
    if not tail[-1] - tail[0] > 0.02 * (course.max() - course.min()):
        return None
    return Advice(
        "still rising",
        "Not there yet, and still on the way: go on for twice as many iterations.",
        f"The last tenth of the iterations has moved the logit by {tail[-1] - tail[0]:.2f}.",
        {"iterations": min(_MAX_ITERATIONS, int(2 * count))},
    )


def long_done(now: Situation) -> Advice | None:
    """The last half of the iterations has changed next to nothing."""
    course, count = now.course, now.number("iterations")
    if not now.reached or len(course) < 20 or not count >= 40:
        return None
    rise = course.max() - course.min()
    done = np.flatnonzero(np.abs(course - course[-1]) > 0.01 * rise)
    share = (int(done[-1]) + 2) / len(course) if len(done) else 1.0
    if share > 0.5:
        return None
    return Advice(
        "long done",
        f"Nothing has changed since iteration {share * count:.0f}: fewer iterations do.",
        "Since then the logit has moved by less than 1 % of its rise.",
        {"iterations": max(10, 10 * math.ceil(share * count / 10))},
    )


def leaps(now: Situation) -> Advice | None:
    """A logit that falls about as often as it rises."""
    course, rate = now.course, now.number("learning_rate")
    if len(course) < 20 or not rate > 0:
        return None
    falls = float((np.diff(course[len(course) // 4 :]) < 0).mean())
    if falls < 0.35 or course.max() - course[-1] < 0.02 * (course.max() - course.min()):
        return None
    return Advice(
        "leaps",
        f"The logit falls in {100 * falls:.0f} % of the steps: the learning rate is too large.",
        "Steps that leap over the summit lose what the others gain.",
        {"learning_rate": float(f"{rate / 5:.1g}")},
    )


def held_too_tight(now: Situation) -> Advice | None:
    """β holds the image at its source, and the goal is not reached."""
    beta = now.number("beta")
    if now.reached is not False or not beta > 0.01 or still_rising(now):
        return None
    return Advice(
        "held too tight",
        f"β = {beta:g} holds the image at its source, and the target is not reached.",
        "Where β times the squared distance outweighs the logit, the image stays where it is.",
        {"beta": float(f"{beta / 10:.1g}")},
    )


def not_held(now: Situation) -> Advice | None:
    """β = 0: nothing asks for likeness."""
    if now.number("beta") != 0:
        return None
    return Advice(
        "not held",
        "β is 0: nothing holds the image near its source.",
        "Without the distance in the objective this is the first experiment from another start.",
        {"beta": 1.0},
    )


def one_step_fails(now: Situation) -> Advice | None:
    """FGSM has not reached the goal."""
    if now.attack != "FGSM" or now.reached is not False:
        return None
    return Advice(
        "one step fails",
        "One step has not done it: take many small ones.",
        "FGSM trusts the gradient at the image all the way to the edge of the ball.",
        {"attack": "PGD"},
    )


def start_again(now: Situation) -> Advice | None:
    """An attack with a random start has failed once."""
    if now.reached is not False or now.number("restarts") != 1:
        return None
    if now.settings.get("random_start") is False or cannot_reach_the_edge(now):
        return None
    return Advice(
        "start again",
        "It has failed from one random start: try five.",
        "Each start leads to another summit of the loss; one of them may lie across the boundary.",
        {"restarts": 5},
    )


def more_queries(now: Situation) -> Advice | None:
    """A black box that has used up its queries."""
    queries = now.number("queries")
    if now.reached is not False or not queries < 10_000:
        return None
    return Advice(
        "more queries",
        f"{queries:,.0f} queries were not enough: ask five times as often.",
        "A random search goes on finding squares that help, ever more slowly.",
        {"queries": int(min(10_000, 5 * queries))},
    )


def not_minimal(now: Situation) -> Advice | None:
    """A minimal attack that is told to go further than it must."""
    if not now.number("confidence") > 0:
        return None
    return Advice(
        "not minimal",
        "A confidence above 0 makes the change larger than it must be.",
        "The attack goes on until the margin is as large as the confidence asks.",
        {"confidence": 0.0},
    )


def too_few_searches(now: Situation) -> Advice | None:
    """Carlini–Wagner with hardly a search for its constant."""
    if not now.number("binary_search_steps") < 3:
        return None
    return Advice(
        "too few searches",
        "With so few searches for the constant the change is not the smallest.",
        "The constant weighs the distance against the goal, and each image needs its own.",
        {"binary_search_steps": 5},
    )


def much_ink(now: Situation) -> Advice | None:
    """A class image with more ink than digits have."""
    weight = now.number("penalty")
    if not (now.ink > INK_HIGH and weight < 0.3):
        return None
    return Advice(
        "much ink",
        "The image holds more ink than 95 % of the real digits: raise λ.",
        f"Its ink is {now.ink:.0f}; that of the test images is {INK_MEAN:.0f} in the mean.",
        {"penalty": min(0.3, max(0.01, float(f"{3 * weight:.1g}")))},
    )


def blank(now: Situation) -> Advice | None:
    """A penalty under which nothing grows."""
    weight = now.number("penalty")
    if now.trajectory is None or not (now.ink < 1 and weight > 0.003):
        return None
    if now.trajectory.images[:, now.index].max() < _GROWN:
        return None  # nothing has ever grown: that is not the penalty's doing
    return Advice(
        "blank",
        "The image is blank again: the penalty has taken away what had grown.",
        f"Where λ = {weight:g} times the ink outweighs the gradient, no pixel stays.",
        {"penalty": max(0.003, float(f"{weight / 3:.1g}"))},
    )


def wide_interval(now: Situation) -> Advice | None:
    """A rate that could be nearly anything."""
    if now.success is None or not now.success.total:
        return None
    low, high = now.success.interval
    if high - low <= _WIDE:
        return None
    return Advice(
        "wide interval",
        f"The interval spans {100 * (high - low):.0f} points: attack more images.",
        f"{now.success.total} images cannot tell {100 * low:.0f} % from {100 * high:.0f} %.",
        {"images": 200},
    )


RULES: tuple[Callable[[Situation], Advice | None], ...] = (
    nothing_may_change,
    target_is_there,
    misread_before,
    cannot_reach_the_edge,
    steps_across_the_ball,
    gradient_has_vanished,
    gray_is_inside,
    larger_than_real,
    one_step_fails,
    start_again,
    more_queries,
    still_rising,
    leaps,
    held_too_tight,
    not_held,
    not_minimal,
    too_few_searches,
    much_ink,
    blank,
    wide_interval,
    long_done,
)
