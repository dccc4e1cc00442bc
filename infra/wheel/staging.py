"""The tree that a wheel is built from: the repository's files, placed below `penstock`."""

import configparser
import shutil
from collections.abc import Iterator
from pathlib import Path

from infra.wheel.placing import PACKAGES, PARENT, place_names, place_source

_BUILDER = Path("infra/wheel")
_BESIDE = ("README.md", "LICENSE", "pyproject.toml")
_NAMES_HANDLERS = ".template.json"


def stage(root: Path, into: Path) -> None:
    """Write what the wheel is built from into an empty folder. Raises PlacingError, OSError.

    Args:
        root: the repository.
        into: gets `penstock/` with everything below it, and a `setup.cfg` that says so.
    """
    modules = frozenset(_modules(root))
    for name in _BESIDE:
        shutil.copyfile(root / name, into / name)
    (into / "setup.cfg").write_text(_configuration(root / "setup.cfg"), encoding="utf-8")
    for file in _files(root):
        relative = file.relative_to(root)
        target = into / relative if relative.parts[0] == PARENT else into / PARENT / relative
        target.parent.mkdir(parents=True, exist_ok=True)
        if file.suffix == ".py":
            text = place_source(file.read_text(encoding="utf-8"), relative.as_posix(), modules)
            target.write_text(text, encoding="utf-8")
        elif file.name.endswith(_NAMES_HANDLERS):
            target.write_text(place_names(file.read_text(encoding="utf-8"), modules), encoding="utf-8")
        else:
            shutil.copyfile(file, target)


def _files(root: Path) -> Iterator[Path]:
    for package in (PARENT, *PACKAGES):
        for file in sorted((root / package).rglob("*")):
            relative = file.relative_to(root)
            if file.is_file() and "__pycache__" not in relative.parts and _BUILDER not in relative.parents:
                yield file


def _modules(root: Path) -> Iterator[str]:
    for package in PACKAGES:
        for file in (root / package).rglob("*.py"):
            parts = file.relative_to(root).with_suffix("").parts
            yield ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def _configuration(file: Path) -> str:
    """`setup.cfg` for the staged tree: its packages and data files lie below `penstock`."""
    read = configparser.ConfigParser(interpolation=None)
    read.read_string(file.read_text(encoding="utf-8"))
    read["options.packages.find"]["include"] = f"\n{PARENT}\n{PARENT}.*"
    data = read["options.package_data"]
    for package in PACKAGES:
        if package in data:
            data[f"{PARENT}.{package}"] = data.pop(package)
    for section in [name for name in read.sections() if name not in ("metadata",) and "options" not in name]:
        read.remove_section(section)
    lines = []
    for name in read.sections():
        lines += [
            f"[{name}]",
            *(f"{key} = {value}".replace("\n", "\n    ") for key, value in read[name].items()),
        ]
    return "\n".join(lines) + "\n"
