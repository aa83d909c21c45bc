"""The examples run as they are written, and what they print is true."""

import re
import runpy
import sys
from pathlib import Path

import pytest

from core.network.model import load_model


def run(monkeypatch: pytest.MonkeyPatch, name: str, *arguments: str) -> None:
    monkeypatch.setattr(sys, "argv", [name, *arguments])
    runpy.run_module(f"examples.{name}", run_name="__main__")


def counts(printed: str) -> list[int]:
    return [int(found) for found in re.findall(r": (\d+) of \d+ (?:misread|stand)", printed)]


def test_train_and_save(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "mine.safetensors"
    run(monkeypatch, "train_and_save", str(file))
    model, card = load_model(file)
    assert card.title == "Mine"
    assert card.test.value > 0.8
    assert card.parameters == model.count_params()
    assert f"right on {card.test.value:.1%}" in capsys.readouterr().out


def test_attack_and_measure(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    run(monkeypatch, "attack_and_measure")
    printed = capsys.readouterr().out
    clean, noise, fgsm, pgd = counts(printed)
    assert clean <= noise < fgsm < pgd
    assert "PGD is stronger on" in printed


def test_defend_and_certify(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    run(monkeypatch, "defend_and_certify")
    unaware, aware, proven = counts(capsys.readouterr().out)
    assert aware < unaware < proven
