"""Why lines of a source could not be read: the most frequent reasons, and where they first stood (pure)."""

import re
from dataclasses import dataclass, field
from typing import Any

from producers.contracts.printing import printable

SHOWN_REASONS = 5
SHOWN_LINES = 5
_MOST_KINDS = 1000  # bounded: reasons hold values from outside
_VALUES = re.compile(r"'(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\"|\b0x[0-9a-f]+|\d[\d,]*")


@dataclass
class _Kind:
    """Reasons that differ in values only; the first of them is shown."""

    reason: str
    count: int = 0
    lines: list[int] = field(default_factory=list)


class UnreadableReasons:
    """Counts reasons as lines are read."""

    def __init__(self, after: int = 0) -> None:
        """Lines up to `after` were sent by an earlier run."""
        self._after = after
        self._kinds: dict[str, _Kind] = {}

    def add(self, line: int, reason: str) -> None:
        """A line, or row, that could not be read."""
        if line <= self._after:
            return
        name = _VALUES.sub("?", reason)
        if name not in self._kinds and len(self._kinds) >= _MOST_KINDS:
            name, reason = "", "for other reasons"
        kind = self._kinds.setdefault(name, _Kind(reason))
        kind.count += 1
        if len(kind.lines) < SHOWN_LINES:
            kind.lines.append(line)

    def as_dict(self) -> dict[str, Any]:
        """For the summary of a run: nothing when every line was read."""
        if not self._kinds:
            return {}
        found = sorted(self._kinds.values(), key=lambda kind: -kind.count)
        rows = [
            {"reason": kind.reason, "count": kind.count, "lines": kind.lines}
            for kind in found[:SHOWN_REASONS]
        ]
        other = sum(kind.count for kind in found[SHOWN_REASONS:])
        return {"unreadable_reasons": rows} | ({"unreadable_for_others": other} if other else {})


def reason_lines(rows: list[dict[str, Any]]) -> str:
    """The reasons as text, one a line."""
    return "\n".join(_reason_line(row) for row in rows)


def _reason_line(row: dict[str, Any]) -> str:
    lines = ", ".join(f"{line:,}" for line in row["lines"])
    more = ", ..." if row["count"] > len(row["lines"]) else ""
    word = "line" if row["count"] == 1 else "lines"
    return f"  {row['count']:,}: {printable(row['reason'])} ({word} {lines}{more})"
