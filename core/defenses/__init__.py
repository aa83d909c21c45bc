"""What stands in front, and an attacker who knows."""
