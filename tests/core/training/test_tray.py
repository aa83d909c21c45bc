"""The tray, and what an epoch with it changes."""

import ast
from dataclasses import replace

import numpy as np
import pytest

from core.arrays import to_float
from core.attacks.goals import Untargeted
from core.attacks.gradient import pgd
from core.data.mnist import Dataset
from core.network.architecture import Architecture, ConvBlock
from core.statistics.rate import Rate
from core.training.rounds import held_out, round_of
from core.training.runs import Run
from core.training.settings import TrainingSettings
from core.training.tray import Tray

TINY = Architecture((ConvBlock(4, 3),), (10,))
FAST = TrainingSettings(epochs=1, batch_size=50, learning_rate=2e-3, training_images=500)


def _images(count: int) -> np.ndarray:
    return np.random.default_rng(0).random((count, 28, 28, 1), np.float32)


def test_keeps_images_as_bytes_with_labels_and_sources() -> None:
    tray = Tray()
    images = _images(3)
    assert tray.add(images, [1, 2, 3], "here") == 3
    assert tray.add(images[:1], [4], "there") == 1
    assert tray.sources == {"here": 3, "there": 1}
    split = tray.split
    assert split.images.dtype == np.uint8
    assert split.labels.tolist() == [1, 2, 3, 4]
    assert np.abs(to_float(split.images)[:3] - images).max() <= 0.5 / 255 + 1e-6


def test_an_image_with_its_label_is_there_once() -> None:
    tray, images = Tray(), _images(2)
    assert tray.add(images[[0, 0, 1]], [1, 1, 1], "here") == 2
    assert tray.add(images, [1, 2], "there") == 1
    assert len(tray) == 3


def test_is_bounded_and_refuses_whole() -> None:
    tray = Tray()
    tray.add(_images(199), [0] * 199, "here")
    more = _images(201)[199:]
    with pytest.raises(ValueError, match="holds 199 images, and 2 more are above 200: remove"):
        tray.add(more, [0, 0], "here")
    assert len(tray) == 199
    assert tray.add(more[:1], [0], "here") == 1


@pytest.mark.parametrize(
    ("images", "labels"),
    [
        (_images(1) + 1, [0]),
        (_images(1)[..., 0], [0]),
        (_images(1) * np.float32("nan"), [0]),
        (_images(1), [10]),
        (_images(2), [1]),
    ],
)
def test_refuses_what_is_no_labeled_image(images: np.ndarray, labels: list[int]) -> None:
    tray = Tray()
    with pytest.raises(ValueError, match=r"\."):
        tray.add(images, labels, "here")
    assert not len(tray)


def test_removes_one_and_all() -> None:
    tray = Tray()
    tray.add(_images(3), [0, 1, 2], "here")
    tray.remove(tray.images[1])
    assert [each.label for each in tray.images] == [0, 2]
    tray.clear()
    assert tray.split.images.shape == (0, 28, 28)


def _round_run(data: Dataset, tray: Tray, repeat: int = 100) -> Run:
    """An epoch with the tray, from a network that was trained for four."""
    first = Run(TINY, replace(FAST, epochs=4, training_images=2_000), data, number=1)
    list(first.work())
    settings = replace(
        FAST,
        learning_rate=5e-3,
        robust_scores=True,
        extra_images=len(tray),
        extra_repeat=repeat,
        attack_epsilon=0.1,
    )
    weights = first.checkpoints.load(first.checkpoints.steps[-1])
    run = Run(
        TINY,
        settings,
        data,
        number=2,
        extra=tray.split,
        originals=tray.originals,
        origin="Run 1",
        start=weights,
    )
    assert run.trained
    return run


def test_an_epoch_with_the_tray_learns_it_from_where_the_model_was(small: Dataset) -> None:
    """Test images with labels off by one: nothing but the tray can have taught them."""
    tray = Tray()
    labels = (small.test.labels[400:420] + 1) % 10
    tray.add(to_float(small.test.images[400:420]), labels, "wrong", range(400, 420))
    run = _round_run(small, tray)
    assert run.name == "Run 2 · Run 1 + 20 of the tray"
    assert round_of(run) is None
    list(run.work())
    found = round_of(run)
    assert found is not None
    assert found.before.test.value > 0.6  # it was trained before
    assert found.before.tray.value < 0.3
    assert found.after.tray.value > found.before.tray.value + 0.3
    assert found.after.tray.total == 20
    assert found.before.test.total == found.after.test.total == 480
    assert found.before.robust.total == found.after.robust.total == 200
    assert run.last is not None
    assert run.last.step == run.settings.steps_per_epoch == 50  # 500 + 20 · 100 images
    card = run.card(50, found.after.test, "0", 1)
    assert card.settings["extra_images"] == 20
    assert card.settings["extra_repeat"] == 100


def test_a_round_is_not_scored_by_what_taught_it(mnist: Dataset, small: Dataset) -> None:
    """Originals are left out, and others stand in for them, from the end of the test images."""
    tray = Tray()
    tray.add(_images(3), [1, 2, 3], "here", [9_999, None, 8_500])
    tray.add(_images(4)[3:], [4], "drawn")
    assert tray.originals == {9_999, 8_500}
    run = Run(TINY, FAST, mnist, number=1, extra=tray.split, originals=tray.originals)
    expected = [row for row in range(7_998, 9_999) if row != 8_500]
    assert (held_out(run).images == mnist.test.images[expected]).all()
    assert (held_out(run).labels == mnist.test.labels[expected]).all()
    assert len(held_out(Run(TINY, FAST, small, number=1))) == 500


def test_a_stopped_round_is_measured_where_it_stopped(small: Dataset) -> None:
    """Both standings are those of the checkpoints, as the run's own last score is."""
    tray = Tray()
    tray.add(_images(4), [1, 2, 3, 4], "noise", [0, 1, 2, 499])
    run = _round_run(small, tray, 50)
    work = run.work()
    for _ in range(3):
        next(work)
    work.close()
    stopped = run.checkpoints.steps[-1]
    assert run.last_scored is not None
    assert run.last_scored.step == stopped < run.settings.steps_per_epoch
    found, test = round_of(run), held_out(run)
    assert found is not None
    for standing, step in ((found.before, 0), (found.after, stopped)):
        classifier = run.classifier(step)
        read = classifier.predict(to_float(test.images))
        assert standing.test == Rate(int((read == test.labels).sum()), 496)
        learned = classifier.predict(to_float(tray.split.images)) == tray.split.labels
        assert standing.tray == Rate(int(learned.sum()), 4)
        attacked, labels = to_float(test.images[-200:]), test.labels[-200:].astype(np.int64)
        clean = int((classifier.predict(attacked) == labels).sum())
        ten = pgd(classifier, attacked, Untargeted(labels), epsilon=0.1, iterations=10).adversarial
        by_other = int((classifier.predict(ten) == labels).sum())
        assert standing.robust.total == 200
        assert abs(standing.robust.successes - by_other) <= 10
        assert by_other < clean - 20


def test_a_stopped_round_goes_on(small: Dataset) -> None:
    tray = Tray()
    tray.add(_images(4), [1, 2, 3, 4], "noise")
    whole, halted = (_round_run(small, tray, 50) for _ in range(2))
    list(whole.work())
    work = halted.work()
    next(work)
    next(work)
    work.close()
    list(halted.work())
    last = whole.checkpoints.steps[-1]
    for name, array in whole.checkpoints.load(last).items():
        assert (array == halted.checkpoints.load(last)[name]).all()


def test_the_script_of_a_round_is_a_program(small: Dataset) -> None:
    from ui.views.training.files import script

    tray = Tray()
    tray.add(_images(2), [1, 2], "noise")
    text = script(_round_run(small, tray))
    ast.parse(text)
    assert "run-2-tray.npz" in text
    assert "run-2-step-0.safetensors" in text
    plain = script(Run(TINY, FAST, small, number=1))
    ast.parse(plain)
    assert "tray" not in plain
