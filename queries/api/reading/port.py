"""The ports of the read API: what the ledger says, and the objects and rows of published versions."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

from queries.contracts import Report
from queries.ledger.state import PartitionState, Published


class Object(NamedTuple):
    """An object of the reporting bucket, and its size in bytes."""

    key: str
    size: int


class Version(NamedTuple):
    """A published version of a partition."""

    partition: str
    published: Published


@dataclass(frozen=True)
class Selection:
    """Which rows of a report: those that have one of the values in each column of `conditions`."""

    report: Report
    conditions: Mapping[str, tuple[Any, ...]]


class Row(NamedTuple):
    """A row: its partition, and its values in the order of the report's columns."""

    partition: str
    values: tuple[Any, ...]


class Standings(Protocol):
    """The ledger's partitions of a report. Reads are strongly consistent."""

    def newest(self, report: str, limit: int) -> Sequence[PartitionState]:
        """The last ones by name, the newest first."""
        ...

    def between(self, report: str, first: str, last: str, limit: int) -> Sequence[PartitionState]:
        """The first ones from `first` to `last`, both included, in order."""
        ...


class Objects(Protocol):
    """Objects of the reporting bucket."""

    def below(self, prefix: str) -> Sequence[Object]:
        """Those that readers see below a prefix, in order."""
        ...

    def read(self, keys: Sequence[str]) -> Sequence[bytes]:
        """The bytes of each."""
        ...

    def address(self, key: str, seconds: int) -> str:
        """An address at which anybody can read the object for so long."""
        ...


class RowReader(Protocol):
    """Rows of published versions."""

    def rows(
        self, selection: Selection, versions: Sequence[Version], *, skip: int, limit: int
    ) -> Sequence[Row]:
        """`limit` rows behind the first `skip`, ordered by partition and then by the report's keys.

        The order is the same whenever the same versions are read. Raises RowsMissingError, TooLargeError.
        """
        ...
