"""What the ledger holds: the state of each partition, the runs, and the versions that are served."""

from collections.abc import Mapping
from typing import Literal

import msgspec

from queries.partitions import Key

KEPT_RUNS = 3
"""Published runs before the current one that a partition can be rolled back to."""


class Input(msgspec.Struct, frozen=True, kw_only=True):
    """What the lake held for a partition when listed: objects, bytes, newest object (ms), a digest of all.

    `by_hour` has the objects of each lake hour; empty: not known. `references` has the location
    of the version of each reference table that was read.
    """

    objects: int = 0
    bytes: int = 0
    newest: int = 0
    digest: str = ""
    by_hour: Mapping[str, int] = {}
    references: Mapping[str, str] = {}


class Published(msgspec.Struct, frozen=True, kw_only=True):
    """One published version of a partition: the folder of its files; `as_of` is when its input was listed."""

    location: str
    fence: int
    published_at: int
    as_of: int = 0
    rows: int = 0
    bytes_scanned: int = 0
    query_execution_id: str = ""
    sql_sha: str = ""
    input: Input = Input()
    bytes: int | None = None
    """Size of its files; None: not known."""


class PartitionState(msgspec.Struct, frozen=True, kw_only=True):
    """One report partition.

    It is stale while `dirty_seq > published_seq`; `due_at` is set while it is stale and in no run, unless it
    was quarantined for good. While it is in a run, `due_next` says when what came meanwhile is due. `ran_at`
    is when the last run began, `fence` counts claims. `forced` asks for a run even where the input has not
    changed, and `accepts` for one even where the lake has lost some of it. `judged_input` and `judged_sql`
    are the digests of what the last finished run read and was: only a lake or a SQL file that differs from
    them calls for another run. `asked_by` is the round of a job that last marked it, by its mark `asked_seq`.
    """

    report: str
    partition: str
    revision: int = 0
    dirty_seq: int = 0
    first_dirty_at: int | None = None
    due_at: int | None = None
    due_next: int | None = None
    ran_at: int = 0
    forced: bool = False
    accepts: bool = False
    fence: int = 0
    claimed_seq: int = 0
    run_id: str | None = None
    published_seq: int = 0
    published: Published | None = None
    previous: tuple[Published, ...] = ()
    attempts: int = 0
    quarantined: bool = False
    last_error: str = ""
    judged_input: str = ""
    judged_sql: str = ""
    asked_by: str = ""
    asked_seq: int = 0

    @property
    def key(self) -> Key:
        """The partition's name."""
        return Key(self.report, self.partition)

    @property
    def is_stale(self) -> bool:
        """Whether the lake may hold what the published version does not."""
        return self.dirty_seq > self.published_seq

    @property
    def condition(self) -> Literal["running", "quarantined", "stale", "fresh"]:
        """The state in one word."""
        if self.run_id is not None:
            return "running"
        if self.quarantined:
            return "quarantined"
        return "stale" if self.is_stale else "fresh"


class Run(msgspec.Struct, frozen=True, kw_only=True):
    """Partitions of one report that one query execution computes.

    `fence` counts its owners: who holds an older one has lost the run. `inputs` and `as_of` are of the
    listing that was made before the claim. A run that `restores` an earlier version, or `repeats` what is
    published (by partition), computes nothing.
    """

    run_id: str
    report: str
    location: str
    sql_sha: str
    started_at: int
    as_of: int
    inputs: Mapping[str, Input]
    revision: int = 0
    fence: int = 1
    lease_until: int = 0
    state: Literal["running", "publishing"] = "running"
    query_execution_id: str | None = None
    restores: Published | None = None
    repeats: Mapping[str, Published] = {}

    @property
    def partitions(self) -> tuple[str, ...]:
        """The partitions in it, in order."""
        return tuple(sorted(self.inputs))

    @property
    def token(self) -> str:
        """Athena's ClientRequestToken: the same run asks for the same query execution, however often."""
        return self.run_id


class ConflictingRunError(Exception):
    """The partition is in a run; the text says what to do."""


class NoEarlierVersionError(LookupError):
    """The partition was published once, or never."""


class SupersededError(Exception):
    """Another worker owns the run by now; whoever gets this stops, and nothing is wrong."""
