"""The port to where reports lie: the files of runs, and the catalog that says which run readers see."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol


class SwapRefusedError(Exception):
    """The catalog did not take some partitions; the text says which and why. Publishing again is harmless."""


class NewerVersionError(Exception):
    """The catalog already serves a partition from a later claim: this run must not be published."""


@dataclass(frozen=True)
class Output:
    """What a run wrote for one partition: `failed` are values of `failed_check`; `columns` None: no files.

    `untold` are files whose footers do not say which values they have.
    """

    rows: int = 0
    bytes: int = 0
    files: int = 0
    untold: int = 0
    failed: tuple[str, ...] = ()
    columns: tuple[str, ...] | None = None


@dataclass(frozen=True)
class Entry:
    """One partition of a report's table: its value, its location, its parameters."""

    value: str
    location: str
    parameters: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class StoredRun:
    """A run's folder, and when its newest file was written (epoch milliseconds)."""

    location: str
    newest: int


class ReportStore(Protocol):
    """The reporting bucket and the report tables' partitions.

    Locations are prefixes in the bucket; elsewhere they are `s3://...`.
    """

    def url(self, location: str) -> str:
        """The location as Athena writes it, `s3://...`."""
        ...

    def outputs(self, location: str, grain: str) -> Mapping[str, Output]:
        """What lies in a run's folder, by partition; a partition without rows is absent."""
        ...

    def served(self, table: str, values: Sequence[str]) -> Mapping[str, Entry]:
        """What the catalog says of these partitions; those that it does not know are absent."""
        ...

    def registered(self, table: str, column: str, first: str) -> Mapping[str, Entry]:
        """Every partition that the catalog has, from the value `first` of `column` on."""
        ...

    def stored(self, prefix: str) -> Mapping[str, int]:
        """Bytes of the files that readers see, by folder of a partition of a run, below a report's prefix."""
        ...

    def swap(self, table: str, entries: Sequence[Entry]) -> None:
        """Make readers see these locations: each partition at once, not all together. At most 100.

        Raises NewerVersionError (for the lot, before anything is written) when a partition's `fence` is
        higher than the entry's, and SwapRefusedError when the catalog refused some.
        """
        ...

    def runs(self, prefix: str) -> Iterable[StoredRun]:
        """Every run's folder below a report's prefix."""
        ...

    def retire(self, location: str) -> int:
        """Give the files of a run's folder up for deletion; how many they were."""
        ...

    def put(self, key: str, body: bytes) -> None:
        """Write one small object, whole."""
        ...

    def get(self, key: str) -> bytes:
        """Such an object; nothing where there is none."""
        ...
