"""Query executions: submitted, queued, run, cancelled; their record outlives the process."""

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from typing import Any
from weakref import WeakKeyDictionary

from infra.local.athena.engine import Run
from infra.local.athena.errors import SYSTEM, ApiError, QueryError
from infra.local.athena.store import Store

KIND = "execution"
TERMINAL = ("SUCCEEDED", "FAILED", "CANCELLED")
BILLED_MINIMUM = 10_000_000
MOST_ACTIVE = 200


class TooManyRequests(ApiError):
    """More executions are queued than the account may have."""

    code = "TooManyRequestsException"


@dataclass
class Execution:
    """The record of one execution. Times are epoch seconds; `columns` are (name, type) pairs of texts."""

    id: str
    query: str
    kind: str
    family: str
    database: str
    catalog: str
    work_group: str
    output_location: str
    submitted: float
    request: dict[str, Any] = field(default_factory=dict)
    parameters: list[str] = field(default_factory=list)
    cutoff: int | None = None
    state: str = "QUEUED"
    reason: str = ""
    error: dict[str, Any] | None = None
    started: float | None = None
    completed: float | None = None
    bytes_scanned: int = 0
    planning_ms: int = 0
    rows: int = 0
    columns: list[list[str]] = field(default_factory=list)
    header: bool = True
    manifest: str = ""
    update_count: int | None = None
    reused_from: str = ""


@dataclass
class Outcome:
    """What running a statement gave."""

    columns: list[list[str]] = field(default_factory=list)
    rows: int = 0
    manifest: str = ""
    update_count: int | None = None
    header: bool = True


Runner = Callable[[Execution, Run], Outcome]
Watcher = Callable[[Execution], None]


class Executions:
    """Runs executions on a bounded pool and keeps their records."""

    def __init__(
        self, store: Store, runner: Runner, clock: Callable[[], float], *, workers: int, watch: Watcher
    ) -> None:
        self._store, self._runner, self._clock, self._watch = store, runner, clock, watch
        self._pool = ThreadPoolExecutor(workers, thread_name_prefix="athena-run")
        self._live: dict[str, tuple[Execution, Run]] = {}
        self._ends: dict[str, Future[None]] = {}
        self._seen: WeakKeyDictionary[Future[None], asyncio.Future[None]] = WeakKeyDictionary()
        self._lock = threading.Lock()

    def recover(self) -> None:
        """After a restart nothing is running: what was is failed, and may be tried again."""
        for body in self._store.all(KIND):
            if body["state"] not in TERMINAL:
                execution = Execution(**body)
                self._fail(
                    execution,
                    QueryError(
                        "GENERIC_INTERNAL_ERROR",
                        "The local server was restarted.",
                        category=SYSTEM,
                        retryable=True,
                    ),
                )
                self._save(execution)

    def submit(self, execution: Execution) -> None:
        """Queue it. Raises TooManyRequests."""
        with self._lock:
            if len(self._live) >= MOST_ACTIVE:
                raise TooManyRequests(
                    "You have exceeded the limit for the number of queries you can run concurrently. Please reduce the number of concurrent queries submitted by this account.",
                    athena_error_code="TOO_MANY_REQUESTS",
                )
            submitted = datetime.fromtimestamp(execution.submitted, UTC).replace(tzinfo=None)
            run = Run(execution.id, execution.database, submitted, execution.parameters, execution.cutoff)
            self._live[execution.id] = (execution, run)
        self._save(execution)
        end = self._pool.submit(self._run, execution, run)
        self._ends[execution.id] = end
        end.add_done_callback(lambda _: self._ends.pop(execution.id, None))

    async def ended(self, identifier: str, seconds: float) -> None:
        """Return when no execution of this id runs or waits to run, or after so long. In one event loop only."""
        end = self._ends.get(identifier)
        if end is None or self.get(identifier).state in TERMINAL:
            return
        seen = self._seen.get(end)
        if seen is None:  # one for all who ask: each would stay with the execution until its end
            seen = self._seen[end] = asyncio.wrap_future(end)
        await asyncio.wait([seen], timeout=seconds)

    def record(self, execution: Execution) -> None:
        """Keep a record that needs no run."""
        self._save(execution)

    def get(self, identifier: str) -> Execution:
        """The record. Raises ApiError when there is none."""
        with self._lock:
            live = self._live.get(identifier)
        if live is not None:
            return live[0]
        body = self._store.find(KIND, identifier)
        if body is None:
            raise ApiError(
                f"QueryExecution {identifier} was not found", athena_error_code="INVALID_QUERY_EXECUTION_ID"
            )
        return Execution(**body)

    def stop(self, identifier: str) -> None:
        """Cancel it, unless it has ended."""
        self.get(identifier)
        with self._lock:
            live = self._live.get(identifier)
        if live is not None:
            live[1].cancel()
            with self._lock:
                if live[0].state == "QUEUED":
                    self._cancel(live[0])
            self._save(live[0])

    def close(self) -> None:
        """Cancel what runs and end the threads."""
        with self._lock:
            live = list(self._live.values())
        for _, run in live:
            run.cancel()
        self._pool.shutdown(wait=True, cancel_futures=True)
        for _, run in live:
            run.finished.set()

    def _run(self, execution: Execution, run: Run) -> None:
        try:
            with self._lock:
                if execution.state in TERMINAL:
                    return
                execution.state, execution.started = "RUNNING", self._clock()
            self._save(execution)
            self._finish(execution, run)
        finally:
            run.finished.set()
            with self._lock:
                self._live.pop(execution.id, None)

    def _finish(self, execution: Execution, run: Run) -> None:
        outcome, failure = Outcome(), None
        try:
            outcome = self._runner(execution, run)
        except QueryError as error:
            failure = error
        except Exception as error:  # noqa: BLE001 - a defect of ours ends the query, not the server
            failure = QueryError(
                "GENERIC_INTERNAL_ERROR", f"{type(error).__name__}: {error}", category=SYSTEM
            )
        with self._lock:
            execution.bytes_scanned, execution.planning_ms = run.bytes_scanned, run.planning_ms
            if run.cancelled.is_set():
                self._cancel(execution)
            elif failure is not None:
                self._fail(execution, failure)
            else:
                for name in ("columns", "rows", "manifest", "update_count", "header"):
                    setattr(execution, name, getattr(outcome, name))
                execution.state, execution.completed = "SUCCEEDED", self._clock()
        self._save(execution)
        self._watch(execution)

    def _cancel(self, execution: Execution) -> None:
        execution.state, execution.completed = "CANCELLED", self._clock()
        execution.reason = "Query cancelled by user"

    def _fail(self, execution: Execution, failure: QueryError) -> None:
        execution.state, execution.completed, execution.reason = "FAILED", self._clock(), str(failure)
        execution.error = {
            "ErrorCategory": failure.category,
            "ErrorType": failure.error_type,
            "Retryable": failure.retryable,
            "ErrorMessage": str(failure),
        }

    def _save(self, execution: Execution) -> None:
        self._store.put(KIND, execution.work_group, execution.id, asdict(execution))


def described(execution: Execution) -> dict[str, Any]:
    """`QueryExecution` as the API gives it."""
    status: dict[str, Any] = {"State": execution.state, "SubmissionDateTime": execution.submitted}
    if execution.reason:
        status["StateChangeReason"] = execution.reason
    if execution.completed is not None:
        status["CompletionDateTime"] = execution.completed
    if execution.error:
        status["AthenaError"] = execution.error
    request = execution.request
    answer = {
        "QueryExecutionId": execution.id,
        "Query": execution.query,
        "StatementType": execution.family,
        "SubstatementType": execution.kind,
        "ResultConfiguration": {
            **request.get("ResultConfiguration", {}),
            "OutputLocation": execution.output_location,
        },
        "ResultReuseConfiguration": request.get(
            "ResultReuseConfiguration", {"ResultReuseByAgeConfiguration": {"Enabled": False}}
        ),
        "QueryExecutionContext": {"Database": execution.database, "Catalog": execution.catalog},
        "Status": status,
        "Statistics": _statistics(execution),
        "WorkGroup": execution.work_group,
        "EngineVersion": {
            "SelectedEngineVersion": "AUTO",
            "EffectiveEngineVersion": "Athena engine version 3",
        },
    }
    if execution.parameters:
        answer["ExecutionParameters"] = execution.parameters
    if not execution.database:
        del answer["QueryExecutionContext"]
    return answer


def _statistics(execution: Execution) -> dict[str, Any]:
    statistics: dict[str, Any] = {
        "DataScannedInBytes": execution.bytes_scanned,
        "ResultReuseInformation": {"ReusedPreviousResult": bool(execution.reused_from)},
    }
    if execution.completed is not None:
        begun = execution.started if execution.started is not None else execution.completed
        statistics |= {
            "EngineExecutionTimeInMillis": _milliseconds(begun, execution.completed),
            "TotalExecutionTimeInMillis": _milliseconds(execution.submitted, execution.completed),
            "QueryQueueTimeInMillis": _milliseconds(execution.submitted, begun),
            "QueryPlanningTimeInMillis": execution.planning_ms,
            "ServiceProcessingTimeInMillis": 0,
        }
    if execution.manifest:
        statistics["DataManifestLocation"] = execution.manifest
    return statistics


def _milliseconds(start: float, end: float) -> int:
    return max(0, round((end - start) * 1000))
