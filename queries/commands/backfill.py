"""Computing old periods again: which partitions differ from what is published, and what they will cost."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from queries.commands.cost import billed_bytes, dollars
from queries.lake.inputs import inputs_of, read_objects
from queries.lake.port import LakeIndex
from queries.ledger.port import LedgerTable
from queries.ledger.rules import CHUNK
from queries.ledger.state import Input, PartitionState
from queries.partitions import Key, window
from queries.partitions import partitions_between as between
from queries.refresh.catalog import ReportQuery
from queries.refresh.rendering import sql_sha


class PeriodError(ValueError):
    """The period has no partition in it, or is the wrong way round."""


@dataclass(frozen=True)
class Forecast:
    """What a backfill will take.

    Attributes:
        partitions: those that differ from what is published, in order.
        unchanged: how many in the period are as they would become.
        statements: query executions.
        bytes_scanned, dollars: expected; an upper bound when the report never ran (`measured` is False).
    """

    partitions: tuple[Key, ...]
    unchanged: int
    statements: int
    bytes_scanned: int
    dollars: float
    measured: bool


def partitions_between(query: ReportQuery, first: str, last: str) -> list[str]:
    """The report's partitions from `first` to `last`, both included. Raises PeriodError, ValueError."""
    start, _ = window(query.report, first)
    last_start, end = window(query.report, last)
    if last_start < start:
        raise PeriodError(f"The period ends ({last}) before it begins ({first}).")
    return sorted(between(query.report, start, end))


def forecast(
    ledger: LedgerTable,
    lake: LakeIndex,
    query: ReportQuery,
    first: str,
    last: str,
    *,
    force: bool,
    references: Mapping[str, str] | None = None,
) -> Forecast:
    """What computing this period again takes. With `force` also partitions that would not change.
    `references` are the versions of the reference tables that it joins; without them, a partition is asked
    whether it differs from what those give that it was computed with.

    Partitions without lake objects that were never published are left out.
    """
    wanted = partitions_between(query, first, last)
    keys = [Key(query.report.name, partition) for partition in wanted]
    known = ledger.partitions(keys)
    objects = read_objects(lake, query.report, wanted)
    inputs: dict[str, Input] = {}
    for read, members in _by_references(keys, known, references):
        inputs |= inputs_of(query.report, members, objects, read)
    sha = sql_sha(query)
    concerned = [key for key in keys if inputs[key.partition].objects or key in known]
    todo = [key for key in concerned if force or _differs(known.get(key), inputs[key.partition], sha)]
    size = 1 if query.report.context_seconds else CHUNK
    statements = -(-len(todo) // size)
    share, measured = _scanned_share(known)
    scanned = int(sum(inputs[key.partition].bytes for key in todo) * share)
    return Forecast(
        partitions=tuple(todo),
        unchanged=len(concerned) - len(todo),
        statements=statements,
        bytes_scanned=scanned,
        dollars=dollars(billed_bytes(scanned, statements)),
        measured=measured,
    )


def _by_references(
    keys: Sequence[Key], known: Mapping[Key, PartitionState], references: Mapping[str, str] | None
) -> list[tuple[Mapping[str, str], list[str]]]:
    """The partitions, together where the same versions of reference tables are asked about."""
    found: list[tuple[Mapping[str, str], list[str]]] = []
    for key in keys:
        read = references
        if read is None:
            state = known.get(key)
            read = state.published.input.references if state and state.published else {}
        if not found or found[-1][0] != read:
            found.append((read, []))
        found[-1][1].append(key.partition)
    return found


def _differs(state: PartitionState | None, found: Input, sha: str) -> bool:
    return state is None or state.is_stale or state.judged_input != found.digest or state.judged_sql != sha


def _scanned_share(known: Mapping[Key, PartitionState]) -> tuple[float, bool]:
    """Bytes scanned per byte of input, from what is published; 1 when nothing is."""
    versions = [
        state.published for state in known.values() if state.published and state.published.input.bytes
    ]
    read = sum(version.input.bytes for version in versions)
    return (sum(version.bytes_scanned for version in versions) / read, True) if read else (1.0, False)
