"""What functions get on this machine: a zip of our own sources. Their dependencies are installed already."""

import io
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from pathlib import Path

from infra import placement
from infra.project.carried import FOLDER, project_files
from infra.project.project import Folders

FUNCTION_PACKAGES = ("penstock", "producers", "transforms", "queries", "dashboards")
"""The packages that handlers import: side by side in the repository; in a wheel all below the first."""
_OF_INFRA = ("__init__.py", "importing", "site")
"""What handlers import of `infra`: imports by jobs run the command's own code; the site's join two floors."""

_FIXED_TIME = (2020, 1, 1, 0, 0, 0)  # so that equal sources make equal zips
_LEFT_OUT = frozenset({"__pycache__", "cli.py", "__main__.py", "preview"})


def sources(folders: Folders, names: Sequence[str] = FUNCTION_PACKAGES, charts: Path | None = None) -> bytes:
    """A zip of these packages and of the project's files, equal for equal sources.

    `charts` is the file of the compiled charts of the project's dashboards, where there are any.
    """
    root, homes = placement.root(), [home(name) for name in names]
    # In a wheel the others lie below `penstock`.
    found: list[Iterable[Path]] = [
        each.glob("*") if each.name == placement.PARENT else each.rglob("*") for each in homes
    ]
    module, *parts = (home("infra") / name for name in _OF_INFRA)
    found += [(module,), *(part.rglob("*") for part in parts)]
    beside = [(FOLDER / charts.name, charts)] if charts is not None and charts.is_file() else []
    return zipped(chain(_files(chain.from_iterable(found), root), project_files(folders), beside))


def home(name: str) -> Path:
    """The folder of one of our packages."""
    return placement.root() / placement.placed(name)


def folder(path: Path) -> bytes:
    """A zip of a folder, equal for equal contents."""
    return zipped(_files(path.rglob("*"), path))


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


def _files(paths: Iterable[Path], root: Path) -> Iterator[tuple[Path, Path]]:
    for file in paths:
        relative = file.relative_to(root)
        if file.is_file() and not _LEFT_OUT.intersection(relative.parts):
            yield relative, file
