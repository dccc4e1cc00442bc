"""The corpus: texts in `expressions.txt` and `queries.sql`, Trino's answers in the `.jsonl` file beside each."""

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.golden.athena.generated_queries import PRELUDE

FOLDER = Path(__file__).parent


@dataclass(frozen=True)
class Query:
    """One query: as it is listed, and with the rows that it reads in front."""

    sql: str
    full: str


@dataclass(frozen=True)
class Golden:
    """What Trino answers: columns as (name, type) and rows in its client protocol's JSON, or its error."""

    sql: str
    full: str
    source: str
    columns: list[list[str]] = field(default_factory=list)
    rows: list[list[Any]] = field(default_factory=list)
    error: str = ""


def queries() -> list[Query]:
    """Every query; the rows are a WITH in front, to which a query's own joins are appended."""
    prelude, _, listed = (FOLDER / "queries.sql").read_text(encoding="utf-8").partition("-- queries\n")
    head = prelude.removeprefix("-- prelude\n").strip()
    return [Query(line, f"{head}\n{line}") for line in listed.splitlines() if line.strip()]


def expressions() -> list[tuple[str, str]]:
    """(section of Trino's documentation, expression)."""
    section, found = "", []
    for line in (FOLDER / "expressions.txt").read_text(encoding="utf-8").splitlines():
        if line.startswith("# section:"):
            section = line.partition(":")[2].strip()
        elif line.strip():
            found.append((section, line))
    return found


def frozen(golden: Golden) -> dict[str, Any]:
    """An expression with Trino's answer, as it is kept."""
    known = (
        {"error": golden.error}
        if golden.error
        else {"type": golden.columns[0][1], "value": golden.rows[0][0]}
    )
    return {"section": golden.source, "sql": golden.sql, **known}


def frozen_query(golden: Golden) -> dict[str, Any]:
    """A query by chance with Trino's answer, as it is kept; the rows that all of them read are not."""
    known = {"error": golden.error} if golden.error else {"columns": golden.columns, "rows": golden.rows}
    return {"sql": golden.sql.removeprefix(PRELUDE).strip(), **known}


def golden_expressions(name: str = "expressions.jsonl") -> list[Golden]:
    """Expressions with Trino's answers; those of `generated.jsonl` were made by chance."""
    found = []
    for known in _lines(name):
        full = f"SELECT {known['sql']}"
        if "error" in known:
            found.append(Golden(known["sql"], full, known["section"], error=known["error"]))
        else:
            found.append(
                Golden(known["sql"], full, known["section"], [["", known["type"]]], [[known["value"]]])
            )
    return found


def golden_queries() -> list[Golden]:
    """Queries with Trino's answers."""
    full = {query.sql: query.full for query in queries()}
    return [_golden(known, full[known["sql"]]) for known in _lines("queries.jsonl")]


def generated_golden_queries() -> list[Golden]:
    """Queries that were made by chance, with Trino's answers."""
    return [_golden(known, f"{PRELUDE}\n{known['sql']}") for known in _lines("generated_queries.jsonl")]


def _golden(known: dict[str, Any], full: str) -> Golden:
    answer = known.get("columns", []), known.get("rows", []), known.get("error", "")
    return Golden(known["sql"], full, "queries", *answer)


def _lines(name: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (FOLDER / name).read_text(encoding="utf-8").splitlines()]
