"""Scripts that were downloaded earlier go on working: what they import, under its old name."""

import importlib
import sys
from collections.abc import Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType

_NOW = {
    "core.architecture": "core.network.architecture",
    "core.model": "core.network.model",
    "core.settings": "core.training.settings",
    "core.trainer": "core.training.trainer",
}


class MovedModules(MetaPathFinder, Loader):
    """Finds what no file has any more, so that nothing else is looked up here."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """What stands for a module's old name; None for every other name."""
        return ModuleSpec(fullname, self) if fullname in _NOW else None

    def exec_module(self, module: ModuleType) -> None:
        """Put the module itself in the place of an empty one."""
        sys.modules[module.__name__] = importlib.import_module(_NOW[module.__name__])


def find_moved() -> None:
    """Old names can be imported from now on."""
    sys.meta_path.append(MovedModules())
