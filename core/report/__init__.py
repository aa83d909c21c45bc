"""E1 to E14: set, reported, measured."""
