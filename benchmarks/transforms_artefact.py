"""The function as it is deployed, in a folder: its sources and its libraries, and the runtime beside it.

The libraries are the ones installed here, which `constraints.txt` keeps at the locked versions: wheels for
another processor could not be run.
"""

import re
import shutil
from importlib.metadata import distribution
from pathlib import Path

from benchmarks.shop import SHOP
from infra.stacks.artefact_zips import locked_requirements, source_files
from infra.stacks.artefacts import TRANSFORM

_LOADED = frozenset({".py", ".so", ".json"})
RUNTIME = ("awslambdaric", "simplejson", "snapshot-restore-py")


def build(folder: Path) -> tuple[Path, Path]:
    """Write it. Returns the function's folder and the runtime's."""
    function, runtime = folder / "function", folder / "runtime"
    for name, content in source_files(TRANSFORM, SHOP.folders).items():
        path = function / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    for name, version in re.findall(r"^([\w.-]+)==([\w.]+)", locked_requirements(TRANSFORM), re.MULTILINE):
        installed = distribution(name).version
        assert installed == version, f"{name} {installed} is installed; {version} is locked."
        _copy(name, function)
    for name in RUNTIME:
        _copy(name, runtime)
    return function, runtime


def _copy(name: str, folder: Path) -> None:
    for file in distribution(name).files or ():
        source = Path(str(distribution(name).locate_file(file)))
        if file.suffix in _LOADED and ".." not in file.parts and source.is_file():
            target = folder / file
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source, target)
