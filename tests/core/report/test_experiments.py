import numpy as np

from core.network.architecture import MODEL_1
from core.network.card import INTERVAL_BOUNDS, WORST_CASE, ModelCard
from core.network.model import build_model, layer_table
from core.report.claims import batch_normalization_verdict, carried_claim, compare_dimensions
from core.report.settings import REPORT_SETTINGS
from core.statistics.rate import Rate
from core.studies.masking_verdicts import ALARM
from core.training.robust.settings import SHIPPED
from core.zoo import models as zoo


def test_e1_e2_shipped_models_are_the_reports_and_good(mnist) -> None:
    cards = {card.name: card for card in zoo.available_models()}
    for card in (cards["model-1"], cards["model-2"]):
        assert card.settings == REPORT_SETTINGS.to_dict()
        assert card.test.total == 10_000
        assert card.test.value >= 0.988
        assert card.data_digest == mnist.digest
        assert card.steps == 9_380
        assert len(card.curve) > 40


def test_shipped_cards_tell_the_truth(mnist) -> None:
    from core.arrays import to_float
    from core.network.evaluation import evaluate

    for card in zoo.available_models():
        classifier = zoo.load(card.name)
        assert classifier.version == card.version
        measured = evaluate(classifier, to_float(mnist.test.images), mnist.test.labels)
        assert measured.accuracy == card.test
        assert classifier.model.count_params() == card.parameters
        assert card.measured(WORST_CASE).standing.total == 1_000
        if card.name in SHIPPED:
            assert card.settings == SHIPPED[card.name].to_dict()
            _is_as_robust_as_asked(card)


def _is_as_robust_as_asked(card: ModelCard) -> None:
    standing = {figure.attack: figure.standing for figure in card.robustness}
    assert len(card.alarms) == 12
    assert not [alarm.check for alarm in card.alarms if alarm.state == ALARM]
    assert card.test.value >= {"robust": 0.99, "certified": 0.98}[card.name]
    if card.name == "certified":
        assert standing[INTERVAL_BOUNDS].total == 10_000
        assert standing[INTERVAL_BOUNDS].value >= 0.9
        assert standing[WORST_CASE].value >= 0.92


def test_e2_verdict() -> None:
    """By images, not by intervals: the shipped models, and a gain that is shown."""
    image = np.arange(10_000)
    alike = batch_normalization_verdict(image >= 99, (image >= 47) & (image < 9_943))
    assert alike.startswith(
        "“A percent better” is not confirmed: Model 2 is better on 52 of the 109 images that tell "
        "them apart, p = 0.70: no difference shown (−0.05 points"
    ), alike
    better = batch_normalization_verdict(image < 9_753, image < 9_869)
    assert "“A percent better” is confirmed: Model 2 is better on 116 of the 116 images" in better
    little = batch_normalization_verdict(image < 9_700, image < 9_720)
    assert " is not confirmed: Model 2 is better on 20 of the 20" in little
    assert "p < 0.001: +0.20 points" in little


def test_e4_reported_beside_computed() -> None:
    lines = {line.what: line for line in compare_dimensions(layer_table(build_model(MODEL_1)))}
    assert (lines["Parameters in all"].reported, lines["Parameters in all"].computed) == (
        790_150,
        799_078,
    )
    assert (lines["Neurons"].reported, lines["Neurons"].computed) == (2_654, 31_870)
    assert lines["Parameters of Conv2"].computed == 9_248
    equal = [line.what for line in lines.values() if line.reported == line.computed]
    assert len(equal) == 3
    assert 64 * 9 + 1_568 + 500 + 10 == 2_654


def test_e9_needs_more_than_half_with_every_noise() -> None:
    many, few, some = Rate(900, 1_000), Rate(50, 1_000), Rate(510, 1_000)
    assert carried_claim({4: many, 5: many}).confirmed is True
    assert carried_claim({4: many, 5: few}).confirmed is False
    assert carried_claim({4: many, 5: some}).confirmed is False
    assert (
        carried_claim({4: few}).measured == "misread are, toward 4: 5.0 % [3.8, 6.5], 50 of 1,000."
    )
