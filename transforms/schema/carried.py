"""What of a folder of streams the functions could not load, and what nothing would deploy."""

import ast
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

_LIBRARIES = frozenset({"msgspec", "__future__"})
_REMEDY = (
    "Import penstock.contracts, msgspec, the standard library, or a file beside it (from ._name import ...)."
)
_SIMULATION = "penstock.simulation"
"""A simulator's file imports it. No function loads that file: its stream names it, and imports none of it."""
_SIMULATOR_REMEDY = (
    "A function loads this file with the stream that imports it. Name the simulator in "
    'traffic="._name:function" instead of importing it, and share nothing from its file.'
)
_STREAM = "STREAM"
_OURS = ("penstock.contracts", "producers.contracts", "penstock.producers.contracts")


def carried_findings(folder: Path) -> Iterator[str]:
    """A sentence for each import, in the files of a folder of streams, that fails in a function."""
    trees = {file.stem: ast.parse(file.read_bytes(), str(file)) for file in sorted(folder.glob("*.py"))}
    loaded = _loaded(trees)
    for stem, tree in trees.items():
        for node in ast.walk(tree):
            if not isinstance(node, ast.Import | ast.ImportFrom):
                continue
            for name in _imported(node):
                is_simulators = name == _SIMULATION and stem.startswith("_")
                if _is_carried(name) or (is_simulators and stem not in loaded):
                    continue
                remedy = _SIMULATOR_REMEDY if is_simulators else _REMEDY
                yield f"{stem}.py:{node.lineno}: imports {name}, which the functions do not carry. {remedy}"


def undeployed_findings(folder: Path) -> Iterator[str]:
    """A sentence for each stream that the files declare and nothing deploys: a file has one, as `STREAM`."""
    for file in sorted(folder.rglob("*.py")):
        name = str(file.relative_to(folder))
        declared = list(_declared(ast.parse(file.read_bytes(), str(file))))
        deploys = file.parent == folder and not file.name.startswith("_")
        deployed = [line for line, target in declared if target == _STREAM][-1:] if deploys else []
        yield from (
            f"{name}:{line}: declares a stream that would not be deployed. Give it a file of its own in "
            f"{folder.name}/, whose name begins with a letter, as {_STREAM} = Stream(...)."
            for line, _ in declared
            if line not in deployed
        )


def _declared(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Line and name of everything at the top of a file that is made by `Stream(...)`."""
    for node in tree.body:
        if not isinstance(node, ast.Assign | ast.AnnAssign) or not isinstance(node.value, ast.Call):
            continue
        function = node.value.func
        called = function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")
        targets = node.targets if isinstance(node, ast.Assign) else [node.target]
        if called == "Stream":
            yield node.lineno, next((each.id for each in targets if isinstance(each, ast.Name)), "")


def _loaded(trees: Mapping[str, ast.Module]) -> frozenset[str]:
    """Stems of the files that are imported with the streams: theirs, and what those import beside them."""
    found: set[str] = set()
    waiting = [stem for stem in trees if not stem.startswith("_")]
    while waiting:
        stem = waiting.pop()
        if stem in trees and stem not in found:
            found.add(stem)
            waiting += _beside(trees[stem])
    return frozenset(found)


def _beside(tree: ast.Module) -> Iterator[str]:
    """Stems of the files beside it that a file imports when it is run, and not only for a type checker."""
    waiting: list[ast.AST] = [tree]
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.ImportFrom) and node.level == 1:
            yield from [node.module.partition(".")[0]] if node.module else [each.name for each in node.names]
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            waiting += node.orelse
        else:
            waiting += ast.iter_child_nodes(node)


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
