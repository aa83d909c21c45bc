"""Small changes that fool it."""
