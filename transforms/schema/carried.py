"""What a stream's file may import: only what the functions carry, or they could not load it."""

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

_LIBRARIES = frozenset({"msgspec", "__future__"})
_REMEDY = (
    "Import penstock.contracts, msgspec, the standard library, or a file beside it (from ._name import ...)."
)
_SIMULATION = "penstock.simulation"
"""A simulator's file imports it. No function loads that file: its stream names it, and imports none of it."""
_OURS = ("penstock.contracts", "producers.contracts", "penstock.producers.contracts")


def carried_findings(folder: Path) -> Iterator[str]:
    """A sentence for each import, in the files of a folder of streams, that fails in a function."""
    for file in sorted(folder.glob("*.py")):
        for node in ast.walk(ast.parse(file.read_bytes(), str(file))):
            if isinstance(node, ast.Import | ast.ImportFrom):
                yield from (
                    f"{file.name}:{node.lineno}: imports {name}, which the functions do not carry. {_REMEDY}"
                    for name in _imported(node)
                    if not _is_carried(name) and not (name == _SIMULATION and file.name.startswith("_"))
                )


def _imported(node: ast.Import | ast.ImportFrom) -> list[str]:
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    if node.level or not node.module:
        return []
    return [f"penstock.{alias.name}" for alias in node.names] if node.module == "penstock" else [node.module]


def _is_carried(name: str) -> bool:
    if any(name == ours or name.startswith(f"{ours}.") for ours in _OURS):
        return True
    top = name.partition(".")[0]
    return top in _LIBRARIES or top in sys.stdlib_module_names
