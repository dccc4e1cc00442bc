"""A viewer's choices in a page's address, and back."""

from collections.abc import Iterable

from dashboards.render.state import Drill, State, time_of


class AddressError(ValueError):
    """An address that says what cannot be."""


def state_of(pairs: Iterable[tuple[str, str]]) -> State:
    """The choices in a query string's pairs: p.<parameter>, f.<filter>, c.<visual>,
    d.<visual>=<unit>@<start>.

    Raises AddressError.
    """
    parameters: dict[str, tuple[str, ...]] = {}
    picks: dict[str, tuple[str, ...]] = {}
    clicks: dict[str, str] = {}
    drills: dict[str, tuple[Drill, ...]] = {}
    for key, value in pairs:
        kind, _, name = key.partition(".")
        if kind == "p":
            parameters[name] = (*parameters.get(name, ()), value)
        elif kind == "f":
            picks[name] = (*picks.get(name, ()), value)
        elif kind == "c":
            clicks[name] = value
        elif kind == "d":
            unit, _, start = value.partition("@")
            try:
                time_of(start)
            except ValueError as error:
                raise AddressError(
                    f"{key}={value}: {start!r} is not a time. Write day@2026-11-24T00:00:00."
                ) from error
            drills[name] = (*drills.get(name, ()), Drill(unit, start))
    return State(parameters, picks, clicks, drills)
