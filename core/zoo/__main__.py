"""How what ships is made, and listed.

    python -m core.zoo train model-1     train it in full, write assets/models/model-1.safetensors
    python -m core.zoo robust            the same for the model that is trained on attacked images
    python -m core.zoo certified         and for the one that is trained on interval bounds, too
    python -m core.zoo autoencoder       train the denoising autoencoder in assets/defenses
    python -m core.zoo generator         and the generator of digits beside it
    python -m core.zoo measure robust    measure a shipped model anew, and write its card
    python -m core.zoo list              the cards

The robust two take long: each epoch is written to <name>.training.<seed>.npz beside the model, or
to the file named behind the command (its seed before the suffix), and an interrupted training goes
on from there.
"""

import sys
from dataclasses import replace
from pathlib import Path

from core.training.robust.settings import SHIPPED
from core.zoo.models import (
    MODELS,
    RECIPES,
    available_models,
    measure_and_save,
    train_and_save,
    train_robust_and_save,
)


def main(arguments: list[str]) -> None:
    """Do what the arguments say, or print how they are written."""
    match arguments:
        case ["train", name] if name in RECIPES and name not in SHIPPED:
            train_and_save(name)
        case ["measure", name] if name in RECIPES:
            measure_and_save(name)
        case [name, *files] if name in SHIPPED and len(files) < 2:
            train_robust_and_save(name, Path(*files) if files else MODELS / f"{name}.training.npz")
        case ["autoencoder" | "generator" as name]:
            from core.zoo.generative_training import train_and_save as train_purifier

            train_purifier(name)
        case ["list"]:
            for card in available_models():
                print(replace(card, curve=()))
        case _:
            plain = "|".join(name for name in RECIPES if name not in SHIPPED)
            sys.exit(
                f"Usage: python -m core.zoo list | measure {'|'.join(RECIPES)} | train {plain} | "
                f"{'|'.join(SHIPPED)} [checkpoint] | autoencoder | generator"
            )


if __name__ == "__main__":
    main(sys.argv[1:])
