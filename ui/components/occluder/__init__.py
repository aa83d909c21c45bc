"""The block that is dragged over a digit."""
