"""A source text of ours as it reads below `penstock`: every name of a module of ours in full.

`from queries.contracts import Report` becomes `from penstock.queries.contracts import Report`, and a module
that a text or a comment names (`"infra.local.server"` after `python -m`) is named in full as well. Lines keep
their number, so a traceback of an installed Penstock names lines of the repository.
"""

import ast
import re
from collections.abc import Collection

PARENT = "penstock"
PACKAGES = ("producers", "transforms", "queries", "dashboards", "infra")

_ONE_OF_OURS = "|".join(PACKAGES)
_DOTTED = re.compile(rf"(?<![\w./-])({_ONE_OF_OURS})\.(\w+)")
_RESOURCES = re.compile(rf"\bfiles\(([\"'])({_ONE_OF_OURS})\1\)")


class PlacingError(ValueError):
    """A source file cannot be placed below `penstock`; the message says which line, and how to write it."""


def place_source(text: str, name: str, modules: Collection[str]) -> str:
    """The text of a Python file with every name of a module of ours below `penstock`.

    Args:
        text: the file's text.
        name: its path, for messages.
        modules: dotted names of all modules and packages of ours.

    Raises:
        PlacingError: the file holds an import that has no such form.
    """
    lines = text.splitlines(keepends=True)
    for node in ast.walk(ast.parse(text, name)):
        if isinstance(node, ast.Import):
            _refuse_plain_import(node, name)
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and _is_ours(node.module or ""):
            before, line = (
                lines[node.lineno - 1][: node.col_offset],
                lines[node.lineno - 1][node.col_offset :],
            )
            lines[node.lineno - 1] = before + re.sub(r"^from\s+", f"from {PARENT}.", line)
    placed = _RESOURCES.sub(rf"files(\1{PARENT}.\2\1)", place_names("".join(lines), modules))
    _refuse_code_that_changed(placed, name)
    return placed


def place_names(text: str, modules: Collection[str]) -> str:
    """Any text with the modules of ours that it names, as `queries.handler`, named below `penstock`."""

    def named(found: re.Match[str]) -> str:
        return f"{PARENT}.{found[0]}" if f"{found[1]}.{found[2]}" in modules else found[0]

    return _DOTTED.sub(named, text)


def _is_ours(module: str) -> bool:
    return module.partition(".")[0] in PACKAGES


def _refuse_plain_import(node: ast.Import, name: str) -> None:
    for alias in node.names:
        if _is_ours(alias.name):
            parent, _, last = alias.name.rpartition(".")
            remedy = f"from {parent} import {last}" if parent else f"from {last} import ..."
            raise PlacingError(
                f"{name}:{node.lineno}: `import {alias.name}` binds a name that the wheel does not have. "
                f"Write: {remedy}"
            )


def _refuse_code_that_changed(placed: str, name: str) -> None:
    """A variable named as a package of ours may have an attribute named as one of its modules."""
    for node in ast.walk(ast.parse(placed, name)):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == PARENT:
            raise PlacingError(
                f"{name}:{node.lineno}: `{node.attr}` is a variable that reads as a module of ours where an "
                "attribute follows. Give it another name."
            )
