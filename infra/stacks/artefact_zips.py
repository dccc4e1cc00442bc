"""The Lambda functions' zips: their bytes, and one key for each.

Two zips may lie under one key. AWS gets the sources and the libraries for arm64; the local cloud gets the
sources alone, since its functions run in the product's own environment. The key is the hash of everything
that decides the full zip: sources, locked libraries, Python version, architecture and this builder's version.
"""

import hashlib
import io
import zipfile
from collections.abc import Iterable
from importlib.resources import files
from pathlib import Path

from infra import placement
from infra.project.carried import CHARTS, FOLDER, project_files
from infra.project.project import Folders
from infra.stacks.artefacts import Artefact

PYTHON_VERSION = "3.13"
PLATFORMS = ("manylinux_2_28_aarch64", "manylinux2014_aarch64")
BUILDER_VERSION = "1"
"""Raise it when the same inputs would make another zip."""

_ZIP_TIME = (1980, 1, 1, 0, 0, 0)
_SUFFIXES = frozenset({".py", ".sql"})
_SHOP = "shop"
"""The example project lies among our packages; a function carries its own project as `project/`."""


def source_files(artefact: Artefact, folders: Folders, root: Path | None = None) -> dict[str, bytes]:
    """The artefact's files of ours and of the project: path in the zip to content, in order of path.

    Where a wheel is installed ours lie below `penstock/`, in the zip too, as the imports in them say.
    """
    root = root or placement.root()
    found: dict[str, bytes] = {}
    carried = {
        name.as_posix(): file.read_bytes()
        for name, file in project_files(folders, artefact.project, artefact.stream)
    }
    # Below `penstock` every package needs the one around it.
    around = (f"{placement.PARENT}/__init__.py",) if placement.PREFIX else ()
    if artefact.charts:
        from infra.site.charts_file import charts_file  # what draws is loaded where something is drawn

        carried[f"{FOLDER.as_posix()}/{CHARTS}"] = charts_file(folders)
    for source in (*artefact.sources, *around):
        start = root / placement.placed(source)
        for path in [start] if start.is_file() else start.rglob("*"):
            relative = path.relative_to(root)
            if path.is_file() and _belongs(relative):
                found[relative.as_posix()] = path.read_bytes()
    return dict(sorted({**found, **carried}.items()))


def _belongs(path: Path) -> bool:
    return path.suffix in _SUFFIXES and _SHOP not in path.parts


def locked_requirements(artefact: Artefact) -> str:
    """The libraries of the artefact as pip reads them, with hashes."""
    return files("infra").joinpath("locked", artefact.lock).read_text(encoding="utf-8")


def asset_hash(artefact: Artefact, folders: Folders, root: Path | None = None) -> str:
    """64 hexadecimal digits that change exactly when the full zip would."""
    digest = hashlib.sha256()
    for part in (BUILDER_VERSION, PYTHON_VERSION, *PLATFORMS, locked_requirements(artefact)):
        _add(digest, part.encode())
    for path, content in source_files(artefact, folders, root).items():
        _add(digest, path.encode())
        _add(digest, content)
    return digest.hexdigest()


def _add(digest: "hashlib._Hash", part: bytes) -> None:
    # The length keeps two different lists of parts from running into the same bytes.
    digest.update(len(part).to_bytes(8, "big"))
    digest.update(part)


def source_zip(artefact: Artefact, folders: Folders, root: Path | None = None) -> bytes:
    """The zip for the local cloud: our files and the project's alone."""
    return zip_bytes(source_files(artefact, folders, root).items())


def zip_bytes(entries: Iterable[tuple[str, bytes]]) -> bytes:
    """A zip that depends on names and contents alone: fixed times and modes, sorted, one compression
    level.
    """
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for name, content in sorted(entries):
            info = zipfile.ZipInfo(name, _ZIP_TIME)
            info.compress_type = zipfile.ZIP_DEFLATED
            info.external_attr = 0o100644 << 16
            info.create_system = 3
            archive.writestr(info, content)
    return buffer.getvalue()
