"""The page Adversarial."""
