"""Training the autoencoder and the generator, on few images."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from core.arrays import FloatArray, to_float
from core.data.mnist import load_mnist
from core.defenses.autoencoder import Autoencoder, build_autoencoder
from core.defenses.generative_file import digest_of, path_of, read
from core.defenses.generator import Generator, build_decoder, build_encoder
from core.network.model import named_weights
from core.zoo import generative_training
from core.zoo.generative_training import GenerativeSettings, train_autoencoder, train_generator


@pytest.fixture(scope="module")
def images() -> FloatArray:
    return to_float(load_mnist().train.images[:512])


def test_both_learn_to_give_images_back(images: FloatArray) -> None:
    settings = GenerativeSettings(epochs=6, batch_size=32, noise=0.2)
    for network, untrained in (
        (train_autoencoder(images, settings), Autoencoder(build_autoencoder(seed=1))),
        (train_generator(images, settings), Generator(build_encoder(seed=1), build_decoder())),
    ):
        before, after = (each.reconstruction_error(images).mean() for each in (untrained, network))
        assert after < 0.5 * before


def test_the_same_seed_gives_the_same_network(images: FloatArray) -> None:
    settings = GenerativeSettings(epochs=1, batch_size=64, noise=0.2)
    first, again, other = (
        digest_of(named_weights(train_autoencoder(images[:128], each).models[0]))
        for each in (settings, settings, replace(settings, seed=2))
    )
    assert first == again
    assert first != other


def test_ordering_the_latent_numbers_changes_nothing_else(images: FloatArray) -> None:
    plain = Generator(build_encoder(seed=3), build_decoder(seed=4))
    ordered = plain.ordered(images)
    nats = ordered.kl(images)
    assert (np.diff(nats) <= 1e-6).all()
    np.testing.assert_allclose(nats, np.sort(plain.kl(images))[::-1], rtol=1e-5)
    np.testing.assert_allclose(
        ordered.images(ordered.encode(images[:9])),
        plain.images(plain.encode(images[:9])),
        atol=1e-5,
    )


def test_the_written_file_is_read_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Half an epoch of the real command, into another folder."""
    monkeypatch.setattr("core.defenses.generative_file.FOLDER", tmp_path)
    monkeypatch.setattr(
        generative_training, "GENERATOR", GenerativeSettings(epochs=1, batch_size=2_000)
    )
    written = generative_training.train_and_save("generator")
    models = build_encoder(), build_decoder()
    shapes = {name: a.shape for model in models for name, a in named_weights(model).items()}
    weights, card = read(path_of("generator"), shapes)
    assert card == written
    assert digest_of(weights) == card.version
    assert card.settings["batch_size"] == 2_000
