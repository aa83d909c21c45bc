"""The page Defenses."""
