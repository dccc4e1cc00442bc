"""Jobs and a report that the tests of live updates have in common."""

from msgspec.structs import replace

from queries.api.reading.answers import ReportAnswer
from queries.jobs.state import Backfill, Expected, Import, Job

QUEUED = Job(
    job_id="one",
    kind="backfill",
    request=Backfill(report="orders_by_hour", first="2026-11-01-00", last="2026-11-09-00"),
    owner="somebody",
    expected=Expected(partitions=193),
    created_at=1_800_000_000_000,
    queued_at=1_800_000_000_000,
    revision=1,
)
PLANNED = replace(QUEUED, revision=3, state="RUNNING", chunks=3, done=(0,), started_at=1_800_000_001_000)
IMPORTED = replace(QUEUED, job_id="two", kind="import", request=Import(prefix="2013/", source="flights"))
REPORT = ReportAnswer(
    name="orders_by_hour", title="Orders", grain="event_hour", zone="UTC", schema_version=1, version="a",
    newest="2026-11-24-10", as_of="2026-11-24T10:00:00.000Z", published_at="2026-11-24T10:00:01.000Z",
    stale=False, access="all",
)  # fmt: skip
