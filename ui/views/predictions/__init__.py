"""The page Predictions."""
