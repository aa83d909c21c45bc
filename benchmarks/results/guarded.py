"""What stands in front of them, what is proven, and studies of both."""

from typing import Any

from benchmarks.results.tree import defended, here, picked, test_images, worked

FILTERS = ["blur-1", "median-3", "threshold-0.5", "bits-1", "jpeg-30", "resize-4", "noise-0.25"]


def _interval_bounds() -> Any:
    model, (images, labels) = here.load_once("certified"), test_images(8)
    image, label = images[:1], int(labels[0])
    grown = here.growth(model, image, label, (0.0, 0.1, 0.2))
    loose = here.looseness(model, image, 0.1, units=4, iterations=5)
    return {
        "layers": here.interval_bounds(model, images, 0.1),
        "normalized": here.interval_bounds(here.load_once("model-2"), images, 0.01),
        "margins": here.margin_bounds(model, images, labels, 0.2),
        "growth": picked(grown, "epsilons logits plain elided"),
        "radius": here.certified_radius(model, image, label),
        "looseness": [picked(each, "units proven reached") for each in loose],
    }


def _smoothing() -> Any:
    model, (images, _) = here.load_once("model-1"), test_images(2)
    found = [here.certify(model, x[None], sigma=0.5, copies=500, seed=5) for x in images]
    return [picked(each, "predicted radius lower votes") for each in found]


def _filters() -> Any:
    images, _ = test_images(8)
    made = {key: here.defense_of(key)[0](images) for key in FILTERS}
    made["noise-0.25, another seed"] = here.Filter("noise", 0.25)(images, seed=7)
    made["autoencoder"] = here.autoencoder()(images)
    made["projection"] = here.projected(images, iterations=20, restarts=2)
    return made


def _defended_logits() -> Any:
    images, _ = test_images(20)
    keys = ("blur-1+threshold-0.5", "resize-4+noise-0.25", "autoencoder", "projection-20x2")
    averaged = defended("noise-0.25", draws=4, seed=6).logits(images)
    return {key: defended(key).logits(images) for key in keys} | {"averaged": averaged}


def _detection() -> Any:
    images, _ = test_images(20)
    model = here.load_once("model-1")
    return {name: each.scores(model, images) for name, each in here.DETECTORS.items()}


def _adaptive() -> Any:
    images, labels = test_images(4)
    settings = dict(epsilon=0.2, iterations=10, seed=1)
    return {
        key: picked(
            here.adaptive(defended(key), images, here.Untargeted(labels), **settings),
            "adversarial succeeded",
        )
        for key in ("threshold-0.5", "noise-0.25")
    }


def _masking() -> Any:
    images, labels = test_images(8)
    study = here.MaskingStudy(
        defended("threshold-0.5"), total=8, queries=20, source=here.load_once("model-2"), seed=1
    )
    found = worked(study, images, labels)
    rates = {each.key: (each.state, each.rates, each.values) for each in found.findings}
    return rates, found.left, found.surface.rise


def _grid() -> Any:
    images, labels = test_images(6)
    row = defended("noise-0.25")
    bare, source = here.load_once("model-1"), here.load_once("model-2")
    budget = here.Budget(iterations=10, queries=20, seed=1)
    rows = (here.Row("noise", "Noise", row), here.Row("bare", "Model 1", bare))
    cells = worked(here.Grid(bare, source, rows, images, labels, budget)).cells
    return {key: picked(cell, "adversarial after standing") for key, cell in cells.items()}


def _curve() -> Any:
    images, labels = test_images(8)
    models = {"Model 1": here.load_once("model-1"), "Certified": here.load_once("certified")}
    study = here.CurveStudy(models, "linf", (0, 0.1, 0.3), 8, iterations=10, seed=1)
    return [
        (each.adversarial, [picked(point, "standing noise certified") for point in each.points])
        for each in worked(study, images, labels).curves
    ]


RESULTS = {
    "Interval bounds and growth": _interval_bounds,
    "Randomized smoothing": _smoothing,
    "Filters and projection": _filters,
    "Defended logits": _defended_logits,
    "Detection scores": _detection,
    "Adaptive attack": _adaptive,
    "Is it masked?": _masking,
    "Defenses × attacks": _grid,
    "Accuracy against ε": _curve,
}
