"""The autoencoder, the generator and the projection on its range, against what they claim."""

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from core.arrays import FloatArray, IntArray, to_float
from core.attacks.goals import Untargeted
from core.attacks.gradient import pgd
from core.backend import tf
from core.data.mnist import load_mnist
from core.defenses import generative_file, projection
from core.defenses.autoencoder import Autoencoder, autoencoder
from core.defenses.defended import DefendedClassifier, defense_of, key_of
from core.defenses.filters import STAND_INS, Mode
from core.defenses.generator import LATENT, generator, generator_card
from core.defenses.latent_attack import latent_attack
from core.defenses.projection import Projection, descend, nearest, projected, projection_path
from core.defenses.purification import purifier_of, purifiers
from core.network.model import named_weights
from core.zoo import models as zoo

KEYS = ("autoencoder", "projection-5x2")


@pytest.fixture(scope="module")
def images() -> FloatArray:
    return to_float(load_mnist().test.images[:6])


@pytest.fixture(scope="module")
def labels() -> IntArray:
    return load_mnist().test.labels[:6].astype(np.int64)


@pytest.mark.parametrize("key", KEYS)
def test_a_purified_image_is_an_image_and_always_the_same(key: str, images: FloatArray) -> None:
    part = purifier_of(key)
    purified = part(images)
    assert purified.shape == images.shape
    assert purified.dtype == np.float32
    assert purified.min() >= 0
    assert purified.max() <= 1
    assert np.array_equal(part(images), purified)
    np.testing.assert_allclose(part(images[2:3]), purified[2:3], atol=1e-4)
    assert part(images[:0]).shape == (0, 28, 28, 1)


@pytest.mark.parametrize("key", KEYS)
def test_the_defended_classifier_reads_what_is_purified(key: str, images: FloatArray) -> None:
    bare = zoo.load_once("model-1")
    defended = DefendedClassifier(bare, defense_of(key))
    assert key_of(defended.defense) == key
    purified = purifier_of(key)(images)
    np.testing.assert_allclose(defended.purified(images), purified, atol=1e-4)
    np.testing.assert_allclose(defended.logits(images), bare.logits(purified), atol=1e-2)


def test_the_autoencoder_runs_as_its_network_does(images: FloatArray) -> None:
    plain = autoencoder().models[0](images, training=False).numpy()
    np.testing.assert_allclose(autoencoder()(images), plain, atol=1e-5)


def test_the_autoencoder_takes_noise_away(images: FloatArray) -> None:
    noise = np.random.default_rng(0).normal(0, 0.3, images.shape)
    noisy = np.clip(images + noise, 0, 1).astype(np.float32)
    before = ((noisy - images) ** 2).mean()
    assert ((autoencoder()(noisy) - images) ** 2).mean() < before / 3


def test_the_gradient_through_the_autoencoder_is_the_slope(images: FloatArray) -> None:
    layer = autoencoder().layer()
    weights = np.random.default_rng(1).standard_normal(images.shape).astype(np.float32)

    def value(x: NDArray[np.float32]) -> float:
        return float(np.sum(layer(x).numpy().astype(np.float64) * weights))

    inside = np.clip(images, 0.05, 0.95)
    given = tf.constant(inside)
    with tf.GradientTape() as tape:
        tape.watch(given)
        out = tf.reduce_sum(layer(given) * weights)
    gradient = tape.gradient(out, given).numpy()
    for seed in range(3):
        way = np.random.default_rng(seed).standard_normal(images.shape).astype(np.float32)
        way *= 0.05 / np.linalg.norm(way)
        slope = value(inside + way) - value(inside - way)
        assert slope == pytest.approx(2 * float((gradient * way).sum()), rel=0.05, abs=2e-3)


def _gradient_of_sum(stand_in: str, images: FloatArray, weights: FloatArray) -> FloatArray:
    layer, given = Projection(5, 2).layer(Mode(stand_in)), tf.constant(images)
    with tf.GradientTape() as tape:
        tape.watch(given)
        out = tf.reduce_sum(layer(given) * weights)
    gradient: FloatArray = tape.gradient(out, given).numpy()
    return gradient


def test_the_projection_passes_the_gradient_of_its_stand_in(images: FloatArray) -> None:
    weights = np.random.default_rng(1).standard_normal(images.shape).astype(np.float32)
    np.testing.assert_array_equal(_gradient_of_sum("identity", images, weights), weights)
    assert not _gradient_of_sum("none", images, weights).any()
    made_by, given = generator(), tf.constant(images)
    latent = nearest(descend(made_by, given, 5, 2))
    with tf.GradientTape() as tape:
        tape.watch(latent)
        made = tf.reshape(made_by.decode(latent), [len(images), -1])
    jacobian = tape.batch_jacobian(made, latent).numpy()  # [n, 784, 16]
    smooth = [
        slope @ np.linalg.solve(slope.T @ slope + np.eye(LATENT), slope.T @ weight.ravel())
        for slope, weight in zip(jacobian, weights, strict=True)
    ]
    found = _gradient_of_sum("smooth", images, weights).reshape(len(images), -1)
    np.testing.assert_allclose(found, smooth, atol=1e-3)


def test_the_smooth_stand_in_is_nearly_how_the_projection_moves(images: FloatArray) -> None:
    """Against differences of a projection that has converged, along random ways."""
    ways = np.random.default_rng(2).standard_normal((8, 28, 28, 1)).astype(np.float32)
    ways *= 0.09 / np.abs(ways).max()
    inside = np.clip(images[:1], 0.1, 0.9).repeat(8, axis=0)
    up, down = (
        projected(each, iterations=200, restarts=1) for each in (inside + ways, inside - ways)
    )
    layer = Projection(200, 1).layer(Mode("smooth"))

    @tf.function(autograph=False)
    def passed_back(x: tf.Tensor) -> tf.Tensor:
        with tf.GradientTape() as tape:
            tape.watch(x)
            out = tf.reduce_sum(layer(x) * ways)
        return tape.gradient(out, x)

    expected = passed_back(tf.constant(inside)).numpy().reshape(8, -1)
    moved = (up - down).reshape(8, -1)
    lengths = np.linalg.norm(expected, axis=1) * np.linalg.norm(moved, axis=1)
    assert ((expected * moved).sum(axis=1) / lengths).mean() > 0.5


def test_the_stand_in_does_not_change_the_value(images: FloatArray) -> None:
    values = [Projection(5, 2).layer(Mode(each))(images).numpy() for each in STAND_INS]
    for value in values:
        np.testing.assert_array_equal(value, values[0])


def _sigmoid(x: NDArray[np.float64]) -> NDArray[np.float64]:
    return 1 / (1 + np.exp(-x))


def _slow_distances(image: FloatArray, iterations: int, restarts: int) -> NDArray[np.float64]:
    """‖G(z) − x‖² [iterations + 1, restarts] of one image, by hand."""
    own = {
        name: array.astype(np.float64)
        for model in generator().models
        for name, array in named_weights(model).items()
    }
    pixels = image.ravel().astype(np.float64)
    hidden = np.maximum(pixels @ own["encoder_dense/kernel"] + own["encoder_dense/bias"], 0)
    code = hidden @ own["encoder_latent/kernel"] + own["encoder_latent/bias"]
    draws = np.random.default_rng(0).standard_normal((restarts - 1, LATENT))
    found = np.zeros((iterations + 1, restarts))
    for restart in range(restarts):
        z = code[:LATENT] if restart == 0 else draws[restart - 1]
        mean = square = np.zeros(LATENT)
        for step in range(iterations + 1):
            inner = z @ own["decoder_dense/kernel"] + own["decoder_dense/bias"]
            outer = np.maximum(inner, 0) @ own["decoder_pixels/kernel"]
            drawn = _sigmoid(outer + own["decoder_pixels/bias"])
            found[step, restart] = ((drawn - pixels) ** 2).sum()
            back = 2 * (drawn - pixels) * drawn * (1 - drawn) @ own["decoder_pixels/kernel"].T
            gradient = back * (inner > 0) @ own["decoder_dense/kernel"].T
            mean = 0.9 * mean + 0.1 * gradient
            square = 0.999 * square + 0.001 * gradient**2
            unbiased = mean / (1 - 0.9 ** (step + 1)), square / (1 - 0.999 ** (step + 1))
            z = z - projection.LEARNING_RATE * unbiased[0] / np.sqrt(unbiased[1])
    return found


def test_the_projection_descends_as_written_by_hand(images: FloatArray) -> None:
    way = projection_path(zoo.load_once("model-1"), images[:1], iterations=12, restarts=3)
    slow = _slow_distances(images[0], 12, 3)
    np.testing.assert_allclose(way.terms["distance"], slow, rtol=0.01)
    assert (way.terms["distance"][-1] < way.terms["distance"][0]).all()


def test_the_projection_is_the_nearest_end_of_its_ways(images: FloatArray) -> None:
    way = projection_path(zoo.load_once("model-1"), images[1:2], iterations=12, restarts=3)
    best = way.terms["distance"][-1].argmin()
    made = projected(images[1:2], iterations=12, restarts=3)
    np.testing.assert_allclose(made[0], way.images[-1, best], atol=1e-4)
    distance = ((way.images - images[1]) ** 2).sum(axis=(2, 3, 4))
    np.testing.assert_allclose(distance, way.terms["distance"], rtol=1e-3)


def test_more_restarts_never_come_less_near(images: FloatArray) -> None:
    far = [
        ((projected(images, iterations=15, restarts=count) - images) ** 2).sum(axis=(1, 2, 3))
        for count in (1, 4)
    ]
    assert (far[1] <= far[0] + 1e-3).all()


def test_iterations_and_restarts_do_not_retrace(images: FloatArray) -> None:
    bare, made_by = zoo.load_once("model-1"), generator()
    for iterations, restarts in ((3, 1), (5, 2), (7, 3)):
        projected(images[:2], iterations=iterations, restarts=restarts)
        projection_path(bare, images[:1], iterations=iterations, restarts=restarts)
    for name in ("projected", "path"):
        compiled = made_by.compiled(name, lambda: pytest.fail("it was not compiled"))
        assert compiled.experimental_get_tracing_count() == 1


def test_latent_numbers_are_ordered_by_what_they_say() -> None:
    nats = generator_card().kl
    assert len(nats) == LATENT
    assert list(nats) == sorted(nats, reverse=True)
    held_back = to_float(load_mnist().train.images[-5000:])
    np.testing.assert_allclose(generator().kl(held_back), nats, rtol=1e-3)


def test_samples_are_images_and_follow_their_seed() -> None:
    first, again, other = (generator().sample(5, seed=seed) for seed in (1, 1, 2))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)
    assert first.shape == (5, 28, 28, 1)
    with pytest.raises(ValueError, match="samples is 0"):
        generator().sample(0)
    with pytest.raises(ValueError, match="Latent numbers"):
        generator().images(np.zeros((1, LATENT + 1), np.float32))


def test_the_error_on_the_card_is_measured() -> None:
    test = to_float(load_mnist().test.images)
    error = float(generator().reconstruction_error(test).mean())
    assert error == pytest.approx(generator_card().error, rel=1e-3)


@pytest.mark.parametrize(
    ("key", "words"),
    [
        ("autoencoders", "no defense 'autoencoders'"),
        ("projection-60", "write it like autoencoder or projection-60x4"),
        ("projection-0x4", "iterations is 0, outside 1 to 200"),
        ("projection-60x11", "restarts is 11, outside 1 to 10"),
        ("projection-sixtyx4", "no defense"),
    ],
)
def test_a_bad_key_is_one_sentence(key: str, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        defense_of(key)


def test_the_adaptive_attack_goes_through_the_autoencoder() -> None:
    """Static it holds for many of the images, adaptive for nearly none."""
    test = load_mnist().test.first(200)
    images, labels = to_float(test.images), test.labels.astype(np.int64)
    bare = zoo.load_once("model-1")
    defended = DefendedClassifier(bare, defense_of("autoencoder"))
    static = pgd(bare, images, Untargeted(labels), iterations=20, step_size=0.03).adversarial
    assert (defended.predict(static) == labels).mean() > 0.4
    through = pgd(defended, images, Untargeted(labels), iterations=20, step_size=0.03)
    assert through.standing.value < 0.05


def test_the_latent_attack_stays_in_its_ball(images: FloatArray, labels: IntArray) -> None:
    defended = DefendedClassifier(zoo.load_once("model-1"), (Projection(5, 1),))
    goal = Untargeted(labels)
    found = latent_attack(defended, images, goal, epsilon=0.4, iterations=30)
    assert found.linf.max() <= 0.4 + 1e-6
    assert np.array_equal(found.succeeded, goal.reached(defended.logits(found.adversarial)))
    before = goal.margin(defended.logits(images))
    assert (goal.margin(defended.logits(found.adversarial)) >= before - 1e-4).all()
    with pytest.raises(ValueError, match="iterations is 5"):
        latent_attack(defended, images, goal, iterations=5)


def _damaged(path: Path, how: str) -> Path:
    data = generative_file.path_of("autoencoder").read_bytes()
    copy = path / "autoencoder.safetensors"
    match how:
        case "cut":
            copy.write_bytes(data[:-100])
        case "changed":
            copy.write_bytes(data[:-4] + b"\x00\x00\x80\x3f")
        case "text":
            copy.write_bytes(b"no such thing")
        case "large":
            copy.write_bytes(bytes(2_000_001))
    return copy


@pytest.mark.parametrize(
    ("how", "words"),
    [
        ("missing", "autoencoder.safetensors is missing, so the denoising autoencoder"),
        ("cut", "is damaged"),
        ("changed", "the card belongs to other weights"),
        ("text", "is damaged"),
        ("large", "it has more than 2 MB"),
    ],
)
def test_a_damaged_file_is_one_sentence(
    how: str, words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("core.defenses.autoencoder.path_of", lambda _: _damaged(tmp_path, how))
    autoencoder.cache_clear()
    try:
        with pytest.raises(ValueError, match=words):
            autoencoder()
        parts, problems = purifiers()
    finally:
        autoencoder.cache_clear()
    assert [type(part) for part in parts] == [Projection]
    assert len(problems) == 1
    assert problems[0].endswith("restore it from the repository.")


def test_files_are_small_and_no_classifiers() -> None:
    for name in ("autoencoder", "generator"):
        assert generative_file.path_of(name).stat().st_size < 2_000_000
    assert not {"autoencoder", "generator"} & {card.name for card in zoo.available_models()}
    assert isinstance(autoencoder(), Autoencoder)
