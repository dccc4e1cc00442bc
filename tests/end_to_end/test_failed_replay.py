"""Poison and mendable records through the whole chain: accounted for, fixed, landed once, never seen raw.

PENSTOCK_TEST_EVENTS is how many events it sends (`make failed-replay`: 100,000).
"""

import json
import os
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest

from infra.command.target import Target
from infra.demo.producing import send_simulation
from infra.local.firehose.deaggregation import unpack
from producers.sinks.kinesis import KinesisSink
from tests.end_to_end.conftest import Shell, shell_in
from tests.end_to_end.poisoned import PoisonedSimulation, payloads
from tests.shop import REPORTS, TABLES, WEB
from transforms.contracts import EVENT_HOUR, FAILED_PREFIX
from transforms.failed.arrow import parquet_bytes, read_parquet, rows_to_table
from transforms.failed.replay_ledger import REPLAYS_PREFIX
from transforms.gate.gate import Gate
from transforms.gate.outcome import Accepted, Dropped
from transforms.target import deployed_keys

pytestmark = pytest.mark.cloud

EVENTS = int(os.environ.get("PENSTOCK_TEST_EVENTS", "3000"))
WAIT = str(60 + EVENTS // 200)
TABLE = TABLES["web_events"]
MEND = ("failed", "replay", "--repair", "tests.end_to_end.mending:mend")

Answer = dict[str, Any]
Rows = dict[str, list[tuple[Any, ...]]]


@dataclass
class Pipeline:
    """The local cloud of these tests, with what was sent into it."""

    shell: Shell
    target: Target
    gate: Gate
    simulation: PoisonedSimulation

    @property
    def s3(self) -> Any:
        """A client of the object store."""
        return self.target.client("s3")

    def objects(self, prefix: str) -> dict[str, bytes]:
        """Every object of the lake bucket below the prefix."""
        bucket, pages = self.target.lake_bucket, self.s3.get_paginator("list_objects_v2")
        keys = [
            each["Key"]
            for page in pages.paginate(Bucket=bucket, Prefix=prefix)
            for each in page.get("Contents", ())
        ]
        return {key: self.s3.get_object(Bucket=bucket, Key=key)["Body"].read() for key in keys}

    def lake_rows(self) -> list[Answer]:
        """Every row of the lake, read from its objects, with the name of the object."""
        return [
            {**row, "object": key}
            for key, body in self.objects(TABLE.prefix).items()
            for row in read_parquet(body, TABLE).to_pylist()
        ]

    def deliver(self) -> None:
        """Have the delivery worker deliver all that is in the stream."""
        path = f"/_firehose/flush?seconds={WAIT}"
        answer = self.shell.cloud.context.ask(path, method="POST", timeout=600)
        assert answer["drained"] is True

    def reported(self, *options: str) -> Rows:
        """Every row of every report, once all of them are fresh."""
        self.shell.json("reports", "refresh", "--wait", "--timeout", "600", *options)
        return {
            name: sorted((tuple(row.values()) for row in self.shell.rows(f"SELECT * FROM {name}")), key=repr)
            for name in REPORTS
        }

    def arrived(self) -> Iterator[tuple[bytes, int]]:
        """Every record of the stream and when it arrived, read from the stream itself."""
        kinesis, name = self.target.client("kinesis"), self.target.stream_name
        for shard in kinesis.list_shards(StreamName=name)["Shards"]:
            cursor = kinesis.get_shard_iterator(
                StreamName=name, ShardId=shard["ShardId"], ShardIteratorType="TRIM_HORIZON"
            )["ShardIterator"]
            while True:
                page = kinesis.get_records(ShardIterator=cursor, Limit=10_000)
                for record in page["Records"]:
                    arrival_ms = int(record["ApproximateArrivalTimestamp"].timestamp() * 1000)
                    for _, data in unpack(record["PartitionKey"], record["Data"]):
                        yield data, arrival_ms
                if not page["Records"] and not page["MillisBehindLatest"]:
                    break
                cursor = page["NextShardIterator"]

    def clean_lake(self) -> dict[str, bytes]:
        """The lake's objects had every event arrived as it was meant, at the time at which it arrived."""
        rows: dict[str, list[bytes]] = {}
        for data, arrival_ms in self.arrived():
            outcome = self.gate.judge(self.simulation.meant.get(data, data), arrival_ms)
            if isinstance(outcome, Accepted):
                rows.setdefault(outcome.event_hour, []).append(outcome.row)
        return {
            f"{TABLE.prefix}{EVENT_HOUR}={hour}/clean.parquet": parquet_bytes(rows_to_table(TABLE, made))
            for hour, made in rows.items()
        }

    def replace_lake(self, fresh: dict[str, bytes]) -> None:
        """Put these objects in the place of all that the lake has."""
        bucket = self.target.lake_bucket
        for key in self.objects(TABLE.prefix):
            self.s3.delete_object(Bucket=bucket, Key=key)
        for key, body in fresh.items():
            self.s3.put_object(Bucket=bucket, Key=key, Body=body)


@dataclass
class Seen:
    """What was seen on the way, in the order of the members."""

    before: Rows
    unmended: Answer
    failed: Answer
    dry: Answer
    first: Answer
    objects: dict[str, bytes]
    second: Answer
    again: Answer
    objects_after: dict[str, bytes]
    mended: Answer
    rows: list[Answer]
    replayed: Rows
    texts: dict[str, str] = field(default_factory=dict)
    clean: Rows = field(default_factory=dict)


@pytest.fixture(scope="module")
def pipeline(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pipeline]:
    """A local cloud in which everything has arrived and been validated."""
    with shell_in(tmp_path_factory.mktemp("poisoned")) as shell:
        shell.run("local", "up")
        target = Target("local", {}, directory=shell.directory)
        key_id, key = next(iter(deployed_keys(target, "web").items()))
        deployed, now = Gate(TABLES["web_events"], key_id=key_id, key=key), datetime.now(UTC)
        simulation = PoisonedSimulation(
            stream=WEB,
            seed=11,
            count=EVENTS,
            start=now - timedelta(hours=3),
            span=timedelta(hours=3),
            late=0.002,
            duplicate=0.02,
            payloads=payloads(deployed, int(now.timestamp() * 1000)),
        )
        send_simulation(KinesisSink(target.stream_name, target.client("kinesis")), simulation, lambda _: None)
        found = Pipeline(shell, target, deployed, simulation)
        found.deliver()
        yield found


@pytest.fixture(scope="module")
def seen(pipeline: Pipeline) -> Seen:
    """The failed records listed, replayed twice, and the clean lake put beside what came of it."""
    shell = pipeline.shell
    seen = Seen(
        before=pipeline.reported(),
        unmended=shell.json("reconcile"),
        failed=shell.json("failed", "list"),
        dry=shell.json(*MEND, "--dry-run"),
        first=shell.json(*MEND),
        objects=pipeline.objects(""),
        second=shell.json(*MEND),
        again=shell.json(*MEND, "--again"),
        objects_after=pipeline.objects(""),
        mended=shell.json("reconcile"),
        rows=pipeline.lake_rows(),
        replayed=pipeline.reported(),
    )
    seen.texts = _texts(pipeline, seen)
    pipeline.replace_lake(pipeline.clean_lake())
    # The objects that were replaced are gone for good: what depends on them is quarantined until that is accepted.
    seen.clean = pipeline.reported("--accept-missing")
    return seen


def _texts(pipeline: Pipeline, seen: Seen) -> dict[str, str]:
    """Everything readable in which nobody's data may stand, by where it was found."""
    logs, found = pipeline.target.client("logs"), {}
    for group in logs.describe_log_groups()["logGroups"]:
        name = group["logGroupName"]
        pages = logs.get_paginator("filter_log_events").paginate(logGroupName=name)
        found[f"log {name}"] = "\n".join(event["message"] for page in pages for event in page["events"])
    for file in (pipeline.shell.directory / ".local" / "run").glob("*.log"):
        found[f"file {file.name}"] = file.read_text(errors="replace")
    metrics = pipeline.target.client("cloudwatch").get_paginator("list_metrics").paginate()
    found["metrics"] = json.dumps([page["Metrics"] for page in metrics], default=str)
    ledger = pipeline.objects(REPLAYS_PREFIX)
    found["replay ledger"] = "\n".join(body.decode() for body in ledger.values())
    found["failed list"] = pipeline.shell.run("failed", "list", "--records").stdout
    found["failed list --json"] = json.dumps(seen.failed)
    found["lake"] = json.dumps(seen.rows, default=str)
    return found


def _kinds(pipeline: Pipeline) -> Counter[str]:
    """How many of the events sent should land, fail or be dropped, before the repair and by it."""
    counts: Counter[str] = Counter()
    for record in pipeline.simulation.sent:
        if record.is_copy:
            continue
        counts["produced"] += 1
        sound = pipeline.simulation.meant.get(record.data)
        if sound is None:
            counts["poison"] += 1
            continue
        is_kept = msgspec.json.decode(sound)["event_type"] != "heartbeat"
        kind = "repairable" if record.damage else "sound"
        counts[kind if is_kept else f"{kind}, dropped"] += 1
    return counts


def test_the_traffic_is_as_poisoned_as_it_should_be(pipeline: Pipeline) -> None:
    kinds = _kinds(pipeline)
    assert kinds["produced"] == EVENTS
    assert 0.04 < kinds["poison"] / EVENTS < 0.06
    assert 0.012 < (kinds["repairable"] + kinds["repairable, dropped"]) / EVENTS < 0.028
    assert sum(record.damage == "payload" for record in pipeline.simulation.sent) > 50


def test_everything_produced_has_landed_failed_or_been_dropped(pipeline: Pipeline, seen: Seen) -> None:
    kinds = _kinds(pipeline)
    found = {name: seen.unmended[name] for name in ("produced", "landed", "failed", "dropped", "in_flight")}
    assert found == {
        "produced": EVENTS,
        "landed": kinds["sound"],
        "failed": kinds["poison"] + kinds["repairable"] + kinds["repairable, dropped"],
        "dropped": kinds["sound, dropped"],
        "in_flight": 0,
    }
    assert seen.unmended["balanced"] is True


def test_every_failed_record_is_listed_with_its_reason(pipeline: Pipeline, seen: Seen) -> None:
    expected: Counter[str] = Counter()
    for data, arrival_ms in pipeline.arrived():
        for _, outcome in pipeline.gate.each(data, arrival_ms):
            expected.update([getattr(outcome, "reason", "")])
    del expected[""]
    assert seen.failed["by_reason"] == expected
    assert len(expected) > 12
    assert seen.failed["unreadable_stretches"] == 0


def test_a_replay_lands_every_repairable_event_once(pipeline: Pipeline, seen: Seen) -> None:
    kinds = _kinds(pipeline)
    assert seen.first["replayed"] == seen.dry["replayed"] == kinds["repairable"]
    assert seen.first["dropped"] == kinds["repairable, dropped"]
    wanted = [
        msgspec.json.decode(sound)["event_id"]
        for record in pipeline.simulation.sent
        if record.is_repairable
        and isinstance(
            pipeline.gate.judge(sound := pipeline.simulation.meant[record.data], record.time_ms), Accepted
        )
    ]
    times = Counter(row["event_id"] for row in seen.rows)
    landed = [times[event_id] for event_id in wanted]
    assert len(wanted) == kinds["repairable"]
    assert landed.count(1) >= 0.99 * len(wanted)
    assert max(landed) == 1


def test_nothing_else_lands_by_a_replay_than_what_was_meant(pipeline: Pipeline, seen: Seen) -> None:
    meant = {
        msgspec.json.decode(sound)["event_id"]
        for sound in pipeline.simulation.meant.values()
        if not isinstance(pipeline.gate.explain(sound, pipeline.simulation.start_ms), Dropped)
    }
    assert {row["event_id"] for row in seen.rows if row["seq"]} <= meant
    assert seen.mended["landed"] == seen.unmended["landed"] + seen.first["replayed"]
    assert seen.mended["failed"] == seen.unmended["failed"] - seen.first["replayed"]
    assert seen.mended["balanced"] is True


def test_a_second_and_a_forced_replay_change_no_row(seen: Seen) -> None:
    assert seen.first["objects_written"] > 0
    assert (seen.second["objects_written"], seen.second["done_before"] > 0) == (0, True)
    assert seen.again["objects_written"] == 0
    ledgers = {key for key in seen.objects if key.startswith(REPLAYS_PREFIX)}
    assert ledgers
    assert {key: body for key, body in seen.objects.items() if key not in ledgers} == {
        key: body for key, body in seen.objects_after.items() if key not in ledgers
    }


def test_every_report_is_that_of_clean_input(seen: Seen) -> None:
    assert all(seen.clean[name] for name in REPORTS)
    assert seen.before != seen.clean
    for name in REPORTS:
        assert seen.replayed[name] == seen.clean[name], name


def test_no_address_user_or_agent_stands_anywhere_but_in_the_failed_records(
    pipeline: Pipeline, seen: Seen
) -> None:
    addresses, users, agents = _personal(pipeline)
    assert min(len(addresses), len(users), len(agents)) > 5
    raw = b"".join(pipeline.objects(FAILED_PREFIX).values())
    assert raw  # the one place that has them, kept encrypted, and expiring
    for place in ("lake", "failed list", "failed list --json", "replay ledger", f"log {_log(pipeline)}"):
        assert len(seen.texts[place]) > 1_000, place
    for place, text in seen.texts.items():
        found = {
            *(set(re.findall(r"(?=(198\.1[89]\.\d{1,3}\.\d{1,3}))", text)) & addresses),
            *(set(re.findall(r"2001:db8:[0-9a-f:]+", text)) & addresses),
            *(set(re.findall(r"(?=(u\d{6}))", text)) & users),
            *(agent for agent in agents if agent in text),
            *(each for each in ("203.0.113.9", "user-4711", "Firefox/120") if each in text),
        }
        assert not found, place


def _log(pipeline: Pipeline) -> str:
    return f"/aws/lambda/{pipeline.target.transform_function}"


def _personal(pipeline: Pipeline) -> tuple[set[str], set[str], set[str]]:
    payloads = [msgspec.json.decode(sound)["payload"] for sound in pipeline.simulation.meant.values()]
    found = (
        {payload[name] for payload in payloads if payload.get(name)}
        for name in ("client_address", "user_id", "user_agent")
    )
    return next(found), next(found), next(found)


def test_files_of_a_replay_stand_below_the_hour_of_their_events(seen: Seen) -> None:
    for row in seen.rows:
        assert f"{EVENT_HOUR}={row['event_time']:%Y-%m-%d-%H}/" in row["object"]
    assert any(Path(row["object"]).name.startswith("replay-") for row in seen.rows)
