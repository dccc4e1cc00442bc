import json
from collections import Counter
from collections.abc import Callable

import pytest

from tests.golden.poison.corpus import ARRIVAL_MS, encode, unpaid
from tests.transforms.failed.memory_bucket import MemoryObjects, error_line
from tests.transforms.failed.replaying import KINDS, TABLE, broken, event, mend, rows
from transforms.failed.arrow import read_parquet
from transforms.failed.index import Selection
from transforms.failed.replay import REPAIR_FAILED, Counts, Order
from transforms.failed.replay_ledger import REPLAYS_PREFIX
from transforms.gate.gate import Gate
from transforms.gate.outcome import Accepted


def test_what_a_repair_fixes_lands_in_its_own_hour(
    objects: MemoryObjects, replayed: Callable[..., Counts]
) -> None:
    total = replayed(objects)
    assert rows(objects) == [("2026-11-24-09", 2), ("2026-11-24-10", 1), ("2026-11-24-10", 3)]
    assert total.still_failed == Counter({"not_json": 1})
    assert (
        total.events == total.replayed + total.dropped + total.still_failed.total() + total.not_selected == 5
    )


def test_objects_are_named_for_their_error_object(
    objects: MemoryObjects, replayed: Callable[..., Counts]
) -> None:
    replayed(objects)
    names = [key.rpartition("/")[2] for key in objects.bodies if key.startswith(TABLE.prefix)]
    assert len(names) == 3
    assert len(set(names)) == 2
    assert all(name.startswith("replay-") for name in names)


def test_a_second_replay_changes_nothing(objects: MemoryObjects, replayed: Callable[..., Counts]) -> None:
    first = replayed(objects)
    before, writes = dict(objects.bodies), objects.writes
    second = replayed(objects)
    assert objects.bodies == before
    assert objects.writes == writes
    assert (second.replayed, second.done_before, second.objects_written) == (first.replayed, 2, 0)
    replayed(objects, again=True)
    assert objects.bodies == before


def test_a_dry_run_counts_the_same_and_writes_nothing(
    objects: MemoryObjects, replayed: Callable[..., Counts]
) -> None:
    before = dict(objects.bodies)
    dry = replayed(objects, dry_run=True)
    assert objects.bodies == before
    wet = replayed(objects)
    assert (dry.replayed, dry.still_failed) == (wet.replayed, wet.still_failed)


def test_a_replay_stopped_anywhere_ends_in_the_same_objects(
    gate: Gate, replayed: Callable[..., Counts]
) -> None:
    def fresh() -> MemoryObjects:
        found = MemoryObjects()
        for name in "abc":
            body = error_line(broken(ord(name)), ARRIVAL_MS) + error_line(
                broken(ord(name) + 100).replace(b"T10:", b"T09:"), ARRIVAL_MS
            )
            found.bodies[f"failed/processing-failed/dt=2026-11-24/{name}"] = body
        return found

    whole = fresh()
    replayed(whole)
    for stop in range(whole.writes):
        stopped = fresh()
        stopped.fails_after = stop
        with pytest.raises(ConnectionError):
            replayed(stopped)
        stopped.fails_after = None
        replayed(stopped)
        assert stopped.bodies == whole.bodies


def test_two_replays_of_different_reasons_keep_each_others_rows(
    objects: MemoryObjects, replayed: Callable[..., Counts]
) -> None:
    key = "failed/processing-failed/dt=2026-11-24/a"
    missing = unpaid("status").replace(b":123,", b":9,").replace(b"89ab", b"0009")
    objects.bodies[key] += error_line(missing, ARRIVAL_MS)

    def add(raw: bytes) -> bytes:
        return raw.replace(b'"client_address"', b'"status":200,"client_address"')

    replayed(objects, order=Order(Selection(reasons=frozenset({"wrong_type"})), "mend"))
    assert 9 not in [seq for _, seq in rows(objects)]
    replayed(objects, repair=add, order=Order(Selection(reasons=frozenset({"missing_field"})), "add"))
    assert sorted(seq for _, seq in rows(objects)) == [1, 2, 9]


def test_an_object_that_a_replay_empties_stays_and_has_no_rows(
    objects: MemoryObjects, replayed: Callable[..., Counts]
) -> None:
    replayed(objects)
    before = {key for key in objects.bodies if key.startswith(TABLE.prefix)}

    def later(raw: bytes) -> bytes | None:
        made = mend(raw)
        return made.replace(b"T09:", b"T10:") if made else None

    replayed(objects, repair=later, order=Order(repair_name="later"))
    assert {key for key in objects.bodies if key.startswith(TABLE.prefix)} >= before
    assert {hour for hour, _ in rows(objects)} == {"2026-11-24-10"}


def test_a_repair_that_raises_leaves_that_record_failed(
    objects: MemoryObjects, replayed: Callable[..., Counts]
) -> None:
    def raises(raw: bytes) -> bytes:
        if b"T09:" in raw:
            raise KeyError("status")
        return mend(raw) or raw

    total = replayed(objects, repair=raises)
    assert total.still_failed[REPAIR_FAILED] == 1
    assert rows(objects) == [("2026-11-24-10", 1), ("2026-11-24-10", 3)]


def test_a_record_with_lines_of_several_hours_is_taken_apart(replayed: Callable[..., Counts]) -> None:
    objects = MemoryObjects()
    record = event(1) + b"\n" + event(2).replace(b"T10:", b"T09:") + b"\n{oops\n"
    objects.bodies["failed/processing-failed/dt=2026-11-24/a"] = error_line(record, ARRIVAL_MS)
    total = replayed(objects, repair=None)
    assert rows(objects) == [("2026-11-24-09", 2), ("2026-11-24-10", 1)]
    assert (total.records, total.events, total.still_failed) == (1, 3, Counter({"not_json": 1}))


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_error_object_is_replayed(
    kind: str, gate: Gate, replayed: Callable[..., Counts]
) -> None:
    row = gate.judge(event(2), ARRIVAL_MS)
    assert isinstance(row, Accepted)
    objects = MemoryObjects()
    body = error_line(event(1), ARRIVAL_MS)
    if kind != "processing-failed":
        body += error_line(
            row.row, ARRIVAL_MS, lastErrorCode="DataFormatConversion.MalformedData", errorCode=None
        )
    objects.bodies[f"failed/{kind}/dt=2026-11-24/a"] = body
    replayed(objects, repair=None)
    assert {seq for _, seq in rows(objects)} == ({1} if kind == "processing-failed" else {1, 2})


def test_a_whole_batch_that_crashed_is_replayed(replayed: Callable[..., Counts]) -> None:
    objects = MemoryObjects()
    lines = [
        error_line(event(n), ARRIVAL_MS, errorCode="Lambda.FunctionError", attemptsMade=4)
        for n in range(1, 200)
    ]
    objects.bodies["failed/processing-failed/dt=2026-11-24/a"] = b"".join(lines)
    assert replayed(objects, repair=None).replayed == 199
    assert len(rows(objects)) == 199


def test_an_event_that_looks_like_a_row_does_not_pass_the_gate(
    gate: Gate, replayed: Callable[..., Counts]
) -> None:
    row = gate.judge(event(1), ARRIVAL_MS)
    assert isinstance(row, Accepted)
    forged = json.loads(row.row)
    objects = MemoryObjects()
    objects.bodies["failed/processing-failed/dt=2026-11-24/a"] = error_line(encode(forged), ARRIVAL_MS)
    assert replayed(objects, repair=None).still_failed == Counter({"missing_field": 1})
    assert rows(objects) == []


def test_the_ledger_says_what_was_done_and_names_nobody(
    objects: MemoryObjects, replayed: Callable[..., Counts]
) -> None:
    replayed(objects)
    ledgers = {key: body for key, body in objects.bodies.items() if key.startswith(REPLAYS_PREFIX)}
    assert len(ledgers) == 2
    for body in ledgers.values():
        (run,) = json.loads(body)["runs"]
        assert run["events"] == run["replayed"] + run["dropped"] + sum(run["still_failed"].values())
        for personal in ("203.0.113.9", "user-4711", "Mozilla"):
            assert personal not in body.decode()


def test_replayed_rows_equal_those_of_the_transformation(
    objects: MemoryObjects, gate: Gate, replayed: Callable[..., Counts]
) -> None:
    replayed(objects)
    expected = gate.judge(event(3), ARRIVAL_MS)
    assert isinstance(expected, Accepted)
    found = [
        row
        for key, body in objects.bodies.items()
        if key.startswith(TABLE.prefix)
        for row in read_parquet(body, TABLE).to_pylist()
        if row["seq"] == 3
    ]
    made = json.loads(expected.row)
    assert found[0]["client_key"] == made["client_key"]
    assert found[0]["arrival_time"].isoformat(timespec="milliseconds") + "Z" == made["arrival_time"]
    assert found[0]["page_viewed"] == {**dict.fromkeys(found[0]["page_viewed"]), **made["page_viewed"]}


def test_rows_that_failed_behind_the_transformation_are_checked_together_and_fail_alone(
    gate: Gate, replayed: Callable[..., Counts]
) -> None:
    found = [gate.judge(event(number), ARRIVAL_MS) for number in range(1, 301)]
    made = [each.row for each in found if isinstance(each, Accepted)]
    made[7] = made[7].replace(b'"status":200', b'"status":"oops"')
    made[200] = made[200].replace(b'"status":200', b'"status":"oops"')
    objects = MemoryObjects()
    body = b"".join(error_line(row, ARRIVAL_MS) for row in made)
    objects.bodies["failed/format-conversion-failed/dt=2026-11-24/a"] = body
    total = replayed(objects, repair=None)
    assert (total.replayed, total.still_failed) == (298, Counter({"wrong_type": 2}))
    assert [seq for _, seq in rows(objects)] == [seq for seq in range(1, 301) if seq not in (8, 201)]
