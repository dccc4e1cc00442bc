"""What functions get on this machine: a zip of our own sources. Their dependencies are installed already."""

import io
import zipfile
from collections.abc import Iterator, Sequence
from importlib.util import find_spec
from pathlib import Path

FUNCTION_PACKAGES = ("producers", "transforms", "queries", "dashboards")
"""The packages that handlers import."""

_FIXED_TIME = (2020, 1, 1, 0, 0, 0)  # so that equal sources make equal zips
_LEFT_OUT = frozenset({"__pycache__", "cli.py", "__main__.py", "preview"})


def sources(names: Sequence[str] = FUNCTION_PACKAGES) -> bytes:
    """A zip of these installed packages, equal for equal sources."""
    return zipped((Path(name) / relative, file) for name in names for relative, file in _files(_home(name)))


def folder(path: Path) -> bytes:
    """A zip of a folder, equal for equal contents."""
    return zipped(_files(path))


def zipped(files: Iterator[tuple[Path, Path]]) -> bytes:
    """A zip of (name inside, file on disk), in order of names."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, file in sorted(files):
            entry = zipfile.ZipInfo(name.as_posix(), _FIXED_TIME)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = 0o644 << 16
            archive.writestr(entry, file.read_bytes())
    return buffer.getvalue()


def _files(home: Path) -> Iterator[tuple[Path, Path]]:
    for file in home.rglob("*"):
        relative = file.relative_to(home)
        if file.is_file() and not _LEFT_OUT.intersection(relative.parts):
            yield relative, file


def _home(name: str) -> Path:
    spec = find_spec(name)
    if spec is None or not spec.submodule_search_locations:
        raise ModuleNotFoundError(f"Package {name!r} is not installed. Run: make setup", name=name)
    return Path(next(iter(spec.submodule_search_locations)))
