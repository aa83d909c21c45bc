"""Attacks: small changes of an image after which a network says something else."""
