"""Where the next page begins: a partition, the version of it that was read, and how many rows were given.

A cursor is text for the caller to send back. It gives nobody more than the request without it would.
"""

import base64
import binascii
from typing import NamedTuple

import msgspec

from queries.api.reading.errors import AskedError


class Cursor(NamedTuple):
    """`fence` is that of the version whose first `offset` rows were given; without any it does not matter."""

    partition: str
    fence: int
    offset: int


def cursor_text(cursor: Cursor) -> str:
    """The cursor as it stands in an address."""
    return base64.urlsafe_b64encode(msgspec.json.encode(cursor)).decode().rstrip("=")


def read_cursor(text: str) -> Cursor:
    """The cursor. Raises AskedError."""
    try:
        raw = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
        found = msgspec.json.decode(raw, type=tuple[str, int, int])
    except (binascii.Error, ValueError, msgspec.DecodeError) as error:
        raise AskedError("The cursor cannot be read. Send the one of the page before, as it was.") from error
    cursor = Cursor(*found)
    if not (0 <= cursor.fence < 2**53 and 0 <= cursor.offset < 2**53):
        raise AskedError("The cursor cannot be read. Send the one of the page before, as it was.")
    return cursor
