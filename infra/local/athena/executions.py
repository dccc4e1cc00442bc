"""Query executions: submitted, queued, run, cancelled; their record outlives the process."""

import asyncio
import itertools
import logging
import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from typing import Any
from weakref import WeakKeyDictionary

from infra.local.athena.errors import SYSTEM, ApiError, QueryError
from infra.local.athena.execution import TERMINAL, Execution, Job, Runner, TooManyRequests, Watcher
from infra.local.athena.store import NotKeptError, Store

_log = logging.getLogger(__name__)
KIND = "execution"
MOST_ACTIVE = 200
MOST_KEPT = 2_000
"""Records of executions, the newest. Athena keeps those of 45 days."""
_TRIM_EVERY = 100


@dataclass(eq=False)
class _Live:
    execution: Execution
    job: Job
    end: Future[None] = field(default_factory=Future)
    is_long: bool = False
    is_stopped: bool = False


class Executions:
    """Runs executions, `workers` at a time, and keeps their records.

    One that takes long gives its place to another, as long as no more than `workers` do: who asks for the next hour
    does not wait for who asked for the whole year.
    """

    def __init__(
        self, store: Store, runner: Runner, clock: Callable[[], float], *, workers: int, watch: Watcher
    ) -> None:
        self._store, self._runner, self._clock, self._watch = store, runner, clock, watch
        self._workers = workers
        self._threads = ThreadPoolExecutor(2 * workers, thread_name_prefix="athena-run")
        self._live: dict[str, _Live] = {}
        self._waiting: deque[_Live] = deque()
        self._running: set[_Live] = set()
        self._seen: WeakKeyDictionary[Future[None], asyncio.Future[None]] = WeakKeyDictionary()
        self._saving = threading.Lock()
        self._unsaved: dict[str, Execution] = {}
        self._lock = threading.Lock()
        self._ends = itertools.count(1)

    def recover(self) -> None:
        """After a restart nothing is running: what was is failed, and may be tried again."""
        for body in self._store.all(KIND):
            if body["state"] not in TERMINAL:
                execution = Execution(**body)
                self._fail(execution, _restarted())
                self._keep(execution)

    def submit(self, execution: Execution) -> None:
        """Queue it. Raises TooManyRequests, and NotKeptError when it cannot be remembered."""
        with self._lock:
            if len(self._live) >= MOST_ACTIVE:
                raise TooManyRequests(
                    "You have exceeded the limit for the number of queries you can run concurrently. Please reduce the number of concurrent queries submitted by this account.",
                    athena_error_code="TOO_MANY_REQUESTS",
                )
            live = self._live[execution.id] = _Live(execution, self._runner.job())
        try:
            self._save(execution)
        except NotKeptError:
            with self._lock:
                del self._live[execution.id]
            raise
        with self._lock:
            self._waiting.append(live)
            self._start_waiting()

    def _start_waiting(self) -> None:
        """Start what may run. The caller holds the lock."""
        while self._waiting and sum(not live.is_long for live in self._running) < self._workers:
            live = self._waiting.popleft()
            self._running.add(live)
            self._threads.submit(self._run, live)

    def _yield(self, live: _Live) -> None:
        with self._lock:
            if sum(other.is_long for other in self._running) < self._workers:
                live.is_long = True
                self._start_waiting()

    async def ended(self, identifier: str, seconds: float) -> None:
        """Return when no execution of this id runs or waits to run, or after so long. In one event loop only."""
        with self._lock:
            live = self._live.get(identifier)
        if live is None or live.execution.state in TERMINAL:
            return
        end = live.end
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
        known = live.execution if live is not None else self._unsaved.get(identifier)
        if known is not None:
            return known
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
            live.is_stopped = True
            live.job.cancel()
            with self._lock:
                if live not in self._waiting:
                    return
                self._waiting.remove(live)
                self._cancel(live.execution)
            self._ended(live)

    def close(self) -> None:
        """End what runs, as failed by a restart: nobody has cancelled it. Then end the threads."""
        with self._lock:
            waiting = list(self._waiting)
            self._waiting.clear()
            running = list(self._running)
            for live in waiting:
                self._fail(live.execution, _restarted())
        for live in waiting:
            self._ended(live)
        for live in running:
            live.job.cancel()
        self._threads.shutdown(wait=True)

    def _run(self, live: _Live) -> None:
        with self._lock:
            live.execution.state, live.execution.started = "RUNNING", self._clock()
        self._keep(live.execution)
        try:
            self._finish(live)
        finally:
            self._ended(live)

    def _ended(self, live: _Live) -> None:
        self._keep(live.execution)
        self._watch(live.execution)
        if next(self._ends) % _TRIM_EVERY == 0:
            with suppress(NotKeptError):  # the disk is full, which `_keep` has told
                self._store.trim(KIND, MOST_KEPT)
        with self._lock:
            self._live.pop(live.execution.id, None)
            self._running.discard(live)
            self._start_waiting()
        live.end.set_result(None)

    def _finish(self, live: _Live) -> None:
        execution, failure = live.execution, None
        answer: dict[str, Any] = {}
        try:
            answer = self._runner.run(execution, live.job, lambda: self._yield(live))
            failure = QueryError(**answer["failure"]) if "failure" in answer else None
        except QueryError as error:
            failure = error
        except Exception as error:  # noqa: BLE001 - a defect of ours ends the query, not the server
            failure = QueryError(
                "GENERIC_INTERNAL_ERROR", f"{type(error).__name__}: {error}", category=SYSTEM
            )
        with self._lock:
            execution.bytes_scanned = answer.get("bytes_scanned", 0)
            execution.planning_ms = answer.get("planning_ms", 0)
            if failure is None:
                for name, value in answer["outcome"].items():
                    setattr(execution, name, value)
                execution.state, execution.completed = "SUCCEEDED", self._clock()
            elif live.is_stopped:
                self._cancel(execution)
            elif live.job.is_cancelled:
                self._fail(execution, _restarted())
            else:
                self._fail(execution, failure)

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

    def _keep(self, execution: Execution) -> None:
        """Save what has already happened: where the disk has no room, as soon as it has."""
        with self._saving:
            self._unsaved[execution.id] = execution
            try:
                for each in list(self._unsaved.values()):
                    self._save(each)
                    del self._unsaved[each.id]
            except NotKeptError as error:
                _log.warning("%d query executions are kept in memory: %s", len(self._unsaved), error)

    def _save(self, execution: Execution) -> None:
        self._store.put(KIND, execution.work_group, execution.id, asdict(execution))


def _restarted() -> QueryError:
    return QueryError(
        "GENERIC_INTERNAL_ERROR", "The local server was restarted.", category=SYSTEM, retryable=True
    )
