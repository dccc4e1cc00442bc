"""The local cloud of a chaos run: a folder, on a file system of its own where that can be mounted, and the
command as a person types it.
"""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext, suppress
from pathlib import Path
from typing import Any

from benchmarks.local import roles
from infra.aws.outputs import Outputs
from infra.local import cloud, processes
from infra.local.cloud import LocalCloud
from infra.local.paths import LocalPaths
from infra.local.status.asking import Asking

ROOT = Path(__file__).resolve().parents[1]
DISK_BYTES = 3 << 30
PATIENCE_SECONDS = 420
UP_SECONDS = 300
UPS = 2


class ChaosError(RuntimeError):
    """A command did not do what it must, whatever was done to it before."""


class World:
    """A folder with a local cloud, and what can be done to it."""

    def __init__(self, folder: Path, patched: Path) -> None:
        self.folder = folder
        self.notes = folder.with_name(f"{folder.name}-notes")  # the driver's own, on another disk
        self.notes.mkdir()
        self.disk_is_ours = _mount(folder)
        ports = processes.free_ports(2)
        kept = {
            name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "PENSTOCK_"))
        }
        path = os.pathsep.join((str(patched), str(ROOT)))
        self.environment = kept | {
            "PENSTOCK_LOCAL_PORT": str(ports[0]),
            "PENSTOCK_LOCAL_SERVER_PORT": str(ports[1]),
            "PYTHONPATH": path,
        }
        self.paths = LocalPaths.of(folder)
        self._going = threading.Lock()

    def start(self, *arguments: str, log: Path | None = None) -> subprocess.Popen[str]:
        """`penstock ...`, running."""
        with log.open("a") if log is not None else nullcontext(subprocess.PIPE) as output:
            return subprocess.Popen(
                [sys.executable, "-m", "infra.command.cli", *arguments],
                cwd=self.folder,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=output,
                text=True,
            )

    def run(self, *arguments: str, codes: Sequence[int] = (0,)) -> str:
        """`penstock ...`, to its end; what it printed. Raises ChaosError with what it said otherwise."""
        running = self.start(*arguments)
        try:
            output, said = running.communicate(timeout=PATIENCE_SECONDS)
        except subprocess.TimeoutExpired:
            running.kill()
            output, said = running.communicate()
            raise ChaosError(f"penstock {' '.join(arguments)} did not end: {said[-2000:]}") from None
        if running.returncode not in codes:
            what = f"penstock {' '.join(arguments)} exited with {running.returncode}"
            raise ChaosError(f"{what}: {output[-1000:]}{said[-2000:]}")
        return output

    def json(self, *arguments: str, codes: Sequence[int] = (0,)) -> Any:
        """`penstock ... --json`: the document that it printed."""
        return json.loads(self.run(*arguments, "--json", codes=codes))

    def up(self) -> None:
        """The local cloud is up afterwards, whatever is left of it."""
        with self._going:
            for _ in range(UPS):
                try:
                    self.run("local", "up")
                except ChaosError:
                    if None not in cloud.status(self.paths).values():
                        raise  # a fault that ends the server may do so under the command, and the next works
                else:
                    return
            self.run("local", "up")

    def down(self) -> None:
        """Stopped as one should."""
        with self._going:
            self.run("local", "down")

    @property
    def cloud(self) -> LocalCloud:
        """The cloud, as soon as it is up: a disturbance may have taken it down. Raises ChaosError."""
        until = time.monotonic() + UP_SECONDS
        while (found := cloud.attach(self.paths)) is None:
            if time.monotonic() > until:
                have = f"outputs {'are' if self.paths.outputs.exists() else 'are not'} there"
                raise ChaosError(f"no local cloud is up: {cloud.status(self.paths)}, {have}")
            time.sleep(0.05)
        return found

    def client_environment(self) -> dict[str, str]:
        """For programs that use AWS clients themselves."""
        return self.environment | self.cloud.environment()

    def rows(self, sql: str) -> list[dict[str, Any]]:
        """Rows of a query, as any client of Athena gets them."""
        outputs = Outputs.from_document(self.cloud.outputs)
        asking = Asking(self.cloud.context, database=outputs.database, work_group=outputs.analyst_work_group)
        found = asking.rows(sql)
        return [dict(zip(found.columns, row, strict=True)) for row in found.rows]

    def kill(self, name: str) -> bool:
        """SIGKILL for the emulator or the server; what it started goes with it."""
        found = processes.alive(self.paths.run, name)
        if found is None:
            return False
        with suppress(ProcessLookupError):
            os.killpg(int(found["pid"]), signal.SIGKILL)
        while processes.alive(self.paths.run, name) is not None:
            time.sleep(0.01)
        return True

    def kill_workers(self) -> int:
        """SIGKILL for every worker of a Lambda function; how many there were."""
        killed = 0
        for pid, role in list(roles(self.folder, os.getpid())):
            if role.startswith("function "):
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
                    killed += 1
        return killed

    @contextmanager
    def full_disk(self) -> Iterator[None]:
        """Nothing more fits onto the disk inside."""
        while not _remount(self.folder, _used(self.folder)):
            pass  # something was written in between, and a size below what is used is refused
        try:
            yield
        finally:
            _remount(self.folder, DISK_BYTES)

    def close(self) -> None:
        """Stop what runs, and unmount."""
        cloud.down(self.paths, lambda _: None)
        if self.disk_is_ours:
            subprocess.run(["umount", "--lazy", str(self.folder)], check=False, capture_output=True)


def _mount(folder: Path) -> bool:
    """Whether a file system of the test's own is mounted there: only root may do that."""
    folder.mkdir(parents=True, exist_ok=True)
    if os.geteuid() != 0:
        return False
    command = ["mount", "-t", "tmpfs", "-o", f"size={DISK_BYTES},mode=700", "chaos", str(folder)]
    return subprocess.run(command, check=False, capture_output=True).returncode == 0


def _remount(folder: Path, size: int) -> bool:
    command = ["mount", "-o", f"remount,size={size}", str(folder)]
    return subprocess.run(command, check=False, capture_output=True).returncode == 0


def _used(folder: Path) -> int:
    found = os.statvfs(folder)
    return max(1 << 20, (found.f_blocks - found.f_bfree) * found.f_frsize)
