"""The page One noise, many images."""
