"""Pages beside a shipped file that is damaged."""

import contextlib
from pathlib import Path

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from core.network.card import INTERVAL_BOUNDS, PGD, WORST_CASE
from core.zoo import models as zoo
from core.zoo import walkthrough
from tests.ui.conftest import text_of
from ui import text
from ui.views.defenses.robust_models import alarms, finding, verdict


@pytest.fixture(autouse=True)
def nothing_kept() -> None:
    """What another test's pages have kept was read of whole files."""
    st.cache_data.clear()


def _damage(monkeypatch: pytest.MonkeyPatch, folder: Path, *damaged: str) -> None:
    """The shipped models stand in `folder`, the `damaged` ones with a flipped length."""
    for name in zoo.RECIPES:
        data = bytearray(zoo.path_of(name).read_bytes())
        data[7] ^= 0x80 * (name in damaged)
        (folder / f"{name}.safetensors").write_bytes(data)
    monkeypatch.setattr(zoo, "MODELS", folder)
    zoo.load_once.cache_clear()


def test_a_damaged_model_is_left_out_of_every_page(
    app: AppTest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _damage(monkeypatch, tmp_path, "model-1")
    app.run()
    assert "Model 2 reads 2" in text_of(app)
    assert [each.value for each in app.warning] == zoo.left_out()
    assert len(app.selectbox(key="model").options) == 3


def test_a_flipped_bit_of_a_card_costs_no_page(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = zoo.path_of("robust")
    with source.open("rb") as file:
        length = file.read(8)
        header = bytearray(length + file.read(int.from_bytes(length, "little")))
    path = tmp_path / source.name
    path.write_bytes(header)
    with path.open("r+b") as file:
        file.truncate(source.stat().st_size)
        for bit in range(64, 8 * len(header), 23):
            byte, mask = bit // 8, 1 << bit % 8
            file.seek(byte)
            file.write(bytes([header[byte] ^ mask]))
            file.flush()
            with contextlib.suppress(ValueError):
                card = zoo.read_card(path)
                assert text.epochs(card.settings)
                if all(map(card.measured, (INTERVAL_BOUNDS, PGD, WORST_CASE))):
                    assert finding(card) + verdict(card) + alarms(card)
            file.seek(byte)
            file.write(header[byte : byte + 1])


def test_no_model_at_all_is_one_sentence(
    app: AppTest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _damage(monkeypatch, tmp_path, *zoo.RECIPES)
    app.run()
    assert not app.exception
    assert [each.value for each in app.error] == [
        "No model file can be read: restore assets/models from the repository."
    ]


def test_without_a_logo_the_pages_go_on(
    app: AppTest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ui.assets.ASSETS", tmp_path)
    app.run()
    assert "Model 1 reads 2" in text_of(app)


@pytest.mark.parametrize("damaged", [b"<svg", b"\x80\xff"], ids=str)
def test_beside_a_damaged_logo_the_pages_go_on(
    app: AppTest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, damaged: bytes
) -> None:
    for name in ("logo.svg", "logo-dark.svg", "icon.svg"):
        (tmp_path / name).write_bytes(damaged)
    monkeypatch.setattr("ui.assets.ASSETS", tmp_path)
    app.run()
    assert "Model 1 reads 2" in text_of(app)


def test_a_damaged_first_page_is_computed(
    app: AppTest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(walkthrough, "SHIPPED_FILE", tmp_path / "walkthrough.npz")
    app.run()
    assert "Model 1 reads 2" in text_of(app)
    assert [each.value for each in app.warning] == [
        "walkthrough.npz is missing or damaged: restore it from the repository."
    ]
