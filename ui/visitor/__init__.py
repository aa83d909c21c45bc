"""What a visitor chose, made and started."""
