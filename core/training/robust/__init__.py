"""How robust models learn: an attack and interval bounds in every step."""
