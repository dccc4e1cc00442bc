"""Where our packages lie: side by side in the repository, below `penstock` where a wheel is installed."""

from pathlib import Path, PurePosixPath

PREFIX = "".join(f"{part}." for part in __name__.split(".")[:-2])
"""What precedes the name of each package of ours: nothing in the repository, `penstock.` in the wheel."""

PARENT = "penstock"


def root() -> Path:
    """The folder that holds the top-level packages: the repository, or site-packages."""
    return Path(__file__).resolve().parents[1 + PREFIX.count(".")]


def placed(path: str) -> str:
    """The path below `root` of a file or folder that the repository has at `path`."""
    inside = PurePosixPath(path)
    return path if inside.parts[0] == PARENT or not PREFIX else (PurePosixPath(PARENT) / inside).as_posix()


def placed_module(name: str) -> str:
    """The dotted name under which a module or package of ours is imported here."""
    return PREFIX + name
