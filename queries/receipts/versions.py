"""The versions of a partition: what each was computed from, and by which SQL (pure)."""

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations, islice

from queries.contracts import Report
from queries.lake.inputs import inputs_of
from queries.lake.port import Listed
from queries.ledger.state import PartitionState, Published
from queries.partitions import LakeHour
from queries.receipts.errors import UnknownVersionError

_MOST_GUESSES = 2_000
_BEFORE, _AFTER = "\nSELECT * FROM (\n", "\n) AS analyst) AS computed) AS typed\n"

Objects = Mapping[LakeHour, Sequence[Listed]]


@dataclass(frozen=True)
class Inputs:
    """The objects of the lake that a version was computed from.

    `are_known`: they give the digest that the version has. Otherwise some are gone or were written anew, and
    `keys` are those that were written until then.
    """

    keys: frozenset[str]
    are_known: bool


def version_numbers(state: PartitionState) -> list[int]:
    """The numbers of the versions that are kept, the served one first."""
    return [version.fence for version in versions_of(state)]


def versions_of(state: PartitionState) -> list[Published]:
    """The versions that are kept, the served one first."""
    return [*([state.published] if state.published else []), *state.previous]


def find_version(state: PartitionState, number: int) -> Published:
    """The version of this number. Raises UnknownVersionError."""
    for version in versions_of(state):
        if version.fence == number:
            return version
    kept = ", ".join(map(str, version_numbers(state))) or "none"
    raise UnknownVersionError(f"{state.key} has no version {number}. Kept are: {kept}.")


def inputs_of_version(report: Report, version: Published, partition: str, objects: Objects) -> Inputs:
    """Which of the objects that lie in the lake today the version was computed from.

    They are those that were written until its newest. S3 tells seconds only, so that of several which were
    written in the same second some may have come too late: the digest tells which.
    """
    every = [one for listed in objects.values() for one in listed if one.bytes]
    before = [one for one in every if one.modified <= version.input.newest]
    tied = [one for one in before if one.modified // 1000 == version.input.newest // 1000]
    surplus = len(before) - version.input.objects
    guesses = combinations(tied, surplus) if 0 <= surplus <= len(tied) else iter(())
    for left_out in islice(guesses, _MOST_GUESSES):
        keys = frozenset(one.key for one in before) - {one.key for one in left_out}
        kept = {hour: [one for one in listed if one.key in keys] for hour, listed in objects.items()}
        found = inputs_of(report, [partition], kept, version.input.references)[partition]
        if found.digest == version.input.digest:
            return Inputs(keys, are_known=True)
    return Inputs(frozenset(one.key for one in before), are_known=False)


def written_sql(statement: str) -> str | None:
    """The report's own SQL in the statement of a run; None when the text is none of a run."""
    _, found, rest = statement.partition(_BEFORE)
    sql, ended, _ = rest.rpartition(_AFTER)
    return sql if found and ended else None


def sql_changes(old: str, new: str) -> str:
    """What changed from one SQL to the other, as a unified diff without its head; empty when nothing did."""
    lines = difflib.unified_diff(old.splitlines(), new.splitlines(), lineterm="", n=1)
    return "\n".join(list(lines)[2:])
