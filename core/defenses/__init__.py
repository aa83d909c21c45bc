"""Defenses: robust training, certified bounds, and what stands in front of a classifier."""
