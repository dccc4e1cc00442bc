"""A failed record as text for the one who fixes it: the facts, the bytes, and the exact place at fault."""

import json
import re

from producers.contracts import printable
from transforms.failed.event_review import Judged
from transforms.failed.index import reason_of
from transforms.failed.records import Explanation
from transforms.gate.outcome import Accepted, Failed

_AROUND = 60
"""Bytes shown on either side of a place that is given as a byte."""
_LONGEST = 4_000
_HERE = "    <-- here"


def explained(found: Explanation) -> str:
    """The whole explanation. Control characters and bytes that are not text are escaped."""
    record = found.record
    lines = [
        f"record     {record.record_id}",
        f"object     {printable(record.object_key)}",
        printable(f"Firehose   {record.kind}: {record.code} {record.message}".rstrip()),
        f"attempts   {record.attempts}",
        f"size       {len(record.raw)} bytes",
    ]
    for number, judged in enumerate(found.judged, start=1):
        if len(found.judged) > 1:
            lines += ["", f"event {number} of {len(found.judged)}"]
        lines += _judged(judged)
    return "\n".join(lines)


def _judged(judged: Judged) -> list[str]:
    outcome = judged.outcome
    lines = [f"reason     {reason_of(outcome)}"]
    if isinstance(outcome, Failed):
        lines += [
            f"place      {printable(outcome.place or '(the whole record)')}",
            f"because    {printable(outcome.detail)}",
        ]
        return [*lines, "", *_body(judged.raw, outcome.place)]
    if isinstance(outcome, Accepted):
        lines += [f"lake       {judged.table.name}, event_hour={outcome.event_hour}"]
    return [*lines, "", *_body(judged.raw, "")]


def _body(raw: bytes, place: str) -> list[str]:
    at_byte = re.search(r"byte (\d+)", place)
    if at_byte:
        return _around(raw, int(at_byte[1]))
    try:
        document = json.loads(raw.decode(), parse_int=_number, parse_float=_number)
        pretty = json.dumps(document, indent=2, ensure_ascii=True)
    except (ValueError, RecursionError):
        return _cut(raw.decode("utf-8", "backslashreplace"))
    path = place.rpartition("$")[2].strip(".").split(".")
    return [line[:_LONGEST] for line in _marked(pretty.split("\n"), [part for part in path if part])]


def _number(text: str) -> float | int | str:
    """As a number where that is cheap; very long ones stay text."""
    if len(text) > 400:
        return text
    try:
        return int(text)
    except ValueError:
        return float(text)


def _marked(lines: list[str], path: list[str]) -> list[str]:
    """Mark the line of the member that `path` leads to, or of its nearest parent that exists."""
    start, found = 0, None
    for depth, name in enumerate(path, start=1):
        member = re.sub(r"\[.*", "", name)
        opening = f"{'  ' * depth}{json.dumps(member)}:"
        following = next((n for n in range(start, len(lines)) if lines[n].startswith(opening)), None)
        if following is None:
            break
        start, found = following, following
    if found is None:
        return lines
    return [line + _HERE if number == found else line for number, line in enumerate(lines)]


def _around(raw: bytes, position: int) -> list[str]:
    before = printable(raw[max(0, position - _AROUND) : position].decode("utf-8", "backslashreplace"))
    after = printable(raw[position : position + _AROUND].decode("utf-8", "backslashreplace"))
    return [before + after, " " * len(before) + "^ here"]


def _cut(text: str) -> list[str]:
    safe = printable(text[:_LONGEST])
    return [safe if len(text) <= _LONGEST else f"{safe} ... ({len(text)} characters)"]
