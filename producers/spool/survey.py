"""What lies in a spool folder, found by reading alone: also while a producer uses it."""

from dataclasses import dataclass
from pathlib import Path

from producers.errors import SpoolError
from producers.spool.folder import LOCK, segment_paths
from producers.spool.quarantine import QUARANTINE_SUFFIX
from producers.spool.segment import scan_file


@dataclass(frozen=True)
class Survey:
    """What lies in a folder.

    Attributes:
        events: not delivered, and readable.
        damaged_ranges, damaged_bytes: places of the segments that cannot be read.
        lost: events that are known to have been there.
        quarantined: files with bytes that could not be read, of these segments or of ones that are gone.
    """

    events: int = 0
    damaged_ranges: int = 0
    damaged_bytes: int = 0
    lost: int = 0
    quarantined: int = 0

    def __str__(self) -> str:
        told = f"{self.events:,} events"
        if self.damaged_ranges:
            told += (
                f"; {self.damaged_bytes:,} bytes in {self.damaged_ranges:,} places cannot be read, "
                f"at least {self.lost:,} events"
            )
        return told + (f"; {self.quarantined:,} *{QUARANTINE_SUFFIX} files" if self.quarantined else "")


def survey(folder: Path) -> Survey:
    """Looks through a folder's segments. Raises SpoolError when one cannot be read."""
    events = ranges = damaged = lost = 0
    for path in segment_paths(folder):
        try:
            _, found = scan_file(path)
        except FileNotFoundError:  # delivered meanwhile
            continue
        except OSError as error:
            raise SpoolError(f"{path} cannot be read: {error.strerror}.") from error
        events += found.waiting
        lost += found.lost
        ranges += len(found.damaged)
        damaged += sum(length for _, length in found.damaged)
    return Survey(events, ranges, damaged, lost, len(list(folder.glob(f"*{QUARANTINE_SUFFIX}"))))


def spool_folders(folder: Path) -> list[Path]:
    """The folder itself, and those that forked processes left below it.

    Raises SpoolError when no producer ever used it.
    """
    forked = sorted(path for path in folder.glob("fork-*/**") if _is_fork(path))
    if not (_is_spool(folder) or forked):
        raise SpoolError(f"{folder} is not a spool folder: there is no lock and no segment in it.")
    return [folder, *forked]


def _is_spool(folder: Path) -> bool:
    return (folder / LOCK).is_file() or bool(segment_paths(folder))


def _is_fork(folder: Path) -> bool:
    return folder.is_dir() and folder.name.startswith("fork-")
