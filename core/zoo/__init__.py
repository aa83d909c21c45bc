"""What ships, and how it was made."""

from core.zoo.models import MODELS, RECIPES, available_models, left_out, load, load_once

__all__ = ["MODELS", "RECIPES", "available_models", "left_out", "load", "load_once"]
