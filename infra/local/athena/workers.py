"""The processes that run executions, as the server sees them: lent to one execution at a time, killed, replaced."""

import json
import logging
import os
import socket
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from multiprocessing.connection import Connection
from pathlib import Path
from shutil import rmtree
from typing import Any

from infra.local.athena.errors import SYSTEM, QueryError, exhausted
from infra.local.athena.execution import Execution
from infra.local.athena.nursery_messages import MESSAGE, Setup

MOST_USES = 200
"""After these a worker is replaced, so that what it holds on to does not add up."""
MOST_IDLE_BYTES = 280_000_000
"""One that was ever larger is replaced, too: idle it would keep its memory. After the fork it has 140 MB."""
LONG_SECONDS = 1.0
"""After so long an execution yields to others: on the processors, and its place among those that may run."""
QUERY_SECONDS = 30 * 60.0
"""Athena's own limit of a DML statement."""
_LOWER_PRIORITY = 10
_DEATH_SECONDS = 10.0
"""A killed process has so long to be gone: it could write to its folder until then."""

logger = logging.getLogger(__name__)


@dataclass(eq=False)
class Worker:
    """One process. `folder` is all that it may write to but results and the object cache."""

    process: int
    connection: Connection
    folder: Path
    uses: int = 0

    @property
    def is_alive(self) -> bool:
        """Whether an idle worker still waits for work: it has nothing to say before."""
        return not self.connection.poll(0)

    def await_death(self) -> None:
        """Return when the killed process is gone, or after `_DEATH_SECONDS`. An answer that nobody read is dropped."""
        with suppress(EOFError, OSError):
            while self.connection.poll(_DEATH_SECONDS):
                self.connection.recv_bytes()

    def yield_to_others(self) -> None:
        """Give every thread of it a lower priority; where that needs /proc and there is none, leave it."""
        with suppress(OSError):
            for thread in Path(f"/proc/{self.process}/task").iterdir():
                with suppress(ProcessLookupError):
                    os.setpriority(os.PRIO_PROCESS, int(thread.name), _LOWER_PRIORITY)


@dataclass(eq=False)
class Job:
    """An execution's hold on its worker. Cancelling it kills the worker, and no other execution's."""

    kill: Callable[[Worker], None]
    is_cancelled: bool = False
    _worker: Worker | None = None
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def begin(self, worker: Worker) -> bool:
        """Take hold; False when the execution is cancelled."""
        with self._lock:
            if not self.is_cancelled:
                self._worker = worker
            return not self.is_cancelled

    def end(self) -> None:
        """Let go."""
        with self._lock:
            self._worker = None

    def cancel(self) -> None:
        """End the execution, whatever it does."""
        with self._lock:
            self.is_cancelled = True
            if self._worker is not None:
                self.kill(self._worker)


class Workers:
    """Forks workers and keeps some that wait: `kept`, and the one that is ready for whoever comes next. Thread-safe.

    A worker comes back from an execution that took little memory. Any other is killed, with all that it knows and
    holds, and replaced in the background.
    """

    def __init__(self, setup: Setup, *, kept: int) -> None:
        self._setup, self._kept = setup, kept
        self._folder = Path(setup.folder)
        self._idle: deque[Worker] = deque()
        self._lock, self._nursery_lock = threading.Lock(), threading.Lock()
        self._count = 0
        self._nursery: tuple[subprocess.Popen[bytes], socket.socket] | None = None
        # Two threads: whoever waits for a worker's death keeps nobody from forking the next one.
        self._background = ThreadPoolExecutor(1, thread_name_prefix="athena-workers")
        self._graves = ThreadPoolExecutor(1, thread_name_prefix="athena-dead-workers")

    def warm(self) -> None:
        """Have one where none is idle."""
        self._background.submit(self._refill)

    def settle(self) -> None:
        """Return when what goes on in the background is done."""
        for pool in (self._background, self._graves):
            pool.submit(lambda: None).result()

    def job(self) -> Job:
        """For one execution."""
        return Job(self._kill)

    def run(self, execution: Execution, job: Job, when_long: Callable[[], None]) -> dict[str, Any]:
        """The worker's answer: `outcome` or `failure`, `bytes_scanned`, `planning_ms`, `peak_bytes`.

        Raises QueryError when the worker dies (without a reason when it was cancelled) or takes too long.
        """
        worker, is_good = self._take(), False
        try:
            if not job.begin(worker):
                raise QueryError("USER_CANCELED", "Query was cancelled")
            worker.connection.send_bytes(json.dumps(asdict(execution)).encode())
            answer: dict[str, Any] = json.loads(self._received(worker, when_long))
            is_good = answer["peak_bytes"] <= MOST_IDLE_BYTES
        except (EOFError, OSError) as error:
            if self._lost_nursery():
                text = "The processes that run queries were ended."
                raise QueryError("GENERIC_INTERNAL_ERROR", text, category=SYSTEM, retryable=True) from error
            raise exhausted() from error
        finally:
            job.end()
            if is_good:
                self._put_back(worker)
            else:
                self._kill(worker)
                self._bury(worker)
        return answer

    def _received(self, worker: Worker, when_long: Callable[[], None]) -> bytes:
        if not worker.connection.poll(LONG_SECONDS):
            worker.yield_to_others()
            when_long()
            if not worker.connection.poll(QUERY_SECONDS - LONG_SECONDS):
                raise QueryError("", "Query timeout")
        return worker.connection.recv_bytes()

    def _take(self) -> Worker:
        while True:
            with self._lock:
                worker = self._idle.popleft() if self._idle else None
                is_last = not self._idle
            if is_last:
                self._background.submit(self._refill)  # whoever comes next finds one that is ready
            if worker is None:
                return self._fork()
            if worker.is_alive:
                return worker
            self._kill(worker)
            self._bury(worker)

    def _put_back(self, worker: Worker) -> None:
        worker.uses += 1
        with self._lock:
            if len(self._idle) <= self._kept and worker.uses < MOST_USES:
                self._idle.append(worker)
                return
        self._kill(worker)
        self._bury(worker)

    def _bury(self, worker: Worker) -> None:
        self._background.submit(self._refill)
        self._graves.submit(self._clear, worker)

    def _clear(self, worker: Worker) -> None:
        worker.await_death()
        worker.connection.close()
        rmtree(worker.folder, ignore_errors=True)

    def _refill(self) -> None:
        with self._lock:
            is_wanted = not self._idle
        if is_wanted:
            worker = self._fork()
            with self._lock:
                self._idle.append(worker)

    def _fork(self) -> Worker:
        with self._nursery_lock:
            self._count += 1
            for last_try in (False, True):
                ours, theirs = socket.socketpair()
                try:
                    process = self._ask_for(theirs)
                except OSError:
                    self._end_nursery()  # something killed it: the next try starts another
                    ours.close()
                    if last_try:
                        raise
                else:
                    return Worker(process, Connection(ours.detach()), self._folder / str(self._count))
                finally:
                    theirs.close()
        raise AssertionError("unreachable")

    def _ask_for(self, connection: socket.socket) -> int:
        if self._nursery is None:
            self._nursery = self._start_nursery()
        _, control = self._nursery
        socket.send_fds(control, [MESSAGE.pack(b"F", self._count)], [connection.fileno()])
        answer = control.recv(MESSAGE.size, socket.MSG_WAITALL)
        if len(answer) < MESSAGE.size:
            raise ConnectionError("The nursery ended.")
        return int(MESSAGE.unpack(answer)[1])

    def _start_nursery(self) -> tuple[subprocess.Popen[bytes], socket.socket]:
        ours, theirs = socket.socketpair()
        with theirs:
            process = subprocess.Popen(  # noqa: S603 - our own module
                [
                    sys.executable,
                    "-m",
                    "infra.local.athena.nursery",
                    str(theirs.fileno()),
                    self._setup.json(),
                ],
                stdin=subprocess.DEVNULL,
                pass_fds=[theirs.fileno()],
            )
        return process, ours

    def _kill(self, worker: Worker) -> None:
        with self._nursery_lock, suppress(OSError):
            if self._nursery is not None:
                self._nursery[1].sendall(MESSAGE.pack(b"K", worker.process))

    def _lost_nursery(self) -> bool:
        with self._nursery_lock:
            return self._nursery is not None and self._nursery[0].poll() is not None

    def _end_nursery(self) -> None:
        if self._nursery is not None:
            process, control = self._nursery
            control.close()
            self._nursery = None
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    def close(self) -> None:
        """End them all."""
        for pool in (self._background, self._graves):
            pool.shutdown()
        with self._nursery_lock:
            self._end_nursery()
        for worker in self._idle:
            worker.connection.close()
        rmtree(self._folder, ignore_errors=True)
