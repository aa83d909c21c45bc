"""The pad to draw on."""
