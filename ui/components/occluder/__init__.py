"""The block that is dragged over an image."""
