import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from core.data.mnist import load_mnist
from core.zoo import models as zoo
from core.zoo.walkthrough import SHIPPED_FILE, SHIPPED_IMAGE, SHIPPED_MODEL, read, walk_through


def test_listing_needs_no_tensorflow() -> None:
    code = (
        "import sys; from core import zoo, data, jobs; from core.zoo import walkthrough;"
        "import core.training.settings, core.network.architecture, core.network.card;"
        "assert len(zoo.available_models()) >= 2; walkthrough.read(walkthrough.SHIPPED_FILE);"
        "data.load_mnist(); assert 'tensorflow' not in sys.modules, 'it was loaded'"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_unknown_name_is_one_sentence() -> None:
    with pytest.raises(ValueError, match="no model 'model-9': choose of model-1, model-2"):
        zoo.load("model-9")


def test_damaged_file_is_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(zoo, "MODELS", tmp_path)
    with pytest.raises(ValueError, match=r"model-1\.safetensors cannot be read .*restore it"):
        zoo.load("model-1")
    zoo.path_of("model-1").write_bytes(b"\x10" + bytes(200))
    assert zoo.available_models() == []
    with pytest.raises(ValueError, match="cannot be read"):
        zoo.load("model-1")


def test_the_first_page_shows_what_the_model_computes() -> None:
    shipped = read(SHIPPED_FILE)
    live = walk_through(zoo.load(SHIPPED_MODEL), load_mnist().test.images[SHIPPED_IMAGE])
    assert shipped.version == live.version
    assert shipped.stages.keys() == live.stages.keys()
    for name, values in live.stages.items():
        assert shipped.stages[name] == pytest.approx(values, abs=1e-4)
    assert shipped.probabilities == pytest.approx(live.probabilities, abs=1e-4)
    assert (shipped.image == live.image).all()


def test_a_damaged_first_page_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "walkthrough.npz").write_bytes(b"no")
    with pytest.raises(ValueError, match="missing or damaged: restore it"):
        read(tmp_path / "walkthrough.npz")
    np.savez(tmp_path / "other.npz", a=np.zeros(1))
    with pytest.raises(ValueError, match="missing or damaged"):
        read(tmp_path / "other.npz")
