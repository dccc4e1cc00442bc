"""What requests of the site's page say, checked (pure)."""

from collections.abc import Sequence
from typing import TypeVar
from urllib.parse import parse_qsl

import msgspec

from dashboards.board.address import AddressError, state_of
from dashboards.render.state import State
from queries.api.site_answers import NumberBody, ViewBody

MOST_CHOICES = 500
Body = TypeVar("Body", ViewBody, NumberBody)


class AskedError(ValueError):
    """The request cannot be read; the text says what is wrong with it and what may be sent."""


def read_view(body: bytes) -> tuple[ViewBody, State]:
    """Which sheet is asked for, under which choices. Raises AskedError."""
    return _read(body, ViewBody, "sheet, version and state")


def read_number(body: bytes) -> tuple[NumberBody, State]:
    """Which number is asked about, under which choices. Raises AskedError."""
    return _read(body, NumberBody, "version, visual, column, at and state")


def _read(body: bytes, of: type[Body], members: str) -> tuple[Body, State]:
    try:
        asked = msgspec.json.decode(body, type=of)
    except (msgspec.DecodeError, RecursionError) as error:
        raise AskedError(f"{error}. Send a JSON object with {members}.") from error
    return asked, state_asked(asked.state)


def state_asked(text: str, beside: Sequence[str] = ()) -> State:
    """A viewer's choices in a query string; `beside` are parameters that are none. Raises AskedError."""
    try:
        pairs = parse_qsl(text, keep_blank_values=True, max_num_fields=MOST_CHOICES, errors="strict")
    except ValueError as error:
        raise AskedError(f"The choices cannot be read. Send {MOST_CHOICES} of them at most.") from error
    chosen = [pair for pair in pairs if pair[0] not in beside]
    if wrong := next((name for name, _ in chosen if name[:2] not in ("p.", "f.", "c.", "d.")), None):
        raise AskedError(f"There is no parameter {wrong[:60]!r}. Choices begin with p., f., c. or d.")
    try:
        return state_of(chosen)
    except AddressError as error:
        raise AskedError(str(error)) from error


def version_asked(text: str) -> str:
    """The version that a query string names as `v`. Raises AskedError."""
    found = [value for name, value in parse_qsl(text, keep_blank_values=True) if name == "v"]
    if len(found) != 1:
        raise AskedError("Name the version once: v=VERSION, as GET /api/v1/dashboards says it.")
    return found[0]
