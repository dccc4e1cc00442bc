"""Who writes the fields of a backlog."""

import ast
from pathlib import Path

SENDING = Path(__file__).parents[3] / "producers" / "sending"
_CHANGES = {"append", "appendleft", "clear", "pop", "popleft", "remove", "update", "extend"}


def _writes(source: str) -> list[str]:
    """What a file writes or changes behind the name `backlog`."""
    found = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Assign):
            targets: list[ast.expr] = node.targets
        elif isinstance(node, ast.AugAssign | ast.AnnAssign):
            targets = [node.target]
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            targets = [node.func.value] if node.func.attr in _CHANGES else []
        else:
            continue
        texts = [ast.unparse(target) for target in targets]
        found += [text for text in texts if text.startswith(("backlog.", "self._backlog."))]
    return found


def test_only_the_backlog_writes_its_fields() -> None:
    written = {
        file.name: found
        for file in SENDING.glob("*.py")
        if (found := _writes(file.read_text(encoding="utf-8")))
    }
    assert written == {}


def test_a_write_from_outside_is_found() -> None:
    source = (
        "backlog.buffered += 1\nself._backlog.stats.spooled = 2\nbacklog.under_way.pop(1)\nbacklog.take(1)"
    )
    assert len(_writes(source)) == 3
