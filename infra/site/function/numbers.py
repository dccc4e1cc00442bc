"""What a number on a sheet is computed from, as the API says it (pure)."""

import shlex
from collections.abc import Mapping
from typing import Any

from dashboards.board.cells import Behind
from queries.api.site_answers import CellAnswer, NumberAnswer
from queries.receipts.cell import shown


def number_answer(found: Behind) -> NumberAnswer:
    """The answer; each number with the command that makes its receipt."""
    return NumberAnswer(
        title=found.title,
        text=found.text,
        report=found.report,
        total=found.total,
        cells=[_cell(found.report, each) for each in found.cells],
    )


def _cell(report: str, cell: Mapping[str, Any]) -> CellAnswer:
    keys = {name: shown(value) for name, value in cell["keys"].items()}
    named = [f"{name}={value}" for name, value in keys.items()]
    words = ["penstock", "explain", report, cell["partition"], *named, cell["column"]]
    return CellAnswer(
        partition=cell["partition"],
        keys=keys,
        column=cell["column"],
        value=shown(cell["value"]),
        command=" ".join(map(_word, words)),
    )


def _word(text: str) -> str:
    """A word as a shell reads it back. An event's value may hold what acts when it is pasted."""
    if text.isprintable():
        return shlex.quote(text)
    return "$'" + "".join(map(_escaped, text)) + "'"


def _escaped(char: str) -> str:
    if char in "\\'":
        return f"\\{char}"
    return (
        char
        if char.isprintable()
        else "".join(f"\\x{byte:02x}" for byte in char.encode(errors="surrogatepass"))
    )
