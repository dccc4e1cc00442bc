"""MiniStack writes its state when it ends in order only. This writes it a moment after each change.

A snapshot is made by a forked child, so MiniStack goes on answering; it is a folder of MiniStack's own state
files, and whole from the moment that it has its name. Records of streams and objects of buckets are not in
it: they are on disk before they are acknowledged.
"""

import asyncio
import contextlib
import json
import logging
import os
import shutil
import signal
import time
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from pathlib import Path
from typing import Any

from infra.local import process_memory

SECONDS = 2.0
"""A change waits so long for others before a snapshot is made."""
SHARE = 0.04
"""A snapshot's seconds of CPU are followed by so much rest that they are at most this share of one core."""
_CHILD_SECONDS = 60.0
_READS = ("Get", "List", "Describe", "BatchGet", "Query", "Scan", "Head", "PutRecord", "Simulate", "Receive")
"""Operations that change nothing that a snapshot holds; records are in a log of their own."""

App = Callable[[MutableMapping[str, Any], Any, Any], Awaitable[None]]
States = Callable[[], Mapping[str, Callable[[], Any]]]
Write = Callable[[Path, str, Any], None]

logger = logging.getLogger(__name__)


def newest(folder: Path) -> Path | None:
    """The newest whole snapshot in this folder."""
    return max((each for each in folder.glob("[0-9]*") if not each.suffix), default=None)


def taken_at(snapshot: Path) -> float:
    """When it was taken (epoch seconds)."""
    return snapshot.stat().st_mtime


class Snapshots:
    """Snapshots in one folder, of which the newest is kept."""

    def __init__(self, folder: Path, states: States, write: Write) -> None:
        self._folder, self._states, self._write = folder, states, write

    def take(self) -> Path:
        """Write one. Raises OSError when the disk does not take it; then there is none more than before."""
        latest = newest(self._folder)
        number = int(latest.name) + 1 if latest else 0
        made = self._folder / f"{number:010d}"
        being_made = self._folder / f"{number:010d}.{os.getpid()}.tmp"
        shutil.rmtree(being_made, ignore_errors=True)
        try:
            being_made.mkdir(parents=True)
            for name, state in self._states().items():
                found = state()
                if found is not None:
                    self._write(being_made, name, found)
            being_made.rename(made)
        except BaseException:
            shutil.rmtree(being_made, ignore_errors=True)
            raise
        for each in self._folder.iterdir():
            if each.name < made.name:
                shutil.rmtree(each, ignore_errors=True)
        return made


class Changes:
    """Notices requests that change something, and has it snapshot."""

    def __init__(self, snapshots: Snapshots, *, seconds: float = SECONDS) -> None:
        self._snapshots, self._seconds = snapshots, seconds
        self._changed, self._hurry = asyncio.Event(), asyncio.Event()
        self._rest = 0.0
        self._child: int | None = None

    def last(self) -> None:
        """Take one in this very process, at its end, in place of a child that is at it. Raises OSError."""
        if self._child is not None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self._child, signal.SIGKILL)
            with contextlib.suppress(ChildProcessError):
                os.waitpid(self._child, 0)
        self._snapshots.take()

    def watching(self, app: App) -> App:
        """The application, with its requests noticed."""

        async def watched(scope: MutableMapping[str, Any], receive: Any, send: Any) -> None:
            try:
                await app(scope, receive, send)
            finally:
                if scope["type"] == "http" and changes(scope["method"], dict(scope["headers"])):
                    self._changed.set()

        return watched

    def now(self) -> None:
        """Take a snapshot at once, changed or not."""
        self._hurry.set()
        self._changed.set()

    async def run(self) -> None:
        """Take snapshots until cancelled."""
        while True:
            await self._changed.wait()
            await self._wait(max(self._seconds, self._rest))
            self._changed.clear()
            self._hurry.clear()
            used = await self._fork()
            self._rest = used / SHARE

    async def _wait(self, seconds: float) -> None:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._hurry.wait(), seconds)

    async def _fork(self) -> float:
        """Take one in a child; its seconds of CPU."""
        pid = os.fork()
        if pid == 0:
            os.closerange(3, 65536)  # sockets and locks belong to the parent alone
            code = 1
            try:
                self._snapshots.take()
                code = 0
            except BaseException:
                logger.exception("a snapshot of MiniStack's state could not be written")
            finally:
                os._exit(code)
        self._child, deadline = pid, time.monotonic() + _CHILD_SECONDS
        while True:
            await asyncio.sleep(0.02)
            done, _, usage = os.wait4(pid, os.WNOHANG)
            if done:
                self._child = None
                return usage.ru_utime + usage.ru_stime
            if time.monotonic() > deadline:  # it inherited a lock that nobody gives back
                os.kill(pid, signal.SIGKILL)
                deadline = float("inf")


def changes(method: str, headers: Mapping[bytes, bytes]) -> bool:
    """Whether a request may have changed what a snapshot holds."""
    target = headers.get(b"x-amz-target")
    if target is not None:
        return not target.decode("latin-1").rpartition(".")[2].startswith(_READS)
    return method not in {"GET", "HEAD", "OPTIONS"}


def install(folder: Path, start: Path | None) -> None:
    """Make MiniStack's process take them, beside its own server and at its end, and begin from `start`.

    The code of functions stays where MiniStack puts it, by its content and outside of snapshots.
    """
    import hypercorn.asyncio
    from ministack import app as ministack
    from ministack.core import persistence

    def write(into: Path, name: str, state: Any) -> None:
        version = persistence._state_format_version(name)
        document = {"__ministack_format__": version, "payload": state}
        text = json.dumps(document, default=persistence._json_default)
        (into / f"{name}.json").write_text(text, encoding="utf-8")

    if start is not None:
        persistence.STATE_DIR = str(start)  # only what reads state files at the start looks there
    snapshots = Snapshots(folder, ministack._build_persistence_save_dict, write)
    serve = hypercorn.asyncio.serve

    async def serve_here(app: Any, config: Any) -> None:
        seen = Changes(snapshots)
        ministack.save_all = lambda _: seen.last()
        asyncio.get_running_loop().add_signal_handler(signal.SIGUSR1, seen.now)
        tasks = [asyncio.create_task(seen.run()), asyncio.create_task(process_memory.keep_small())]
        try:
            await serve(seen.watching(app), config)  # type: ignore[arg-type]  # ASGI in plain types
        finally:
            for task in tasks:
                task.cancel()

    hypercorn.asyncio.serve = serve_here  # type: ignore[assignment]
