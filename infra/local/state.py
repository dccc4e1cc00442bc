"""The state that the local cloud starts from: whole, from a snapshot, or none."""

import shutil
import signal
import time
from datetime import datetime
from pathlib import Path

from infra.local import processes
from infra.local.ministack import emulator, snapshots
from infra.local.paths import LocalPaths

_SECONDS_TO_KEEP = 5.0


def is_whole(paths: LocalPaths) -> bool:
    """Whether MiniStack has ended in order, and thus written all of its state."""
    return clean_marker(paths).exists()


def clean_marker(paths: LocalPaths) -> Path:
    """What MiniStack's process writes when it has ended in order."""
    return paths.state / "clean"


def prepare(paths: LocalPaths) -> list[str]:
    """Make the folders ready for MiniStack's start; what the user must know of it."""
    found = emulator.state(paths)
    if found is None:
        # Names of buckets end in random letters: without the state nothing finds the objects.
        kept = _set_aside(paths)
        return [_NO_STATE.format(folder=kept)] if kept else []
    if not is_whole(paths):
        at = datetime.fromtimestamp(snapshots.taken_at(found)).astimezone()
        return [_FROM_SNAPSHOT.format(at=at)]
    return []


_FROM_SNAPSHOT = (
    "MiniStack had ended without writing its state. It goes on from what it wrote at {at:%H:%M:%S}; records "
    "and objects are all there, and reports are compared with the lake."
)
_NO_STATE = (
    "MiniStack had ended before it wrote any state, so nothing can find what it held. That was moved to "
    "{folder}, and the local cloud starts empty. Delete that folder when you do not need it."
)


def _set_aside(paths: LocalPaths) -> Path | None:
    """Move what nothing can be started from out of the way; where to, or None when there is nothing."""
    folders = [
        folder
        for folder in (paths.state, paths.objects, paths.stream)
        if folder.is_dir() and any(each.is_file() for each in folder.rglob("*"))
    ]
    if not any(folder in folders for folder in (paths.objects, paths.stream)):
        for folder in folders:
            shutil.rmtree(folder)
        paths.make()
        return None
    number = len(list(paths.kept.glob("*"))) if paths.kept.is_dir() else 0
    target = paths.kept / f"{number:03d}"
    target.mkdir(parents=True)
    for folder in folders:
        folder.rename(target / folder.name)
    paths.make()
    return target


def keep(paths: LocalPaths) -> None:
    """Have MiniStack write its state now, so that what was deployed outlives its sudden end."""
    found, before = processes.alive(paths.run, emulator.NAME), snapshots.newest(paths.snapshots)
    if found is None:
        return
    processes.signal_to(int(found["pid"]), signal.SIGUSR1)
    deadline = time.monotonic() + _SECONDS_TO_KEEP
    while snapshots.newest(paths.snapshots) == before and time.monotonic() < deadline:
        time.sleep(0.02)
