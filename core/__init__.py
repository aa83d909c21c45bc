"""Everything that computes: the network, its training, what is measured of it. Knows no screen."""

from core.moved import find_moved

find_moved()
