"""`data/latest.json`: which version of each dashboard readers see, and the rules by which it moves (pure)."""

from collections.abc import Mapping

import msgspec


class PointerError(ValueError):
    """The pointer is not what this version writes; the text says what to do."""


class SheetName(msgspec.Struct, frozen=True):
    """A sheet: its id in addresses, and its name for people."""

    id: str
    name: str


class DataSet(msgspec.Struct, frozen=True):
    """How fresh a dataset was when it was read: rows, its newest time (UTC, ISO), and after how many seconds
    that counts as stale.
    """

    rows: int
    through: str | None
    stale_after_seconds: int | None


class Published(msgspec.Struct, frozen=True):
    """A dashboard's version.

    Attributes:
        read_at: when the catalogue was asked what is published (epoch milliseconds): the newer one wins.
        digest: of all that the version is made from; equal ones are not published again.
        audiences: groups that have extracts of their own; none where everybody sees every row.
    """

    title: str
    version: str
    read_at: int
    digest: str
    sheets: tuple[SheetName, ...]
    data_sets: Mapping[str, DataSet]
    audiences: tuple[str, ...] = ()


class Latest(msgspec.Struct, frozen=True):
    """The whole pointer, by dashboard."""

    dashboards: Mapping[str, Published] = {}

    def with_newer(self, name: str, found: Published) -> "Latest | None":
        """With this version of a dashboard; None when what is there is newer, or the same."""
        known = self.dashboards.get(name)
        if known is not None and (known.digest == found.digest or known.read_at >= found.read_at):
            return None
        return Latest({**self.dashboards, name: found})

    def without_others(self, names: frozenset[str]) -> "Latest | None":
        """Without dashboards that are declared no longer; None when there are none."""
        kept = {name: found for name, found in self.dashboards.items() if name in names}
        return Latest(kept) if len(kept) < len(self.dashboards) else None


def written(latest: Latest) -> bytes:
    """The pointer as it lies in the bucket."""
    return msgspec.json.encode(latest, order="sorted")


def read(body: bytes) -> Latest:
    """The pointer of these bytes. Raises PointerError."""
    try:
        return msgspec.json.decode(body, type=Latest)
    except msgspec.DecodeError as error:
        raise PointerError(
            f"data/latest.json cannot be read: {error}. Write it anew: penstock site publish"
        ) from error
