"""A network: its description, weights, answers."""
