"""The trajectory player."""
