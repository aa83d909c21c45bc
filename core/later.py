"""Names that a package offers, imported when they are asked for: TensorFlow loads with them."""

import importlib
from collections.abc import Callable


def offered(module: str, *names: str) -> Callable[[str], object]:
    """A package's `__getattr__` that offers `names` of a module, loaded with the first of them."""

    def find(name: str) -> object:
        if name not in names:
            raise AttributeError(name)
        return getattr(importlib.import_module(module), name)

    return find
