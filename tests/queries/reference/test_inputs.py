"""The version of a reference table is a part of what a partition was computed from."""

from collections.abc import Iterable, Mapping, Sequence

import pytest
from msgspec.structs import replace

from queries.commands.backfill import forecast
from queries.lake.inputs import combine
from queries.lake.port import Listed, summarize
from queries.ledger import rules
from queries.ledger.state import Input, PartitionState, Published
from queries.partitions import Key, LakeHour
from queries.reference.versions import UnpublishedReferenceError, require_published, unpublished
from queries.refresh.rendering import sql_sha
from queries.store.port import Entry
from tests.queries.reports import declared

HOUR = "2026-11-24-10"
AT = LakeHour("web_events", HOUR)
OBJECTS = [Listed(HOUR, f"web_events/event_hour={HOUR}/a", "tag", 10, 5)]
OLD, NEW = ({"reference_airlines": f"reference/airlines/version={name}/"} for name in "ab")
JOINED = declared(more="-- reference: airlines")


def input_with(references: Mapping[str, str]) -> Input:
    return combine(JOINED.report, HOUR, {AT: summarize(OBJECTS)}, references)


class Lake:
    """Has one object."""

    def objects(self, table: str, first: str, last: str) -> Mapping[str, Sequence[Listed]]:
        return {HOUR: OBJECTS}


class Ledger:
    """Knows the hour as published with the old version."""

    def partitions(self, keys: Iterable[Key]) -> Mapping[Key, PartitionState]:
        held, sha = input_with(OLD), sql_sha(JOINED)
        version = Published(location="l", fence=1, published_at=1, sql_sha=sha, input=held)
        state = replace(rules.new(Key("sample", HOUR)), published=version)
        return {state.key: replace(state, judged_input=held.digest, judged_sql=sha)}


class Store:
    """Serves these locations."""

    def __init__(self, served: Mapping[str, str]) -> None:
        self._served = served

    def served(self, table: str, values: Sequence[str]) -> Mapping[str, Entry]:
        return {value: Entry(value, self._served[table]) for value in values if table in self._served}


def test_a_new_version_is_another_input_and_none_is_the_input_of_a_report_without_references() -> None:
    hours = {AT: summarize(OBJECTS)}
    alone = combine(declared().report, HOUR, hours)
    digests = {alone.digest, input_with(OLD).digest, input_with(NEW).digest}
    assert len(digests) == 3
    assert combine(JOINED.report, HOUR, hours, {}).digest == alone.digest
    assert input_with(NEW).references == NEW
    assert combine(JOINED.report, HOUR, {}, NEW) == Input(), "an hour without events is computed from nothing"


@pytest.mark.parametrize(("references", "partitions"), [(None, 0), (OLD, 0), (NEW, 1)])
def test_a_backfill_is_forecast_for_what_a_new_version_changes(
    references: Mapping[str, str] | None, partitions: int
) -> None:
    plan = forecast(Ledger(), Lake(), JOINED, HOUR, HOUR, force=False, references=references)  # type: ignore[arg-type]
    assert len(plan.partitions) == partitions


def test_a_report_that_joins_what_was_never_published_is_not_tried() -> None:
    require_published(Store(NEW), JOINED.report)  # type: ignore[arg-type]
    require_published(Store({}), declared().report)  # type: ignore[arg-type]
    with pytest.raises(UnpublishedReferenceError, match="penstock reference publish"):
        require_published(Store({}), JOINED.report)  # type: ignore[arg-type]
    assert unpublished(NEW) == ""
