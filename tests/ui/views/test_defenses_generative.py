"""The view Generative: both defenses on an image, the projection's way, the latent sliders."""

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from core.defenses.autoencoder import autoencoder
from core.defenses.generative_file import path_of
from tests.ui.conftest import open_page, text_of
from ui.views.defenses.generative import PROJECTION, THROUGH, Rows, _finding
from ui.views.defenses.generative_made import GenerativeSeen

QUICK = {"defense_view": "Generative", "gen_steps": "10", "gen_starts": "2"}


def _open(app: AppTest, **query: str) -> AppTest:
    app.default_timeout = 180
    return open_page(app, "defenses", **{**QUICK, **query})


def test_static_beside_adaptive_and_the_latent_numbers(app: AppTest) -> None:
    page = _open(app)
    assert not page.exception
    assert not page.error
    text = text_of(page)
    assert "statically attacked, 10 iterations, the best of 2 starts" in text
    assert "Adaptive: attacked through the defense" not in text
    assert "**Autoencoder**: read as 2" in text
    assert "16 latent numbers of length" in text
    assert not any(button.key == "gen-take-tray" for button in page.button)  # drawn as any class

    page.button(key="gen-adaptive").click().run()
    text = text_of(page)
    assert not page.error
    assert "Adaptive: attacked through the defense" in text
    assert "gets through the autoencoder" in text
    page.selectbox(key="gen_of").set_value(THROUGH).run()
    assert "adaptively attacked, 10 iterations" in text_of(page)

    page.slider(key="gen_z1").set_value(3.0).run()
    assert not page.exception
    assert "16 latent numbers of length" in text_of(page)
    page.button(key="gen-reset").click().run()
    assert page.slider(key="gen_z1").value == 0.0


def test_too_long_an_attack_is_one_sentence(app: AppTest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ui.visitor.compute.MAX_INLINE_WORK", 20_000)
    page = _open(app, gen_steps="200", gen_starts="10")
    page.button(key="gen-adaptive").click().run()
    assert not page.exception
    assert [error.value for error in page.error] == [
        "The attack through Projection 200 × 10 takes 32,160 images × iterations, above 20,000: "
        "choose fewer images or iterations, or a cheaper model."
    ]
    assert "**Autoencoder**: read as" in text_of(page)  # what can be done is done
    assert "Adaptive: attacked through the defense" in text_of(page)


def test_a_damaged_network_is_said_and_not_offered(
    app: AppTest, monkeypatch: pytest.MonkeyPatch
) -> None:
    nowhere = path_of("autoencoder").with_name("nowhere")
    monkeypatch.setattr(
        "core.defenses.autoencoder.path_of", lambda name: nowhere / f"{name}.safetensors"
    )
    autoencoder.cache_clear()
    try:
        page = _open(app)
    finally:
        autoencoder.cache_clear()
    assert not page.exception
    assert [error.value for error in page.error] == [
        "autoencoder.safetensors is missing, so the denoising autoencoder is not offered: restore "
        "it from the repository."
    ]
    assert "**Projection**" in text_of(page)
    assert "**Autoencoder**" not in text_of(page)


def test_both_can_be_used_on_all_pages(app: AppTest) -> None:
    page = _open(app, model="model-2")
    page.button(key="gen-use-projection").click().run()
    assert not page.exception
    assert page.selectbox(key="model").value == "model-2~projection-10x2"
    assert "puts its own defenses in front of" in text_of(page)
    page.button(key="gen-use-autoencoder").click().run()
    assert page.selectbox(key="model").value == "model-2~autoencoder"
    assert not page.error


def _seen(read: int) -> GenerativeSeen:
    image = np.zeros((1, 28, 28, 1), np.float32)
    return GenerativeSeen(image, image, np.eye(10, dtype=np.float32)[read])


def _rows(**reads: dict[str | None, int]) -> Rows:
    """Row → defense → the class that is read."""
    return {
        row: {kind: _seen(read) for kind, read in cells.items()} for row, cells in reads.items()
    }


def test_the_finding_says_what_held_and_what_did_not() -> None:
    clean = {None: 2, "autoencoder": 2, PROJECTION: 2}
    rows = _rows(Original=clean, Static={**clean, None: 1})
    both = "Behind the autoencoder and the projection the attacked 2 is a 2 again"
    assert _finding(rows, 2) == both
    rows |= _rows(Adaptive={"autoencoder": 7, PROJECTION: 2})
    assert _finding(rows, 2) == (
        f"{both}; an attack that knows of it gets through the autoencoder; an attack that knows "
        "of it does not get through the projection"
    )
    rows |= _rows(Static={None: 1, "autoencoder": 1, PROJECTION: 7})
    assert _finding(rows, 2).startswith("Behind no defense the attacked 2 is a 2 again; ")
    rows |= _rows(Static={**clean, "autoencoder": 1})
    assert _finding(rows, 2).startswith("Without a defense the attacked 2 is still read as a 2; ")


def test_the_finding_names_only_what_was_attacked() -> None:
    clean = {None: 2, "autoencoder": 2, PROJECTION: 2}
    rows = _rows(Original=clean, Static=clean, Adaptive={"autoencoder": 2})
    assert _finding(rows, 2).endswith("; an attack that knows of it does not get through the "
                                      "autoencoder")  # fmt: skip


def test_the_finding_tells_an_attack_from_an_image_that_is_misread_anyway() -> None:
    clean = {None: 4, "autoencoder": 9, PROJECTION: 4}
    rows = _rows(Original=clean, Static=clean)
    assert _finding(rows, 9) == (
        "This 9 is read as a 4 without any attack, and rightly behind the autoencoder"
    )
    rows |= _rows(Adaptive={"autoencoder": 9, PROJECTION: 4})
    assert _finding(rows, 9).endswith(
        "; an attack that knows of it does not get through the autoencoder; behind the projection "
        "the original is misread without any attack"
    )
    rows |= _rows(Original={None: 4, "autoencoder": 4, PROJECTION: 4})
    assert _finding(rows, 9).startswith("This 9 is read as a 4 without any attack; behind the")
