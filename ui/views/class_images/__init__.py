"""The page Class images."""
