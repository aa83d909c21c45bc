"""Measurements over many images, as jobs."""
