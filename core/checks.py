"""One sentence for a value out of range: what it is, which range holds, and so what to do."""


def check_range(what: str, value: float, low: float, high: float) -> None:
    """Raise ValueError unless low <= value <= high; NaN is outside every range."""
    if not low <= value <= high:
        raise ValueError(
            f"{what} is {value:g}, outside {low:g} to {high:g}: choose a value inside."
        )


def check_choice(what: str, value: object, choices: "tuple[object, ...]") -> None:
    """Raise ValueError unless `value` is one of `choices`."""
    if value not in choices:
        listed = ", ".join(str(choice) for choice in choices)
        raise ValueError(f"{what} is {value!r}, not one of {listed}: choose one of these.")
