"""What every catalog has in common: an entry whose settings are read from its function."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from functools import cached_property
from inspect import signature
from typing import Any, ClassVar

import numpy as np

from core.checks import as_written

Value = float | int | str | bool


@dataclass(frozen=True)
class Dial:
    """How a setting is asked for: from low to high in steps, one of `choices`, or on and off.

    free: whether it changes how far or which way, and never how long.
    """

    label: str
    low: float = 0.0
    high: float = 0.0
    step: float = 0.0
    choices: tuple[str, ...] = ()
    help: str = ""
    free: bool = False


@dataclass(frozen=True, kw_only=True)
class Setting(Dial):
    """A dial with the name and the default that the function's signature has for it."""

    name: str
    default: Value


@dataclass(frozen=True, eq=False, kw_only=True)
class Entry:
    """A function of a catalog, what it does and what it is for, its source, and its settings.

    dials: of its settings, by the name of the keyword-only parameter, where the catalog has not
    shared ones; what has no dial stays as the function has it. looks: how many forward or
    backward passes one image takes, of the settings that this depends on by name. Raises
    ValueError on a dial without a parameter, and on a setting whose cost nobody says.
    """

    shared: ClassVar[Mapping[str, Dial]] = {}
    beside: ClassVar[frozenset[str]] = frozenset()  # what `looks` may take that is no setting

    name: str
    run: Callable[..., Any]
    summary: str
    purpose: str
    source: str
    dials: Mapping[str, Dial] = field(default_factory=dict)
    looks: Callable[..., int]

    def __post_init__(self) -> None:
        parameters, counted = _keywords(self.run), set(signature(self.looks).parameters)
        if absent := sorted((self.dials.keys() | counted) - parameters.keys() - self.beside):
            raise ValueError(f"{self.name} has no parameter {', '.join(absent)}: see its function.")
        costly = {setting.name for setting in self.settings if not setting.free}
        if unknown := sorted(costly - counted):
            raise ValueError(
                f"{self.name} does not say what {', '.join(unknown)} costs: "
                "let `looks` take it, or say that its dial is free."
            )

    @cached_property
    def settings(self) -> tuple[Setting, ...]:
        """What there is a dial for, in the order of the signature."""
        dials = {**self.shared, **self.dials}
        return tuple(
            Setting(**_fields(dials[name]), name=name, default=default)
            for name, default in _keywords(self.run).items()
            if name in dials
        )

    def defaults(self) -> dict[str, Value]:
        """Each setting's default by name."""
        return {setting.name: setting.default for setting in self.settings}

    def settled(self, settings: Mapping[str, Value]) -> dict[str, Value]:
        """`settings` with every fraction as it is written: so one title is one computation.

        For whoever keeps or shows a result under them. Raises ValueError on a setting that the
        entry has not.
        """
        if unknown := set(settings) - set(self.defaults()):
            raise ValueError(
                f"{self.name} has no setting {', '.join(sorted(unknown))}: "
                f"choose of {', '.join(self.defaults())}."
            )
        return {
            name: as_written(value) if isinstance(value, float | np.floating) else value
            for name, value in settings.items()
        }

    def work(self, settings: Mapping[str, Value]) -> int:
        """How many looks at the network one image takes with `settings`, at most and roughly."""
        every = {**_keywords(self.run), **settings}
        return self.looks(**{name: every[name] for name in signature(self.looks).parameters})


def _keywords(function: Callable[..., Any]) -> dict[str, Any]:
    """The keyword-only parameters of a function, and their defaults."""
    parameters = signature(function).parameters.values()
    return {each.name: each.default for each in parameters if each.kind is each.KEYWORD_ONLY}


def _fields(dial: Dial) -> dict[str, Any]:
    return {each.name: getattr(dial, each.name) for each in fields(Dial)}
