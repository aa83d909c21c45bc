"""What a network is made of: a class for each kind of layer, which says all that depends on it."""
