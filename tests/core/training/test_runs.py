import gc
import time
from dataclasses import replace

import numpy as np
import pytest

from core.data.mnist import Dataset, Split
from core.jobs import Job, JobManager
from core.network.architecture import MODEL_1, MODEL_2, Architecture, ConvBlock
from core.network.model import deserialize_model, serialize_model
from core.statistics.rate import Rate
from core.training.comparison import compare, milestone, race
from core.training.loop import Progress, Score
from core.training.runs import Run, architecture_title, describe_differences
from core.training.settings import TrainingSettings

TINY = Architecture((ConvBlock(4, 3),), (10,))
FAST = TrainingSettings(epochs=2, batch_size=50, learning_rate=2e-3, training_images=2_000)


def _trained(data: Dataset, number: int = 1, **changes: object) -> Run:
    run = Run(TINY, replace(FAST, **changes), data, number=number)
    list(run.work())
    return run


def test_records_everything(small: Dataset) -> None:
    run = _trained(small)
    assert run.last is not None
    assert run.last.step == 80
    assert all(progress.weights is None for progress in run.history)
    assert len(run.checkpoints.steps) >= 20
    assert run.checkpoints.steps[0] == 0
    assert run.checkpoints.steps[-1] == 80
    assert run.seconds_left == 0
    assert run.images_per_second > 0


def test_rewinding_gives_the_network_of_then(small: Dataset) -> None:
    run = _trained(small)
    for progress in run.history:
        if progress.test and progress.step in run.checkpoints.steps:
            assert run.evaluate(progress.step).accuracy == progress.test.accuracy
    untrained = run.evaluate(0).accuracy.value
    assert untrained < 0.35 < run.evaluate(80).accuracy.value
    step = run.checkpoints.steps[10]
    images = np.zeros((2, 28, 28, 1), np.float32)
    assert run.classifier(step).logits(images) == pytest.approx(run.logits(step, images), abs=1e-6)


def test_a_stopped_run_is_a_model_and_can_go_on(small: Dataset) -> None:
    whole = _trained(small)
    run = Run(TINY, FAST, small, number=2)
    work = run.work()
    for _ in range(12):
        next(work)
    work.close()
    assert run.trained
    assert run.last is not None
    assert run.checkpoints.steps[-1] == run.last.step < 80
    assert not run.unscored
    assert run.last_score == run.evaluate(run.last.step).accuracy, "scored where it stopped"
    assert run.classifier(run.last.step).version
    list(run.work())
    assert run.last.step == 80
    theirs = whole.checkpoints.load(80)
    for name, array in run.checkpoints.load(80).items():
        assert (array == theirs[name]).all()
    seconds = [progress.seconds for progress in run.history]
    assert seconds == sorted(seconds)
    run.controls.epochs = 3
    list(run.work())
    assert run.last.step == 120


def test_divergence_keeps_the_last_good_weights(small: Dataset) -> None:
    from core.training.loop import TrainingDiverged

    settings = replace(FAST, optimizer="sgd", learning_rate=10, weight_decay=1, epochs=4)
    run = Run(TINY, settings, small, number=1)
    with pytest.raises(TrainingDiverged):
        list(run.work())
    assert run.trained
    assert run.unscored, "what is no number has no score: the page says how old the last is"
    for step in run.checkpoints.steps:
        weights = run.checkpoints.load(step)
        assert all(np.isfinite(array).all() for array in weights.values())


def test_a_loss_that_stays_at_a_guess_is_explained(small: Dataset) -> None:
    run = Run(MODEL_1, replace(FAST, learning_rate=2.0, epochs=3), small, number=1)
    list(run.work())
    assert "still that of a guess" in run.warning
    assert _trained(small).warning == ""


def test_files_go_with_the_run(small: Dataset) -> None:
    run = Run(TINY, FAST, small, number=1)
    manager = JobManager()
    run.job = Job("a", "work", run.work)
    manager.submit(run.job)
    while not run.job.ended or run.job.iterator is not None:
        time.sleep(0.01)
    folder = run.checkpoints._folder
    assert folder.exists()
    del run
    gc.collect()
    assert not folder.exists()


def test_its_file_loads_as_a_model(small: Dataset) -> None:
    run = _trained(small)
    classifier = run.classifier(80)
    parameters = classifier.model.count_params()
    card = run.card(80, run.evaluate(80).accuracy, classifier.version, parameters)
    _, read = deserialize_model(serialize_model(classifier.model, card))
    assert read == card
    assert read.architecture == TINY
    assert len(read.curve) > 0


def test_names_say_what_differs(small: Dataset) -> None:
    runs = [
        Run(MODEL_1, FAST, small, number=1),
        Run(MODEL_2, replace(FAST, learning_rate=1e-2, optimizer="sgd"), small, number=2),
    ]
    names = list(describe_differences(runs).values())
    assert names == ["Run 1 · Model 1 · lr 0.002 · adam", "Run 2 · Model 2 · lr 0.01 · sgd"]
    assert describe_differences([]) == {}
    own = Architecture((ConvBlock(16, 5), ConvBlock(8, 5)), (200,), True, 0.25)
    assert architecture_title(own) == "16-8 of 5 × 5, 200 hidden, BN, dropout 0.25"


def _curve(run: Run, *points: tuple[int, float, float, int]) -> Run:
    """A run with a written history: step, seconds, loss, correct of 2,000, the first ones."""
    for step, seconds, loss, correct in points:
        progress = Progress(step, 100, step / 100, seconds, 1e-3, loss, 0.9, {"conv1": 1.0}, 100.0)
        bits = np.packbits(np.arange(2_000) < correct).tobytes()
        score = Score(Rate(correct, 2_000), loss, bits=bits)
        run.history.append(replace(progress, test=score))
    return run


def test_sentences_follow_from_the_curves(small: Dataset) -> None:
    slow = _curve(Run(MODEL_1, FAST, small, number=1), (10, 1, 0.4, 1900), (20, 2, 0.2, 1950))
    fast = _curve(Run(MODEL_2, FAST, small, number=2), (10, 3, 0.1, 1945), (20, 6, 0.1, 1955))
    sentence = compare(fast, slow)
    assert sentence.startswith("At step 20 run 2 has 3.0 times less loss than run 1")
    assert sentence.endswith(
        "run 1 and is, in test accuracy (97.8 against 97.5 %), better on 5 of the 5 images that "
        "tell them apart, p = 0.062: no difference shown."
    )
    mark = milestone(fast)
    assert mark is not None
    assert (mark.step, mark.seconds) == (10, 3)
    assert "after 20 steps and 2 s" in race(slow, fast)
    worse = _curve(Run(MODEL_1, FAST, small, number=3), (20, 1, 2.0, 400))
    assert "has not reached 97 %" in race(slow, worse)
    assert "apart, p < 0.001: +77.50 points [+75.58, +79.25]." in compare(slow, worse)
    assert compare(slow, Run(MODEL_1, FAST, small, number=4)) == ""


@pytest.mark.parametrize(
    ("own", "other", "said"),
    [
        (100, 100, "(95.0 against 96.0 %),"),
        (100, 120, "(95.0 against 96.0 %, scored at steps 100 and 120),"),
        (90, 90, "(95.0 against 96.0 %, scored at step 90),"),
    ],
)
def test_scores_of_other_steps_are_said_to_be(
    small: Dataset, own: int, other: int, said: str
) -> None:
    """Runs are compared at step 100, where the first ended."""
    first = _curve(Run(MODEL_1, FAST, small, number=1), (own, 1, 0.4, 1900))
    second = _curve(Run(MODEL_1, FAST, small, number=2), (other, 1, 0.4, 1920))
    for run, last in ((first, 100), (second, 150)):
        run.history.insert(0, replace(run.history[0], step=50, test=None))
        if run.history[-1].step < last:
            run.history.append(replace(run.history[-1], step=last, test=None))
    assert said in compare(first, second)


def test_scores_keep_which_images_were_right(small: Dataset) -> None:
    """Equal accuracies on other images are not the same; a shorter test set makes no pairs."""
    run = Run(TINY, FAST, small, number=1)
    *_, last = run.work()
    score = run.last_score
    assert last == 1
    assert score is not None
    (kept,) = [p.test for p in run.history if p.test and p.step == run.checkpoints.steps[-1]]
    assert (kept.right == run.evaluate(run.checkpoints.steps[-1]).right).all()
    assert Rate.of(kept.right) == score
    assert len(kept.bits) == 63  # 500 images
    other = _curve(Run(TINY, FAST, small, number=2), (run.checkpoints.steps[-1], 1, 0.1, 1_900))
    assert "on other images: without pairs no difference is shown" in compare(run, other)


@pytest.mark.parametrize(
    "changes",
    [
        {"attack_steps": 7},
        {"attack_step": 0.25},
        {"attack_epsilon": 0.1},
        {"clean_share": 0.5},
        {"attack": "off"},
        {"extra_images": 2, "extra_repeat": 3},
    ],
    ids=lambda changes: "-".join(changes),
)
def test_losses_on_other_images_are_not_compared(small: Dataset, changes: dict[str, float]) -> None:
    settings = replace(FAST, attack="pgd")
    extra = small.train.first(2) if "extra_images" in changes else None
    first, alike = (_curve(Run(TINY, settings, small, n), (20, 1, 0.1, 1900)) for n in (1, 2))
    other = Run(TINY, replace(settings, **changes), small, number=3, extra=extra)
    assert "about the loss of run 2 and " in compare(first, alike)
    assert "loss" not in compare(first, _curve(other, (20, 1, 0.4, 1900)))


def test_losses_on_other_trays_are_not_compared(small: Dataset) -> None:
    settings = replace(FAST, extra_images=2)
    halves = small.train.first(2), Split(small.train.images[2:4], small.train.labels[2:4])
    one, other = (Run(TINY, settings, small, number=n, extra=s) for n, s in enumerate(halves, 1))
    sentence = compare(_curve(one, (20, 1, 0.1, 1900)), _curve(other, (20, 1, 0.1, 1900)))
    assert sentence == (
        "At step 20 run 1 is, in test accuracy (95.0 against 95.0 %), the same on every image, "
        "p = 1: no difference shown."
    )


def test_what_is_only_measured_is_no_difference(small: Dataset) -> None:
    runs = [
        Run(TINY, replace(FAST, robust_scores=on), small, number=n)
        for n, on in enumerate((True, False))
    ]
    assert all("measured" not in name for name in describe_differences(runs).values())
