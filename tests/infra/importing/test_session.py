"""Imports into a lake: the same rows change nothing, whatever ends an import, and every row is accounted for."""

import fcntl
import io
import os
import random
from itertools import count
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from infra.importing import run, session
from infra.importing.session import ImportRunningError, NotUniqueError
from tests.infra.importing.world import VIEWS, Bucket, KilledError, row, run_import, write
from tests.shop import TABLE
from transforms.failed.arrow import arrow_schema
from transforms.failed.error_objects import FailedRecord, read_error_object

KILLS = int(os.environ.get("PENSTOCK_TEST_KILLS", "12"))
ROWS = [row(number) for number in range(1, 401)]


def lake(bucket: Bucket) -> pa.Table:
    """Every row of the lake."""
    objects = [key for key in sorted(bucket.bodies) if key.startswith(TABLE.prefix)]
    return pa.concat_tables(pq.read_table(io.BytesIO(bucket.bodies[key])) for key in objects)


def numbers(bucket: Bucket) -> list[int]:
    """The sequence numbers in the lake and among the failed records, in order; 0 is the audit."""
    found: list[int] = lake(bucket).column("seq").to_pylist()
    return sorted([*found, *(int(each.raw.split(b'"seq":')[1].split(b",")[0]) for each in failed(bucket))])


def failed(bucket: Bucket) -> list[FailedRecord]:
    """The failed records."""
    return [
        each
        for key in sorted(bucket.bodies)
        if key.startswith("failed/")
        for each in read_error_object(key, bucket.bodies[key])
        if isinstance(each, FailedRecord)
    ]


def test_rows_become_lake_objects_of_their_hours_and_are_numbered_without_a_gap(tmp_path: Path) -> None:
    bucket, notified = Bucket(), list[str]()
    outcome = run_import(bucket, tmp_path / "state", [write(tmp_path / "a.csv", ROWS)], notified=notified)
    assert (outcome.totals.landed, outcome.hours, outcome.totals.failed) == (400, 9, 0)
    assert numbers(bucket) == list(range(401))
    assert sorted(notified) == sorted(bucket.bodies)
    assert not (tmp_path / "state").exists()
    rows = lake(bucket)
    assert rows.schema.equals(arrow_schema(TABLE))
    assert set(rows.filter(pa.compute.equal(rows["event_type"], "page_viewed"))["source"].to_pylist()) == {
        "import"
    }
    for key, body in bucket.bodies.items():
        for moment in pq.read_table(io.BytesIO(body)).column("event_time").to_pylist():
            assert f"event_hour={moment:%Y-%m-%d-%H}/" in key


@pytest.mark.parametrize("again", ["the same", "a head", "shuffled", "overlapping parts"])
def test_importing_rows_again_writes_nothing(tmp_path: Path, again: str) -> None:
    bucket = Bucket()
    run_import(bucket, tmp_path / "state", [write(tmp_path / "a.csv", ROWS)])
    puts, notified = bucket.puts, list[str]()
    files = {
        "the same": [ROWS],
        "a head": [ROWS[:123]],
        "shuffled": [random.Random(5).sample(ROWS, len(ROWS))],
        "overlapping parts": [ROWS[30:220], ROWS[100:340]],
    }[again]
    paths = [write(tmp_path / f"again-{number}.csv", rows) for number, rows in enumerate(files)]
    outcome = run_import(bucket, tmp_path / "state", paths, notified=notified)
    assert (bucket.puts, notified) == (puts, [])
    assert outcome.totals.settled + outcome.totals.copies == sum(map(len, files))
    assert not outcome.corrections


def test_the_same_import_does_not_run_twice_at_once(tmp_path: Path) -> None:
    bucket, file = Bucket(), write(tmp_path / "a.csv", ROWS)
    with (tmp_path / "state.lock").open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        with pytest.raises(ImportRunningError, match="Another process imports these files now"):
            run_import(bucket, tmp_path / "state", [file])
    assert bucket.bodies == {}
    assert run_import(bucket, tmp_path / "state", [file]).totals.landed == 400


def test_only_rows_that_the_lake_does_not_hold_are_added(tmp_path: Path) -> None:
    bucket = Bucket()
    run_import(bucket, tmp_path / "state", [write(tmp_path / "a.csv", ROWS[:220])])
    before = dict(bucket.bodies)
    outcome = run_import(bucket, tmp_path / "state", [write(tmp_path / "b.csv", ROWS[150:])])
    assert (outcome.totals.landed, outcome.totals.settled) == (180, 70)
    ids = lake(bucket).filter(pa.compute.equal(lake(bucket)["event_type"], "page_viewed"))["event_id"]
    assert len(ids) == len(set(ids.to_pylist())) == 400
    unchanged = {key: body for key, body in bucket.bodies.items() if key in before and "2026" not in key}
    assert unchanged == {key: body for key, body in before.items() if "2026" not in key}


def test_a_row_that_says_something_else_than_the_lake_is_reported_and_the_first_is_kept(
    tmp_path: Path,
) -> None:
    bucket = Bucket()
    run_import(bucket, tmp_path / "state", [write(tmp_path / "a.csv", ROWS)])
    before = dict(bucket.bodies)
    changed = [*ROWS[:6], row(7, url="/other"), *ROWS[7:60]]
    outcome = run_import(bucket, tmp_path / "state", [write(tmp_path / "b.csv", changed)])
    assert outcome.corrections == [(0, 7)]
    assert bucket.bodies == before


def test_a_key_that_is_not_unique_is_refused_with_the_rows_and_nothing_is_imported(tmp_path: Path) -> None:
    bucket = Bucket()
    path = write(tmp_path / "a.csv", [*ROWS, row(7, hour=5), row(11, url="/b"), ROWS[20]])
    with pytest.raises(NotUniqueError, match="2 keys name several different rows") as refused:
        run_import(bucket, tmp_path / "state", [path])
    assert [group.rows for group in refused.value.duplicates.groups] == [(7, 401), (11, 402)]
    assert not bucket.bodies
    assert not (tmp_path / "state").exists()


def test_rows_that_are_not_events_are_failed_records_and_the_same_ones_are_kept_once(tmp_path: Path) -> None:
    bucket = Bucket()
    path = write(tmp_path / "a.csv", [*ROWS[:99], row(100, status="many"), row(101, status="99"), row(102)])
    first = run_import(bucket, tmp_path / "state", [path])
    assert (first.totals.landed, first.failures, first.failures_known) == (100, 2, 0)
    assert numbers(bucket) == list(range(103))
    texts = [each.raw.decode() for each in failed(bucket)]
    assert any("a.csv:100" in text and "status" in text for text in texts)
    before = dict(bucket.bodies)
    again = run_import(bucket, tmp_path / "state", [path])
    assert (again.failures_known, bucket.bodies) == (2, before)


def test_an_import_killed_at_any_moment_and_resumed_leaves_the_same_bytes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run, "BATCH_PARTS", 2)
    monkeypatch.setattr(session, "FAILED_AT_ONCE", 3)
    rows = [*ROWS, *(row(number, status="many") for number in range(500, 508))]
    path = write(tmp_path / "a.csv", rows)
    whole = Bucket()
    run_import(whole, tmp_path / "whole", [path])
    chance = random.Random(11)
    kills = 0
    for trial in count():
        bucket, notified, calls = Bucket(), list[str](), [0, 0]

        def die(calls: list[int] = calls) -> None:
            calls[0] += 1
            if calls[0] == calls[1]:
                raise KilledError

        bucket.before = die
        while True:
            calls[:] = [0, chance.randrange(1, 30)]
            try:
                run_import(bucket, tmp_path / f"state-{trial}", [path], notified=notified, pause=die)
                break
            except KilledError:
                kills += 1
        assert bucket.bodies == whole.bodies
        assert set(notified) == {key for key in whole.bodies if key.startswith(TABLE.prefix)}
        if kills >= KILLS:
            break


def test_a_source_that_does_not_fit_the_file_leaves_no_state(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", ROWS)
    with pytest.raises(ValueError, match="browser"):
        run_import(
            Bucket(), tmp_path / "state", [path], source=VIEWS.replace("SELECT url", "SELECT browser AS url")
        )
    assert not (tmp_path / "state").exists()
