"""What made the difference between two versions of a number: events that came, and SQL that was changed."""

from collections import Counter
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from queries.engine.port import QueryFailedError
from queries.lake.port import Listed
from queries.partitions import LakeHour, window
from queries.receipts import composing
from queries.receipts.around import Around, RunName, Surroundings
from queries.receipts.cell import Asked, Cell, shown
from queries.receipts.errors import CannotTraceError
from queries.receipts.explaining import Explainer
from queries.receipts.known_versions import Known
from queries.receipts.model import Change, Comparison, Sample
from queries.receipts.statements import again, in_objects, listing
from queries.receipts.versions import find_version, inputs_of_version, sql_changes
from queries.refresh.catalog import ReportQuery

LATE, CAME, REPLAYED = "late arrival", "arrived later", "failed, and was replayed"
BY_SQL, GONE = "the SQL was changed", "its object is gone or was written anew"


@dataclass(frozen=True)
class _Side:
    """A version and the URLs of the objects that it was computed from, as far as they are known."""

    known: Known
    urls: frozenset[str]
    are_known: bool

    @property
    def only(self) -> str:
        """The condition that its rows meet."""
        return in_objects(sorted(self.urls))


def compare(
    explainer: Explainer, surroundings: Surroundings, query: ReportQuery, asked: Asked, number: int
) -> Comparison:
    """The served version beside an earlier one. Raises UnknownCellError, UnknownVersionError."""
    state, cell, known = explainer.versions(query, asked)
    wanted = find_version(state, number)
    old = next(one for one in known if one.published == wanted)
    objects = explainer.objects(query.report, cell.partition)
    before, after = (_side(explainer, query, cell, one, objects) for one in (old, known[0]))
    unexplained, by_sql, added, removed = "", None, list[Sample](), list[Sample]()
    try:
        by_sql, added, removed = _differences(explainer, before, after, cell)
    except CannotTraceError as error:
        unexplained = f"cannot be traced, because {error}"
    around = (
        surroundings.look(query.tables, window(query.report, cell.partition), tuple) if added else Around()
    )
    changes = [Change(event, True, _why_added(event, before, around)) for event in added]
    changes += [Change(event, False, BY_SQL if event.object in after.urls else GONE) for event in removed]
    is_changed = old.version.sql_sha != known[0].version.sql_sha
    counts = Counter(f"{'+' if each.is_added else '-'} {each.why}" for each in changes)
    was, is_now = old.version, known[0].version
    return Comparison(
        headline=_headline(cell, old, known[0], counts, unexplained, is_changed=is_changed),
        report=query.report.name,
        partition=cell.partition,
        keys={name: composing.json_value(value) for name, value in cell.keys.items()},
        column=cell.column,
        old=was,
        new=is_now,
        by_sql=composing.json_value(by_sql),
        sql_changed=is_changed,
        sql_changes=sql_changes(was.sql, is_now.sql) if is_changed and was.sql and is_now.sql else "",
        changes=tuple(changes),
        counts=dict(counts),
        unexplained=unexplained,
        digests=(composing.digest(cell, was), composing.digest(cell, is_now)),
    )


def _side(
    explainer: Explainer,
    query: ReportQuery,
    cell: Cell,
    known: Known,
    objects: Mapping[LakeHour, Sequence[Listed]],
) -> _Side:
    inputs = inputs_of_version(query.report, known.published, cell.partition, objects)
    return _Side(known, frozenset(map(explainer.lake_url, inputs.keys)), inputs.are_known)


def _differences(
    explainer: Explainer, before: _Side, after: _Side, cell: Cell
) -> tuple[Any, list[Sample], list[Sample]]:
    """The number by the new SQL over the old objects, and the events that only one version counts.

    Raises CannotTraceError.
    """
    old, new = before.known, after.known
    if old.query is None or new.query is None:
        which = old if old.query is None else new
        raise CannotTraceError(f"the SQL of version {which.version.number} is not known any more")
    for side in (before, after):
        if not side.are_known:
            number = side.known.version.number
            raise CannotTraceError(
                f"objects that version {number} was computed from were written anew or are gone"
            )
    counted_then = listing(old.query, cell, before.only)
    counted_now = listing(new.query, cell, after.only)
    texts = [counted_now.without(counted_then), counted_then.without(counted_now)]
    if old.version.sql_sha != new.version.sql_sha:
        texts.append(again(new.query, cell, before.only))
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


def _why_added(event: Sample, before: _Side, around: Around) -> str:
    if event.object in before.urls:
        return BY_SQL
    if (RunName(event.producer_id, event.epoch), event.seq) in around.failed_names:
        return REPLAYED
    return LATE if event.is_late else CAME


def _headline(
    cell: Cell, old: Known, new: Known, counts: Mapping[str, int], unexplained: str, *, is_changed: bool
) -> str:
    number = f"{cell}: {shown(old.value)} (version {old.version.number}) -> {shown(new.value)}"
    if unexplained:
        return f"NOT EXPLAINED: {number}: {unexplained}"
    parts = [f"{named[0]}{count:,} {named[2:]}" for named, count in sorted(counts.items())]
    if is_changed:
        parts.append("other SQL")
    return f"{number}: {', '.join(parts) or 'no event and no SQL is another'}"
