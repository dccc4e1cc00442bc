"""The ledger and the report store of the simulation, which fail and are slow as told."""

from collections.abc import Iterable, Mapping, Sequence, Set
from random import Random
from typing import Any

from msgspec.structs import replace

from benchmarks.simulation_world import REPORTING, SimulatedGlue, Step, World
from queries.ledger.port import ConflictError, Remove, Write
from queries.ledger.state import PartitionState, Run
from queries.partitions import Key
from queries.store.glue import GlueReportStore
from queries.store.port import Entry, Output, StoredRun


class SimulatedStore(GlueReportStore):
    """The product's swap over a simulated Glue; its files are the world's."""

    def __init__(self, world: World, step: Step, glue: SimulatedGlue) -> None:
        super().__init__(None, glue, bucket=REPORTING, database="simulated")
        self._world, self._step_, self._glue_ = world, step, glue

    def outputs(self, location: str, _: str) -> Mapping[str, Output]:
        self._step_("store.outputs")
        found: dict[str, Output] = {}
        for folder, files in self._world.files.items():
            if folder.startswith(location) and files:
                partition = folder.rstrip("/").rpartition("=")[2]
                rows = sum(len(rows) for _, rows in files.values())
                found[partition] = Output(rows=rows, bytes=rows, files=len(files))
        return found

    def registered(self, table: str, _: str, first: str) -> Mapping[str, Entry]:
        self._step_("glue.list")
        return {
            value: self._entry(value, partition)
            for (name, value), partition in self._glue_.partitions.items()
            if name == table and value >= first
        }

    def stored(self, prefix: str) -> Mapping[str, int]:
        self._step_("store.list")
        return {
            folder: sum(len(rows) for _, rows in files.values())
            for folder, files in self._world.files.items()
            if folder.startswith(prefix) and files
        }

    def runs(self, prefix: str) -> Iterable[StoredRun]:
        self._step_("store.runs")
        return [
            StoredRun(one.target, one.ended_at)
            for one in self._world.executions.values()
            if one.target.startswith(prefix)
            and any(name.startswith(one.target) for name in self._world.files)
        ]

    def retire(self, location: str) -> int:
        self._step_("store.retire")
        gone = [folder for folder in self._world.files if folder.startswith(location)]
        for folder in gone:
            del self._world.files[folder]
        return len(gone)

    def put(self, _: str, __: bytes) -> None:
        self._step_("store.put")

    def get(self, _: str) -> bytes:
        self._step_("store.get")
        return b""


class SimulatedDefinitions:
    """A `Definitions` that has all of them."""

    def names(self) -> Set[str] | None:
        return _EveryName()

    def create(self, tables: Mapping[str, Any], *, database: bool) -> None:
        raise NotImplementedError


class _EveryName(frozenset[str]):
    def __contains__(self, _: object) -> bool:
        return True


class SimulatedLedger:
    """A `LedgerTable`."""

    def __init__(self, world: World, step: Step) -> None:
        self._world, self._step = world, step
        self._states: dict[Key, PartitionState] = {}
        self._runs: dict[str, Run] = {}

    def partitions(self, keys: Sequence[Key]) -> Mapping[Key, PartitionState]:
        self._step("ledger.read")
        return {key: self._states[key] for key in keys if key in self._states}

    def report(self, report: str) -> Sequence[PartitionState]:
        self._step("ledger.report")
        return [state for key, state in sorted(self._states.items()) if key.report == report]

    def due(self, now: int, limit: int) -> Sequence[Key]:
        self._step("ledger.due")
        due = [state for state in self._states.values() if state.due_at is not None and state.due_at <= now]
        return [state.key for state in sorted(due, key=lambda one: (one.due_at, one.key))[:limit]]

    def run(self, run_id: str) -> Run | None:
        self._step("ledger.run")
        return self._runs.get(run_id)

    def runs(self) -> Sequence[Run]:
        self._step("ledger.runs")
        return list(self._runs.values())

    def commit(self, writes: Sequence[Write]) -> None:
        self._step("ledger.commit")
        for write in writes:
            if self._revision(write) != (write.run.revision if isinstance(write, Remove) else write.revision):
                raise ConflictError(str(write))
        for write in writes:
            match write:
                case Remove(run):
                    del self._runs[run.run_id]
                case Run():
                    self._runs[write.run_id] = replace(write, revision=write.revision + 1)
                case PartitionState():
                    self._states[write.key] = replace(write, revision=write.revision + 1)
        self._step("ledger.committed")

    def forget(self, rng: Random) -> None:
        """One item is lost, of a partition or of a run."""
        names: list[Key | str] = [*self._states, *self._runs]
        if names:
            lost = rng.choice(names)
            if isinstance(lost, Key):
                del self._states[lost]
            else:
                del self._runs[lost]

    def everything(self) -> tuple[list[PartitionState], list[Run]]:
        """All items, for the checker."""
        return list(self._states.values()), list(self._runs.values())

    def _revision(self, write: Write) -> int:
        match write:
            case Remove(run) | (Run() as run):
                stored: PartitionState | Run | None = self._runs.get(run.run_id)
            case PartitionState():
                stored = self._states.get(write.key)
        return 0 if stored is None else stored.revision
