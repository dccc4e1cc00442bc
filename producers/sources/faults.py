"""Which rows of a chunk DuckDB cannot make events of, at which column, and why.

One value that cannot be converted fails a whole query. So each expression is asked again inside `TRY`, for
all rows at once, and what is wrong only of rows that fail.
"""

from dataclasses import dataclass
from typing import Any

from producers.sources.engine import FILE, Engine
from producers.sources.plan import ROW, Part, Plan, first_line

_ASKED_ALONE = 200
"""Rows of a chunk whose values are looked up; further ones are reported without."""
_SHOWN = 80


@dataclass(frozen=True)
class Fault:
    """What is wrong with one row.

    Attributes:
        column: the column at fault.
        reason: why.
    """

    column: str
    reason: str


def careful_engine() -> Engine:
    """An engine for `faults`: it leaves what two expressions share inside the TRY around each of them."""
    return Engine("SET disabled_optimizers = 'common_subexpressions'")


def faults(engine: Engine, plan: Plan) -> dict[int, Fault]:
    """The rows of the engine's `file`, by their place, that fail, in order."""
    flags = ", ".join(f"{_failed(part)} AS f{at}" for at, part in enumerate(plan.parts))
    failed = " OR ".join(f"f{at}" for at in range(len(plan.parts)))
    asked = f"SELECT {ROW}, {flags} FROM {FILE}"  # noqa: S608  from syntax trees
    answered = engine.rows(f"FROM ({asked}) WHERE {failed} ORDER BY {ROW}")
    found: dict[int, Fault] = {}
    for row, *failing in answered:
        part = plan.parts[failing.index(True)]
        reason = _reason(engine, part, row) if len(found) < _ASKED_ALONE else f"is not {part.expected}"
        found[row] = Fault(part.label, reason)
    return found


def _failed(part: Part) -> str:
    # A struct around the value tells a NULL that was computed from one that TRY puts for an error.
    return f"TRY({{'v': {part.value}}}) IS NULL"


def _reason(engine: Engine, part: Part, row: int) -> str:
    where = f"FROM {FILE} WHERE {ROW} = {row}"
    try:
        given: Any = engine.rows(f"SELECT CAST({part.given} AS VARCHAR) {where}")[0][0]
    except engine.error as error:
        return first_line(error)
    if given is not None:
        return f"{_cut(given)} is not {part.expected}"
    try:
        engine.rows(f"SELECT {part.value} {where}")
    except engine.error as error:
        return first_line(error)
    return f"is not {part.expected}"


def _cut(value: str) -> str:
    return repr(value) if len(value) <= _SHOWN else f"{value[:_SHOWN]!r}..."
