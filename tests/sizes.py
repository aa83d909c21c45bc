"""How large MNIST's images are, for tests that draw their own."""

from core.data.spec import MNIST

SIDE = MNIST.side
CLASSES = len(MNIST.classes)
