"""Train a small network on MNIST, measure it, and save it as a file that the dashboard opens.

    python -m examples.train_and_save mine.safetensors

Upload the file on the page Training: the network is then in every page's model picker.
"""

import sys
from pathlib import Path

from core.data import Split, load_mnist, to_float
from core.network.architecture import Architecture, ConvBlock
from core.network.card import ModelCard
from core.network.classifier import Classifier
from core.network.evaluation import evaluate
from core.network.model import assign_weights, build_model, save_model
from core.training import Progress, train
from core.training.settings import TrainingSettings

ARCHITECTURE = Architecture(blocks=(ConvBlock(8), ConvBlock(16)), hidden_units=(64,))
SETTINGS = TrainingSettings(learning_rate=2e-3, epochs=1, batch_size=64, training_images=4_000)


def trained() -> Progress:
    """The last record of the training, its weights included; a line for every score."""
    for progress in train(ARCHITECTURE, load_mnist(), SETTINGS):
        if score := progress.test:
            print(f"step {progress.step:3}: test accuracy {score.accuracy.value:.1%}")
    return progress


def saved(progress: Progress, test: Split, path: Path) -> Classifier:
    """The network, written to `path` with a card that says how it was made and what it reaches."""
    model = build_model(ARCHITECTURE)
    assert progress.weights is not None  # the last record always has them
    assign_weights(model, progress.weights)
    classifier = Classifier(model, name="Mine")
    card = ModelCard(
        name=path.stem,
        title="Mine",
        description="Two convolutions, 4,000 images, one epoch",
        architecture=ARCHITECTURE,
        settings=SETTINGS.to_dict(),
        steps=progress.step,
        seconds=progress.seconds,
        test=evaluate(classifier, to_float(test.images), test.labels).accuracy,
        parameters=model.count_params(),
        version=classifier.version,
        data_digest=load_mnist().digest,
    )
    save_model(path, model, card)
    low, high = card.test.interval
    print(f"{path}: right on {card.test.value:.1%} [{low:.1%}, {high:.1%}] of {card.test.total:,}")
    return classifier


if __name__ == "__main__":
    saved(trained(), load_mnist().test, Path(sys.argv[1]))
