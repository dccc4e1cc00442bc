"""The processes of the local cloud: each holds a lock on its own file for as long as it lives.

A held lock proves that the recorded process id is alive and ours, even when whoever started it was killed.
"""

import fcntl
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO, Any

from infra.local.paths import OWNER_ONLY

LOOPBACK = "127.0.0.1"


class PortTakenError(RuntimeError):
    """Another program listens on a port that the local cloud needs."""

    def __init__(self, port: int, what: str) -> None:
        super().__init__(
            f"Port {port} on {LOOPBACK}, which {what} needs, is taken by another program. "
            f"End that program, or choose other ports: PENSTOCK_LOCAL_PORT={port + 100} moves both."
        )
        self.port, self.what = port, what


class ProcessFailedError(RuntimeError):
    """A process of the local cloud ended or did not answer in time."""

    def __init__(self, name: str, what: str, log: Path) -> None:
        super().__init__(f"{name} {what}. Its log is {log}; the last lines:\n{_tail(log)}")
        self.name, self.log = name, log


def hold(run: Path, name: str, facts: Mapping[str, Any]) -> IO[str]:
    """Called by a process about itself: record its id and facts, and lock the record until it ends.

    Keep the returned file open. A record that somebody deletes is written again, so that the process can be
    found as long as it lives. Raises BlockingIOError when another process of that name is alive.
    """
    given = os.environ.pop(_RECORD, None)
    file = _locked(run, name) if given is None else os.fdopen(int(given), "a+", encoding="utf-8")
    os.set_inheritable(file.fileno(), False)  # only this process holds it, not what it starts
    recorded = json.dumps({"pid": os.getpid(), **facts})
    _write(file, recorded)
    threading.Thread(
        target=_keep_recorded, args=(file, run, name, recorded), name="process-record", daemon=True
    ).start()
    return file


def _locked(run: Path, name: str) -> IO[str]:
    """The record, locked. Raises BlockingIOError when a process of that name lives."""
    file = _record(run, name).open("a+", encoding="utf-8")
    deadline = time.monotonic() + 2.0  # `alive` holds the lock for a moment when it looks
    while True:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > deadline:
                file.close()
                raise
            time.sleep(0.01)
        else:
            return file


def _write(file: IO[str], text: str) -> None:
    file.truncate(0)
    file.write(text)
    file.flush()


def _keep_recorded(file: IO[str], run: Path, name: str, recorded: str) -> None:
    while True:
        time.sleep(RECORD_SECONDS)
        with suppress(OSError, ValueError):
            if file.closed:
                return
            if not _record(run, name).exists():
                run.mkdir(parents=True, exist_ok=True)
                again = _locked(run, name)
                _write(again, recorded)
                file = again


def alive(run: Path, name: str) -> dict[str, Any] | None:
    """What the living process of that name recorded about itself (`pid` and its facts), or None."""
    deadline = time.monotonic() + _SECONDS_TO_RECORD
    while True:
        with suppress(FileNotFoundError, ValueError), _record(run, name).open(encoding="utf-8") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:
                recorded: dict[str, Any] = json.loads(file.read() or "{}")
                if "pid" in recorded:
                    return recorded
                if time.monotonic() < deadline:  # it has just been started and will say who it is
                    time.sleep(0.02)
                    continue
        return None


def start(
    module: str,
    arguments: Sequence[str],
    environment: Mapping[str, str],
    log: Path,
    *,
    record: tuple[Path, str] | None = None,
) -> int:
    """Start `python -m module` in a session of its own, output to `log`; return its process id.

    With `record` (run folder and name, as for `hold`) the process holds its record from its first moment, so
    that a caller who is killed right after this leaves nothing behind that cannot be found. Raises
    BlockingIOError when a process of that name is alive.
    """
    held = _locked(*record) if record else None
    passed: tuple[int, ...] = ()
    if held is not None:
        _write(held, "")
        passed = (held.fileno(),)
        environment = {**environment, _RECORD: str(held.fileno())}
    try:
        with log.open("ab") as output:
            process = subprocess.Popen(  # noqa: S603 - our own module
                [sys.executable, "-m", module, *arguments],
                env=dict(environment),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                umask=OWNER_ONLY,
                pass_fds=passed,
            )
    finally:
        if held is not None:
            held.close()  # the process has it now
    _children[process.pid] = process
    return process.pid


def wait_until(ready: Callable[[], bool], name: str, pid: int, log: Path, *, seconds: float) -> None:
    """Return when `ready()` is true. Raises ProcessFailedError when the process ends or time is up."""
    deadline = time.monotonic() + seconds
    while not ready():
        if not _exists(pid):
            raise ProcessFailedError(name, "ended while it was starting", log)
        if time.monotonic() > deadline:
            raise ProcessFailedError(name, f"did not answer within {seconds:.0f} s", log)
        time.sleep(0.03)


def stop(run: Path, name: str, *, seconds: float = 20.0) -> bool:
    """End the process of that name and what it started; False when none was alive.

    It is asked first, and killed after `seconds`.
    """
    found = alive(run, name)
    if found is None:
        return False
    pid = int(found["pid"])
    signal_to(pid, signal.SIGTERM)
    deadline = time.monotonic() + seconds
    while alive(run, name) is not None:
        if time.monotonic() > deadline:
            signal_to(pid, signal.SIGKILL)
            deadline = float("inf")
        time.sleep(0.02)
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, signal.SIGKILL)  # its workers, which share its session
    child = _children.pop(pid, None)
    if child is not None:
        child.wait()
    return True


def is_taken(port: int) -> bool:
    """Whether anything listens on the port."""
    with socket.socket() as probe:
        probe.settimeout(0.5)
        return probe.connect_ex((LOOPBACK, port)) == 0


def free_ports(count: int) -> tuple[int, ...]:
    """Ports that nothing listens on now."""
    sockets = [socket.socket() for _ in range(count)]
    try:
        for each in sockets:
            each.bind((LOOPBACK, 0))
        return tuple(int(each.getsockname()[1]) for each in sockets)
    finally:
        for each in sockets:
            each.close()


_RECORD = "PENSTOCK_PROCESS_RECORD"
"""Variable with the file descriptor of the locked record that a process was given by whoever started it."""
_SECONDS_TO_RECORD = 10.0
RECORD_SECONDS = 0.5
"""A process looks so often whether its record is still there."""
_children: dict[int, subprocess.Popen[bytes]] = {}


def _record(run: Path, name: str) -> Path:
    return run / f"{name}.process.json"


def _exists(pid: int) -> bool:
    child = _children.get(pid)
    if child is not None:
        return child.poll() is None
    with suppress(ProcessLookupError):
        os.kill(pid, 0)
        return True
    return False


def signal_to(pid: int, number: signal.Signals) -> None:
    """Send a signal; a process that has ended is not an error."""
    with suppress(ProcessLookupError):
        os.kill(pid, number)


def _tail(log: Path, lines: int = 15) -> str:
    with suppress(OSError):
        return "\n".join(log.read_text(errors="replace").splitlines()[-lines:])
    return "(no log)"
