"""What the simulation puts behind the ports of `queries`: a lake, Athena, Glue and a ledger in memory.

Every call of the product is a step: the scheduler may run somebody else there, hold the worker up or kill it.
The engine reads the statement that the product rendered, and does what it says.
"""

import json
import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any
from urllib.parse import quote_plus

from benchmarks.shop import TABLE
from queries.engine.port import QueryStatus, Rows
from queries.lake.inputs import required_columns
from queries.lake.port import Listed, summarize
from queries.ledger.state import Input

LAKE, REPORTING = "lake", "reporting"
REQUIRED = required_columns(TABLE)
FILES = 2
"""Files that a query execution writes for a partition with rows, one after the other."""
Step = Callable[[str], None]


@dataclass
class World:
    """Everything that outlives a worker. `now` is epoch milliseconds."""

    rng: Random
    now: int
    dedupe_off: bool = False
    in_place: bool = False
    lake: dict[str, list[tuple[str, int, tuple[str, ...]]]] = field(default_factory=dict)
    files: dict[str, dict[str, tuple[int, tuple[tuple[str, int], ...]]]] = field(default_factory=dict)
    executions: dict[str, "Execution"] = field(default_factory=dict)
    by_token: dict[str, str] = field(default_factory=dict)
    violations: Counter[str] = field(default_factory=Counter)

    def put_object(self, hour: str, key: str, events: Sequence[str]) -> str:
        """A new lake object; returns the body of S3's notification of it."""
        self.lake.setdefault(hour, []).append((key, self.now, tuple(events)))
        described = {"key": quote_plus(key), "size": 100 * len(events), "sequencer": f"{self.now:016X}"}
        record = {
            "eventVersion": "2.1",
            "eventName": "ObjectCreated:Put",
            "s3": {"bucket": {"name": LAKE}, "object": described},
        }
        return json.dumps({"Records": [record]})

    def contents(self, location: str) -> Counter[str] | None:
        """What a reader of the folder gets: how often each event was counted. None when it is half there."""
        files = self.files.get(location, {})
        if files and (len(files) != FILES or len({version for version, _ in files.values()}) > 1):
            return None
        found: Counter[str] = Counter()
        for _, rows in files.values():
            found.update(dict(rows))
        return found


@dataclass
class Execution:
    """One query execution: reads the lake when it begins, writes its files one by one."""

    number: int
    token: str
    sql: str
    target: str
    partitions: tuple[str, ...]
    results: dict[str, Counter[str]] | None = None
    pending: list[tuple[str, str, tuple[tuple[str, int], ...]]] = field(default_factory=list)
    state: str = "running"
    reason: str = ""
    ended_at: int = 0


class SimulatedLake:
    """A `LakeIndex`."""

    def __init__(self, world: World, step: Step) -> None:
        self._world, self._step = world, step

    def hours(self, table: str, first: str = "", last: str = "9999") -> Mapping[str, Input]:
        return {hour: summarize(listed) for hour, listed in self.objects(table, first, last).items()}

    def objects(self, _: str, first: str, last: str) -> Mapping[str, Sequence[Listed]]:
        self._step("lake.list")
        return {
            hour: [Listed(hour, key, "", 100 * len(events) + 1, at) for key, at, events in sorted(objects)]
            for hour, objects in sorted(self._world.lake.items())
            if first <= hour <= last
        }

    def columns(self, objects: Iterable[Listed]) -> Mapping[str, Sequence[str] | str]:
        return {one.key: REQUIRED for one in objects}


class SimulatedEngine:
    """A `QueryEngine` that runs the statements of `queries.refresh.rendering`."""

    def __init__(self, world: World, step: Step) -> None:
        self._world, self._step = world, step

    def start(self, sql: str, token: str) -> str:
        self._step("engine.start")
        world = self._world
        if token not in world.by_token:
            name = f"q{len(world.executions)}"
            world.by_token[token] = name
            world.executions[name] = self._read(sql, token, len(world.executions) + 1)
        started = world.by_token[token]
        assert world.executions[started].sql == sql, "one token, two statements"
        self._step("engine.started")
        return started

    def look(self, query_execution_id: str) -> QueryStatus:
        self._step("engine.look")
        execution = self._world.executions[query_execution_id]
        if execution.state == "failed":
            return QueryStatus("failed", 0, "transient", execution.reason)
        return QueryStatus("succeeded" if execution.state == "succeeded" else "running", 1000)

    def stop(self, query_execution_id: str) -> None:
        raise NotImplementedError

    def rows(self, sql: str, parameters: Sequence[str] = ()) -> Rows:
        raise NotImplementedError

    def _read(self, sql: str, token: str, number: int) -> Execution:
        target = re.search(rf"TO 's3://{REPORTING}/([^']*)'", sql)
        grain = re.search(r"WHERE event_(?:hour|date) IN \(([^)]*)\)\n\) TO", sql)
        assert target and grain
        partitions = tuple(re.findall(r"'([^']*)'", grain[1]))
        return Execution(number, token, sql, target[1], partitions)


def advance(world: World, execution: Execution, *, fail: bool) -> None:
    """One step of Athena's own: read, then write file by file; or fail, leaving what is written."""
    execution.ended_at = world.now
    if fail:
        execution.state, execution.reason = "failed", "GENERIC_INTERNAL_ERROR"
        return
    if execution.results is None:
        if not world.in_place and any(name.startswith(execution.target) for name in world.files):
            execution.state, execution.reason = "failed", "HIVE_PATH_ALREADY_EXISTS"
            return
        _compute(world, execution)
    elif execution.pending:
        location, name, rows = execution.pending.pop(0)
        folder = world.files.setdefault(location, {})
        if world.in_place and name == "0":
            folder.clear()
        folder[name] = (execution.number, rows)
    if not execution.pending:
        execution.state = "succeeded"


def _compute(world: World, execution: Execution) -> None:
    hours = re.findall(r"event_hour = '([^']*)'", execution.sql)
    spans = re.findall(r"event_hour BETWEEN '([^']*)' AND '([^']*)'", execution.sql)
    deduplicated = "penstock_copy = 1" in execution.sql and not world.dedupe_off
    execution.results = {}
    for partition in execution.partitions:
        counted: Counter[str] = Counter()
        for hour, objects in world.lake.items():
            read = hour in hours or any(first <= hour <= last for first, last in spans)
            if read and hour.startswith(partition):
                for _, _, events in objects:
                    counted.update(events)
        if deduplicated:
            counted = Counter(dict.fromkeys(counted, 1))
        execution.results[partition] = counted
        if counted:
            column = "event_hour" if len(partition) > 10 else "event_date"
            location = f"{execution.target}{column}={partition}/"
            rows = sorted(counted.items())
            execution.pending += [
                (location, "0", tuple(rows[::2])),
                (location, "1", tuple(rows[1::2])),
            ]


class SimulatedGlue:
    """The three calls of Glue's client that a swap makes. Notes every change of what readers see."""

    def __init__(self, world: World, step: Step) -> None:
        self._world, self._step = world, step
        self.partitions: dict[tuple[str, str], dict[str, Any]] = {}

    def get_table(self, **_: Any) -> dict[str, Any]:
        return {"Table": {"StorageDescriptor": {}}}

    def batch_get_partition(self, TableName: str, PartitionsToGet: Any, **_: Any) -> dict[str, Any]:  # noqa: N803
        self._step("glue.get")
        wanted = [(TableName, entry["Values"][0]) for entry in PartitionsToGet]
        return {"Partitions": [self.partitions[name] for name in wanted if name in self.partitions]}

    def batch_create_partition(self, TableName: str, PartitionInputList: Any, **_: Any) -> dict[str, Any]:  # noqa: N803
        self._step("glue.create")
        errors = []
        for entry in PartitionInputList:
            name = (TableName, entry["Values"][0])
            if name in self.partitions:
                errors.append({"PartitionValues": entry["Values"], "ErrorDetail": "AlreadyExistsException"})
            else:
                self._set(name, entry)
        self._step("glue.created")
        return {"Errors": errors}

    def batch_update_partition(self, TableName: str, Entries: Any, **_: Any) -> dict[str, Any]:  # noqa: N803
        self._step("glue.update")
        for entry in Entries:
            self._set((TableName, entry["PartitionValueList"][0]), entry["PartitionInput"])
        self._step("glue.updated")
        return {}

    def forget(self, rng: Random) -> None:
        """One partition is lost."""
        if self.partitions:
            del self.partitions[rng.choice(list(self.partitions))]

    def location(self, table: str, partition: str) -> str | None:
        """Where a reader would look now."""
        found = self.partitions.get((table, partition))
        return None if found is None else self._folder(found)

    def _set(self, name: tuple[str, str], value: dict[str, Any]) -> None:
        before = self.partitions.get(name)
        self.partitions[name] = value
        if before is not None:
            old = self._world.contents(self._folder(before)) or Counter()
            new = self._world.contents(self._folder(value)) or Counter()
            # The lake only grows, so what readers see may never shrink.
            if set(old) - set(new):
                self._world.violations["went back"] += 1

    def _folder(self, value: dict[str, Any]) -> str:
        return str(value["StorageDescriptor"]["Location"]).removeprefix(f"s3://{REPORTING}/")
