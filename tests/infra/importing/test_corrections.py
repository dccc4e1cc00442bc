"""Corrections: rows whose key the lake knows with another content, kept out or put in its place."""

import io
import random
from collections import Counter
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from infra.importing import run
from infra.importing.session import OnChange
from tests.infra.importing.test_session import ROWS, lake
from tests.infra.importing.world import Bucket, KilledError, row, run_import, write
from tests.shop import TABLE
from transforms.contracts import is_data

CHANGED = [*ROWS[:6], row(7, url="/other"), *ROWS[7:60], row(61, status="404"), *ROWS[61:]]
PLACES = [(0, 7), (0, 61)]


def contents(bucket: Bucket) -> Counter[tuple[str, str, int]]:
    """What the lake's page views say."""
    views = lake_data(bucket).filter(pa.compute.equal(lake_data(bucket)["event_type"], "page_viewed"))
    said = views.column("page_viewed").to_pylist()
    return Counter(
        (event_id, each["url"], each["status"])
        for event_id, each in zip(views.column("event_id").to_pylist(), said, strict=True)
    )


def lake_data(bucket: Bucket) -> pa.Table:
    """Every row of the lake, without what is hidden."""
    kept = Bucket()
    kept.bodies = {key: body for key, body in bucket.bodies.items() if is_data(key)}
    return lake(kept)


def senders(bucket: Bucket) -> list[tuple[str, int, int]]:
    """Who sent the rows of the lake, audits left out: producer, epoch and number."""
    rows = lake_data(bucket).select(["producer_id", "epoch", "seq"]).to_pylist()
    return sorted(tuple(each.values()) for each in rows if each["seq"])


def imported(tmp_path: Path) -> Bucket:
    bucket = Bucket()
    run_import(bucket, tmp_path / "first", [write(tmp_path / "a.csv", ROWS)])
    return bucket


def test_a_correction_takes_the_place_of_its_row_and_of_nothing_else(tmp_path: Path) -> None:
    bucket, notified = imported(tmp_path), list[str]()
    before, accounts = dict(bucket.bodies), senders(bucket)
    changed = write(tmp_path / "b.csv", CHANGED)
    outcome = run_import(bucket, tmp_path / "state", [changed], on_change="replace", notified=notified)
    assert (list(outcome.corrections), outcome.totals.landed) == (PLACES, 0)
    corrected = Bucket()
    run_import(corrected, tmp_path / "other", [changed])
    assert contents(bucket) == contents(corrected)
    assert senders(bucket) == accounts
    rewritten = [key for key, body in before.items() if bucket.bodies[key] != body]
    assert (len(rewritten), sorted(notified)) == (2, sorted(rewritten))
    for key in rewritten:
        one, other = pq.read_table(io.BytesIO(before[key])), pq.read_table(io.BytesIO(bucket.bodies[key]))
        assert one.schema.equals(other.schema)
        assert one.column("event_id").equals(other.column("event_id"))


def test_what_replaced_a_row_is_compared_with_later_and_can_be_replaced_back(tmp_path: Path) -> None:
    bucket = imported(tmp_path)
    original, accounts = contents(bucket), senders(bucket)
    first, changed = write(tmp_path / "a.csv", ROWS), write(tmp_path / "b.csv", CHANGED)
    run_import(bucket, tmp_path / "state", [changed], on_change="replace")
    replaced = dict(bucket.bodies)
    assert not run_import(bucket, tmp_path / "state", [changed], on_change="replace").corrections
    kept = run_import(bucket, tmp_path / "state", [first])
    assert list(kept.corrections) == PLACES
    assert bucket.bodies == replaced
    run_import(bucket, tmp_path / "state", [first], on_change="replace")
    assert (contents(bucket), senders(bucket)) == (original, accounts)


@pytest.mark.parametrize(("on_change", "url"), [("keep", "/a"), ("replace", "/other")])
def test_of_two_files_the_first_counts_unless_corrections_replace(
    tmp_path: Path, on_change: OnChange, url: str
) -> None:
    bucket = Bucket()
    files = [write(tmp_path / "a.csv", ROWS[:10]), write(tmp_path / "b.csv", [row(7, url="/other")])]
    outcome = run_import(bucket, tmp_path / "state", files, on_change=on_change)
    assert list(outcome.corrections) == [(1, 1)]
    assert Counter(said[1] for said in contents(bucket).elements())[url] == (10 if url == "/a" else 1)


def test_corrections_killed_at_any_moment_and_resumed_are_each_reported_and_made_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run, "BATCH_PARTS", 1)
    whole = imported(tmp_path)
    begin = dict(whole.bodies)
    changed = write(tmp_path / "b.csv", CHANGED)
    run_import(whole, tmp_path / "whole", [changed], on_change="replace")
    chance, kills = random.Random(13), 0
    for trial in range(8):
        bucket, notified, calls = Bucket(), list[str](), [0, 0]
        bucket.bodies = dict(begin)

        def die(calls: list[int] = calls) -> None:
            calls[0] += 1
            if calls[0] == calls[1]:
                raise KilledError

        bucket.before = die
        while True:
            calls[:] = [0, chance.randrange(1, 40)]
            try:
                folder = tmp_path / f"state-{trial}"
                outcome = run_import(
                    bucket, folder, [changed], on_change="replace", notified=notified, pause=die
                )
                break
            except KilledError:
                kills += 1
        assert bucket.bodies == whole.bodies
        assert list(outcome.corrections) == PLACES
        assert {key for key in begin if bucket.bodies[key] != begin[key]} == set(notified)
        assert all(key.startswith(TABLE.prefix) for key in notified)
    assert kills > 8
