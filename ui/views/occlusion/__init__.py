"""The page Occlusion."""
