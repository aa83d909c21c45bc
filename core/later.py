"""What is imported when it is asked for, because TensorFlow loads with it."""

import importlib
from collections.abc import Callable
from typing import Any


def offered(module: str, *names: str) -> Callable[[str], object]:
    """A package's `__getattr__` that offers `names` of a module, loaded with the first of them."""

    def find(name: str) -> object:
        if name not in names:
            raise AttributeError(name)
        return getattr(importlib.import_module(module), name)

    return find


class _Later:
    """Stands for a name of core.backend until something of it is asked for."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __getattr__(self, attribute: str) -> Any:
        return getattr(getattr(importlib.import_module("core.backend"), self._name), attribute)


keras: Any = _Later("keras")
tf: Any = _Later("tf")
