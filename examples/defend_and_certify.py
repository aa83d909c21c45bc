"""Put a filter in front of a network, attack it knowing that, and see what is proven instead.

python -m examples.defend_and_certify
"""

from core.arrays import BoolArray
from core.attacks.goals import Untargeted
from core.attacks.gradient import pgd
from core.certification.interval_bounds import certified
from core.data import load_mnist, to_float
from core.defenses.adaptive import adaptive
from core.defenses.defended import DefendedClassifier, defense_of
from core.statistics.rate import Rate
from core.zoo import load

EPSILON, COUNT = 0.1, 100


def main() -> None:
    """What stands of the first test images: unaware attack, adaptive attack, and what is proven."""
    test = load_mnist().test.first(COUNT)
    images, goal = to_float(test.images), Untargeted(test.labels)
    bare = load("model-1")
    defended = DefendedClassifier(bare, defense_of("median-3"))
    unaware = pgd(bare, images, goal, epsilon=EPSILON).adversarial
    aware = adaptive(defended, images, goal, epsilon=EPSILON, iterations=20).adversarial
    tell("Median, attack on the bare network", defended.predict(unaware) == test.labels)
    tell("Median, attack that knows of it", defended.predict(aware) == test.labels)
    robust = load("certified")
    tell("Certified, proven", certified(robust, images, test.labels, EPSILON))


def tell(what: str, standing: BoolArray) -> None:
    """One line: the count with its interval."""
    rate = Rate.of(standing)
    low, high = rate.interval
    print(
        f"{what}: {rate.successes} of {rate.total} stand, {rate.value:.0%} [{low:.0%}, {high:.0%}]"
    )


if __name__ == "__main__":
    main()
