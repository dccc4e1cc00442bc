"""Where a project lies: its `penstock.toml`, from a folder upwards."""

from pathlib import Path

FILE = "penstock.toml"


def files_above(start: Path) -> list[Path]:
    """Every project file in the folder `start` and above it, the nearest first."""
    start = start.resolve()
    return [folder / FILE for folder in (start, *start.parents) if (folder / FILE).is_file()]


def home_of(start: Path) -> Path:
    """The folder of the project that `start` lies in, or `start` itself: what is kept lies below it."""
    found = files_above(start)
    return found[0].parent if found else start
