"""The full artefact, in a folder: our sources and the libraries for Lambda's Python and processor. No
Docker.
"""

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from infra.project.project import Folders
from infra.stacks.artefact_zips import PLATFORMS, PYTHON_VERSION, locked_requirements, source_files, zip_bytes
from infra.stacks.artefacts import Artefact


class ArtefactError(RuntimeError):
    """The libraries of a function could not be put together."""


_PRUNED_FOLDERS = frozenset({"__pycache__", "bin", "tests", "boto3", "botocore", "s3transfer"})
_PRUNED_METADATA = frozenset(
    {"RECORD", "INSTALLER", "REQUESTED", "direct_url.json", "WHEEL", "top_level.txt"}
)
"""What pip notes about its own run; nothing reads it, and it differs from machine to machine."""


def source_folder(artefact: Artefact, folders: Folders, folder: Path) -> Path:
    """Write our files and the project's alone into `folder/<name>`, as the local cloud runs them."""
    return _write(source_files(artefact, folders), folder / artefact.name)


def full_folder(artefact: Artefact, folders: Folders, folder: Path) -> Path:
    """Write our files, the project's and the locked libraries into `folder/<name>`. Raises ArtefactError."""
    with tempfile.TemporaryDirectory() as scratch:
        libraries = Path(scratch) / "libraries"
        if any(
            line.strip() and not line.startswith("#") for line in locked_requirements(artefact).splitlines()
        ):
            _install(artefact, Path(scratch), libraries)
        found = {
            path.relative_to(libraries).as_posix(): path.read_bytes()
            for path in sorted(libraries.rglob("*"))
            if path.is_file() and _needed(path.relative_to(libraries))
        }
    return _write({**found, **source_files(artefact, folders)}, folder / artefact.name)


def folder_zip(folder: Path) -> bytes:
    """The zip of an artefact's folder, equal for equal contents."""
    return zip_bytes(
        (path.relative_to(folder).as_posix(), path.read_bytes())
        for path in folder.rglob("*")
        if path.is_file()
    )


def _install(artefact: Artefact, scratch: Path, target: Path) -> None:
    lock = scratch / artefact.lock
    lock.write_text(locked_requirements(artefact), encoding="utf-8")
    platforms = [option for platform in PLATFORMS for option in ("--platform", platform)]
    command = [
        *(
            sys.executable,
            "-m",
            "pip",
            "install",
            "--quiet",
            "--disable-pip-version-check",
            "--no-deps",
            "--no-compile",
        ),
        *(
            "--require-hashes",
            "--only-binary=:all:",
            "--implementation",
            "cp",
            "--python-version",
            PYTHON_VERSION,
        ),
        *platforms,
        *("--target", str(target), "--requirement", str(lock)),
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603  our own words
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["pip said nothing"])[-1]
        raise ArtefactError(
            f"The libraries of the {artefact.name} function could not be installed: {last} "
            "The package index must be reachable; what it gave before is in pip's cache."
        )


def _needed(path: Path) -> bool:
    if _PRUNED_FOLDERS.intersection(path.parts[:1]) or "__pycache__" in path.parts:
        return False
    return not (".dist-info" in path.as_posix() and path.name in _PRUNED_METADATA)


def _write(content: dict[str, bytes], folder: Path) -> Path:
    shutil.rmtree(folder, ignore_errors=True)
    for name, data in content.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    return folder
