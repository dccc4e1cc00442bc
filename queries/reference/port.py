"""The port to where the versions of reference tables lie, and to the catalog that says which one is read."""

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True)
class Version:
    """A version of a reference table.

    Attributes:
        name: from its columns and rows: the same rows have the same name.
        location: folder of its one file, in the reporting bucket.
        rows: how many it has.
        published_at: epoch milliseconds.
    """

    name: str
    location: str
    rows: int
    published_at: int


class ReferenceStore(Protocol):
    """The reporting bucket's part with reference tables, and their one partition each in the catalog."""

    def current(self, table: str) -> Version | None:
        """The version that queries read; None before the first. Raises MissingTableError."""
        ...

    def put(self, location: str, body: bytes) -> None:
        """Write the file of a version. Written again, it is the same."""
        ...

    def serve(self, table: str, version: Version) -> None:
        """Have queries read this version from now on. Raises MissingTableError."""
        ...


class MissingTableError(LookupError):
    """The catalog has no table of this name; the message says what to do."""
