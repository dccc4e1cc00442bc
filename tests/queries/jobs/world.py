"""Jobs over memory: the ports, and a machine that runs the real definition, and may be killed anywhere."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import msgspec
from msgspec.structs import replace

from queries.jobs.asking import Asking
from queries.jobs.errors import RequestError
from queries.jobs.import_plan import ChunkOutcome
from queries.jobs.machine import definition
from queries.jobs.port import ChangedError, Imports, Message, Settled
from queries.jobs.rules import Health
from queries.jobs.running import Running
from queries.jobs.state import Active, Backfill, Expected, Import, Job
from queries.jobs.steps import Steps

REQUEST = Backfill(report="orders_by_hour", first="2026-11-01-00", last="2026-11-30-23")


def expected(partitions: int) -> Expected:
    return Expected(
        partitions=partitions, unchanged=0, statements=1, bytes_scanned=10, dollars=0.1, measured=True
    )


class MemoryJobs:
    """A `JobTable`. `between` is called before each write, as another writer might be."""

    def __init__(self, between: Callable[[], None] = lambda: None) -> None:
        self._jobs: dict[str, bytes] = {}
        self._active = Active()
        self.between = between

    def job(self, job_id: str) -> Job | None:
        return msgspec.json.decode(self._jobs[job_id], type=Job) if job_id in self._jobs else None

    def active(self) -> Active:
        return self._active

    def newest(self, limit: int) -> Sequence[Job]:
        found = [msgspec.json.decode(each, type=Job) for each in self._jobs.values()]
        return sorted(found, key=lambda job: -job.created_at)[:limit]

    def commit(self, job: Job, active: Active | None = None) -> Job:
        self.between()
        before = self.job(job.job_id)
        if (before.revision if before else 0) != job.revision:
            raise ChangedError(job.job_id)
        if active is not None:
            if active.revision != self._active.revision:
                raise ChangedError(job.job_id)
            self._active = replace(active, revision=active.revision + 1)
        raised = replace(job, revision=job.revision + 1)
        self._jobs[job.job_id] = msgspec.json.encode(raised)
        return raised


@dataclass
class MemoryManifests:
    """`Manifests`."""

    kept: dict[str, list[list[str]]] = field(default_factory=dict)

    def read(self, job_id: str) -> Sequence[Sequence[str]]:
        return self.kept[job_id]

    def write(self, job_id: str, chunks: Sequence[Sequence[str]]) -> None:
        self.kept[job_id] = [list(chunk) for chunk in chunks]


@dataclass
class MemoryQueue:
    """`Queue`, and where messages are taken from."""

    messages: list[Message] = field(default_factory=list)

    def send(self, message: Message) -> None:
        self.messages.append(message)


@dataclass
class CountedReports:
    """`Reports` that count how often each partition was computed; the names in `broken` never are."""

    names: Sequence[str]
    broken: set[str] = field(default_factory=set)
    marked: dict[str, str] = field(default_factory=dict)
    computed: dict[str, int] = field(default_factory=dict)
    rounds: dict[str, list[str]] = field(default_factory=dict)
    due: set[str] = field(default_factory=set)

    def expected(self, request: Backfill) -> tuple[Expected, Sequence[str]]:
        if request.report != REQUEST.report:
            raise RequestError("There is no such report.")
        return expected(len(self.names)), self.names

    def mark(self, request: Backfill, partitions: Sequence[str], asked_by: str) -> None:
        for name in partitions:
            if self.marked.get(name) != asked_by:
                self.marked[name] = asked_by
                self.rounds.setdefault(asked_by, []).append(name)
                self.due.add(name)

    def standing(
        self, report: str, partitions: Sequence[str], asked_by: str
    ) -> tuple[Mapping[str, Settled], Mapping[str, str]]:
        settled: dict[str, Settled] = {}
        failed = {}
        for name in partitions:
            if self.marked.get(name) != asked_by:
                settled[name] = "unmarked"
            elif name in self.due:
                settled[name] = "waiting"
            elif name in self.broken:
                failed[name] = "SYNTAX_ERROR"
            else:
                settled[name] = "published"
        return settled, failed

    def go_on(self) -> None:
        for name in self.due:
            if name not in self.broken:
                self.computed[name] = self.computed.get(name, 0) + 1
        self.due.clear()


class NoImports:
    """`Imports` of a project without sources."""

    def expected(self, request: Import) -> Expected:
        raise RequestError(f"There is no source {request.source!r}.")

    def plan(self, job: Job) -> Sequence[Sequence[str]]:
        raise AssertionError(job)

    def plan_further(self, job: Job) -> Sequence[Sequence[str]]:
        raise AssertionError(job)

    def outcome(self, job: Job, chunk: int) -> ChunkOutcome:
        raise AssertionError(job, chunk)


class KilledError(Exception):
    """The execution ends here, as it does when the machine below it goes."""


class World:
    """One deployment in memory. `kill_at` is the step (counted over its life) before or after which it dies."""

    def __init__(
        self,
        partitions: int = 0,
        broken: Sequence[str] = (),
        imports: Imports | None = None,
        work: Callable[[str, int], object] = lambda _job_id, _chunk: None,
    ) -> None:
        """`work` is what the importer does with a chunk of `imports`."""
        imports, self._work = imports or NoImports(), work
        names = [f"{day:03d}-{hour:02d}" for day in range(366) for hour in range(24)][:partitions]
        self.now = 0
        self.table, self.manifests, self.queue = MemoryJobs(), MemoryManifests(), MemoryQueue()
        self.reports = CountedReports(names, set(broken))
        self.asking = Asking(self.table, self.queue, self.reports, imports, self._clock)
        self.running = Running(self.table, self.queue, self, self._clock)
        self.steps = Steps(
            self.table,
            self.manifests,
            self.reports,
            imports,
            clock=self._clock,
            sleep=self._sleep,
            patience=1.0,
        )
        self.executions: dict[str, Health] = {}
        self.waiting: list[Job] = []
        self.transitions = self.steps_run = 0
        self.kill_at: int | None = None
        self.kill_after = False
        self.faults: dict[str, int] = {}
        """Step to how often it raises before it works."""
        self.before_step: Callable[[str, Mapping[str, Any]], None] = lambda _name, _given: None

    def _clock(self) -> int:
        self.now += 1
        return self.now

    def _sleep(self, seconds: float) -> None:
        self.now += int(seconds * 1000)

    def start(self, job: Job) -> None:
        if job.execution not in self.executions:
            self.executions[job.execution] = "running"
            self.waiting.append(job)

    def health(self, job: Job) -> Health:
        return self.executions.get(job.execution, "missing")

    def run(self, job_id: str) -> Job:
        """Let everything happen until nothing does, the minute's tick included."""
        for _ in range(20):
            while self.queue.messages:
                self.running.take(self.queue.messages.pop(0))
            while self.waiting:
                self._execute(self.waiting.pop(0))
            self.now += 61_000
            self.running.repair()
            job = self.table.job(job_id)
            assert job is not None
            if job.is_over:
                return job
        raise AssertionError(f"The job does not end: {job}")

    def _execute(self, job: Job) -> None:
        machine = definition("function", "importer")
        with suppress(KilledError):
            self._states(machine, {"job_id": job.job_id, "attempt": job.attempt})
        self.executions[job.execution] = "ended"

    def _states(self, machine: Mapping[str, Any], data: dict[str, Any]) -> None:
        name: str | None = machine["StartAt"]
        while name is not None:
            state = machine["States"][name]
            self.transitions += 1
            match state["Type"]:
                case "Choice":
                    chosen = [
                        each["Next"]
                        for each in state["Choices"]
                        if data["step"]["outcome"] == each["StringEquals"]
                    ]
                    name = chosen[0] if chosen else state["Default"]
                    continue
                case "Task":
                    try:
                        data["step"] = self._task(state, data)
                    except RuntimeError as error:
                        if "Catch" not in state:
                            raise
                        data["error"] = {"Error": str(error)}
                        name = state["Catch"][0]["Next"]
                        continue
                case "Map":
                    for item in data["step"]["chunks"]:
                        self._states(
                            state["ItemProcessor"],
                            {"job_id": data["job_id"], "attempt": data["attempt"], "chunk": item},
                        )
                case "Succeed":
                    return
            name = state.get("Next")

    def _task(self, state: Mapping[str, Any], data: Mapping[str, Any]) -> dict[str, Any]:
        payload = {
            key.removesuffix(".$"): _at(value, data) if key.endswith(".$") else value
            for key, value in state["Parameters"]["Payload"].items()
        }
        name = payload.pop("step")
        self.before_step(name, payload)
        self.steps_run += 1
        if self.steps_run == self.kill_at and not self.kill_after:
            raise KilledError
        for _ in range(state["Retry"][0]["MaxAttempts"] + 1):
            if self.faults.get(name, 0):
                self.faults[name] -= 1
                continue
            with suppress(RuntimeError):
                answer = self._answer(state, name, payload)
                break
        else:
            raise RuntimeError("Lambda.Unknown")
        if self.steps_run == self.kill_at:
            raise KilledError
        return answer

    def _answer(self, state: Mapping[str, Any], name: str, payload: Mapping[str, Any]) -> dict[str, Any]:
        if state["Parameters"]["FunctionName"] == "importer":
            self._work(payload["job_id"], payload["chunk"])
            return {"outcome": "wait"}
        return dict(getattr(self.steps, name)(**payload))


def _at(path: str, data: Mapping[str, Any]) -> Any:
    found: Any = data
    for part in path.removeprefix("$.").split("."):
        found = found[part]
    return found
