"""Everything that computes: the network, its training, and what is measured of it. Knows no screen."""
