"""What made the difference between two versions of a number: events that came, and SQL that was changed."""

from collections import Counter
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from queries.engine.port import QueryFailedError
from queries.partitions import window
from queries.receipts import composing
from queries.receipts.around import Around, RunName, Surroundings
from queries.receipts.cell import Asked, Cell, shown
from queries.receipts.errors import CannotTraceError
from queries.receipts.explaining import Explainer
from queries.receipts.known_versions import Known
from queries.receipts.model import Change, Comparison, Sample
from queries.receipts.statements import again, in_objects, listing
from queries.receipts.versions import Inputs, find_version, inputs_of_version, sql_changes
from queries.refresh.catalog import ReportQuery

LATE, CAME, REPLAYED = "late arrival", "arrived later", "failed, and was replayed"
BY_SQL, GONE = "the SQL was changed", "its object is gone or was written anew"


@dataclass(frozen=True)
class _Sides:
    """The two versions with the conditions that their rows meet."""

    old: Known
    new: Known
    old_inputs: Inputs
    new_inputs: Inputs
    old_only: str
    new_only: str


def compare(
    explainer: Explainer, surroundings: Surroundings, query: ReportQuery, asked: Asked, number: int
) -> Comparison:
    """The served version beside an earlier one. Raises UnknownCellError, UnknownVersionError."""
    state, cell, known = explainer.versions(query, asked)
    wanted = find_version(state, number)
    old = next(one for one in known if one.published == wanted)
    sides = _sides(explainer, query, cell, old, known[0])
    unexplained, by_sql, added, removed = "", None, list[Sample](), list[Sample]()
    try:
        by_sql, added, removed = _differences(explainer, sides, cell)
    except CannotTraceError as error:
        unexplained = f"cannot be traced, because {error}"
    around = surroundings.look(query.tables, window(query.report, cell.partition), []) if added else Around()
    changes = [Change(event, True, _why_added(event, sides, explainer, around)) for event in added]
    changes += [Change(event, False, _why_removed(event, sides, explainer)) for event in removed]
    is_changed = old.version.sql_sha != known[0].version.sql_sha
    counts = Counter(f"{'+' if each.is_added else '-'} {each.why}" for each in changes)
    before, after = old.version, known[0].version
    return Comparison(
        headline=_headline(cell, sides, counts, unexplained, is_changed=is_changed),
        report=query.report.name,
        partition=cell.partition,
        keys={name: composing.json_value(value) for name, value in cell.keys.items()},
        column=cell.column,
        old=before,
        new=after,
        by_sql=composing.json_value(by_sql),
        sql_changed=is_changed,
        sql_changes=sql_changes(before.sql, after.sql) if is_changed and before.sql and after.sql else "",
        changes=tuple(changes),
        counts=dict(counts),
        unexplained=unexplained,
        digests=(composing.digest(cell, before), composing.digest(cell, after)),
    )


def _sides(explainer: Explainer, query: ReportQuery, cell: Cell, old: Known, new: Known) -> _Sides:
    objects = explainer.objects(query.report, cell.partition)
    before, after = (
        inputs_of_version(query.report, one.published, cell.partition, objects) for one in (old, new)
    )
    only = [in_objects(sorted(map(explainer.lake_url, each.keys))) for each in (before, after)]
    return _Sides(old, new, before, after, old_only=only[0], new_only=only[1])


def _differences(explainer: Explainer, sides: _Sides, cell: Cell) -> tuple[Any, list[Sample], list[Sample]]:
    """The number by the new SQL over the old objects, and the events that only one version counts.

    Raises CannotTraceError.
    """
    old, new = sides.old, sides.new
    if old.query is None or new.query is None:
        which = old if old.query is None else new
        raise CannotTraceError(f"the SQL of version {which.version.number} is not known any more")
    if not sides.old_inputs.are_known:
        raise CannotTraceError(
            f"objects that version {old.version.number} was computed from were written anew or are gone"
        )
    before = listing(old.query, cell, sides.old_only)
    after = listing(new.query, cell, sides.new_only)
    texts = [after.without(before), before.without(after)]
    if old.version.sql_sha != new.version.sql_sha:
        texts.append(again(new.query, cell, sides.old_only))
    try:
        with ThreadPoolExecutor(len(texts)) as pool:
            found = list(pool.map(explainer.engine.rows, texts))
    except QueryFailedError as error:
        raise CannotTraceError(f"the statement that compares its events failed: {error}") from error
    added, removed = ([composing.sample(row) for row in composing.records(each)] for each in found[:2])
    by_sql = None
    if len(found) > 2:
        by_sql = found[2].rows[0][0] if found[2].rows else None
    return by_sql, added, removed


def _why_added(event: Sample, sides: _Sides, explainer: Explainer, around: Around) -> str:
    if event.object in set(map(explainer.lake_url, sides.old_inputs.keys)):
        return BY_SQL
    if (RunName(event.producer_id, event.epoch), event.seq) in around.failed_names:
        return REPLAYED
    return LATE if event.is_late else CAME


def _why_removed(event: Sample, sides: _Sides, explainer: Explainer) -> str:
    return BY_SQL if event.object in set(map(explainer.lake_url, sides.new_inputs.keys)) else GONE


def _headline(
    cell: Cell, sides: _Sides, counts: Mapping[str, int], unexplained: str, *, is_changed: bool
) -> str:
    old, new = sides.old, sides.new
    number = f"{cell}: {shown(old.value)} (version {old.version.number}) -> {shown(new.value)}"
    if unexplained:
        return f"NOT EXPLAINED: {number}: {unexplained}"
    parts = [f"{named[0]}{count:,} {named[2:]}" for named, count in sorted(counts.items())]
    if is_changed:
        parts.append("other SQL")
    return f"{number}: {', '.join(parts) or 'no event and no SQL is another'}"
