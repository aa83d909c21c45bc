"""Attack a shipped network, and put noise of the same length beside it.

    python -m examples.attack_and_measure

An attack says little without its control: any image is misread behind enough noise.
"""

from core.attacks.goals import Untargeted
from core.attacks.gradient import fgsm, pgd
from core.attacks.noise_control import noise_at_edge
from core.data import load_mnist, to_float
from core.statistics.paired import judge
from core.statistics.rate import Rate
from core.zoo import load

EPSILON, COUNT = 0.1, 200


def main() -> None:
    """How many of the first test images are misread under each, and which attack is stronger."""
    classifier, test = load("model-1"), load_mnist().test.first(COUNT)
    images, labels = to_float(test.images), test.labels
    goal = Untargeted(labels)
    shown = {
        "clean": images,
        "noise": noise_at_edge(images, EPSILON, "linf"),
        "FGSM": fgsm(classifier, images, goal, epsilon=EPSILON).adversarial,
        "PGD": pgd(classifier, images, goal, epsilon=EPSILON).adversarial,
    }
    right = {name: classifier.predict(each) == labels for name, each in shown.items()}
    for name, correct in right.items():
        misread = Rate.of(~correct)
        low, high = misread.interval
        print(f"{name}: {misread.successes} of {COUNT} misread, {misread.value:.1%} "
              f"[{low:.1%}, {high:.1%}]")  # fmt: skip
    print(f"PGD is {judge(~right['PGD'], ~right['FGSM']).words('stronger')}")


if __name__ == "__main__":
    main()
