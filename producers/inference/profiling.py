"""Counts the columns of a sample: in DuckDB, over each column's different values."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from producers.inference.model import Profile, literal
from producers.sources.engine import FILE, Engine

if TYPE_CHECKING:
    import pyarrow as pa

_SURE_NULLS = ("NA", "N/A", "n/a", "NaN", "nan", "NULL", "null", "#N/A", "-", "--", "\\N")
"""Words that stand for nothing wherever they are."""
_NULLS_OF_NUMBERS = (
    "nil",
    "none",
    "None",
    "NONE",
    "na",
    "?",
    ".",
    "missing",
    "unknown",
    "Unknown",
    "not available",
)
"""Those that do so among numbers and times; among words they may mean something."""
_WHOLE = r"[+-]?\d{1,18}"
_PATTERNS: Mapping[str, str] = {
    "padded": r"[+-]?0\d+",
    "whole": _WHOLE,
    "number": r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?",
    "flag": r"(?i)true|false",
    "iso": r"\d{4}-\d{2}-\d{2}([T ]\d{2}:\d{2}(:\d{2}([.,]\d{1,9})?)?( ?(Z|z|UTC|[+-]\d{2}(:?\d{2})?))?)?",
    "zoned": r"\d{4}-\d{2}-\d{2}[T ].*:\d{2}.*(Z|z|UTC|[+-]\d{2}(:?\d{2})?)",
    "clock": r"\d{1,2}:\d{2}(:\d{2}(\.\d{1,6})?)?",
    "json": r"(?s)[\[{].*[\]}]",
    "email": r"[^@\s]+@[^@\s]+\.[A-Za-z]{2,}",
    "address": r"\d{1,3}\.\d{1,3}\.\d{1,3}\.\d{1,3}|(?:[0-9a-fA-F]{0,4}:){3,7}[0-9a-fA-F]{0,4}",
    "phone": r"\+\d[\d ()./-]{6,18}\d",
    "iban": r"[A-Z]{2}\d{2}[A-Z0-9]{11,30}",
    "person": r"[A-Z][\p{L}'.-]+, [A-Z][\p{L}'. -]+( \([^)]*\))?",
}
_LARGEST = 2**53 - 1
_COMMON = 12


def trimmed(column: str) -> str:
    """SQL for a column's text without blanks around it; nothing for nothing."""
    return f"nullif(trim(CAST({column} AS VARCHAR)), '')"


def null_words(engine: Engine, table: "pa.Table") -> tuple[str, ...]:
    """Cells of the table, which the engine has as `file`, that stand for nothing, in order of the list."""
    import pyarrow.types as kinds

    found: set[str] = set()
    for field in table.schema:
        if not (kinds.is_string(field.type) or kinds.is_large_string(field.type)):
            continue
        column = '"' + field.name.replace('"', '""') + '"'
        words = ", ".join(map(literal, (*_SURE_NULLS, *_NULLS_OF_NUMBERS)))
        number = f"regexp_full_match(value, '{_PATTERNS['number']}|{_PATTERNS['iso']}')"
        rows = engine.rows(
            f"SELECT value, false FROM (SELECT DISTINCT {column} AS value FROM {FILE}) "  # noqa: S608  quoted
            f"WHERE value IN ({words}) "
            f"UNION ALL SELECT '', coalesce(bool_and({number}), false) "
            f"FROM (SELECT DISTINCT {trimmed(column)} AS value FROM {FILE}) WHERE value NOT IN ({words})"
        )
        only_numbers = any(flag for _, flag in rows)
        there = {str(word) for word, _ in rows if word}
        found |= there if only_numbers else there & {*_SURE_NULLS}
    return tuple(word for word in (*_SURE_NULLS, *_NULLS_OF_NUMBERS) if word in found)


def profiles(engine: Engine, table: "pa.Table", nulls: Sequence[str]) -> Mapping[str, Profile]:
    """A profile of each column of the table, which the engine has as `file`."""
    types = engine.types(f"SELECT * FROM {FILE}")  # noqa: S608
    return {name: _profile(engine, name, types[name], len(table), nulls) for name in table.column_names}


def _profile(engine: Engine, name: str, kind: str, rows: int, nulls: Sequence[str]) -> Profile:
    column = '"' + name.replace('"', '""') + '"'
    text = f"to_json({column})" if kind.endswith("]") or kind.startswith(("STRUCT", "MAP")) else column
    value = trimmed(text) if kind != "BLOB" else f"hex({column})"
    known = ", ".join(map(literal, nulls)) or "''"
    nothing = f" OR isnan({column})" if kind in ("FLOAT", "DOUBLE") else ""
    values = (
        f"(SELECT value, count(*) AS n FROM (SELECT CASE WHEN {value} IN ({known}){nothing} THEN NULL "  # noqa: S608  quoted
        f"ELSE {value} END AS value FROM {FILE}) WHERE value IS NOT NULL GROUP BY value)"
    )
    counts = [
        f"coalesce(sum(n) FILTER (regexp_full_match(value, {literal(pattern)})), 0)"
        for pattern in _PATTERNS.values()
    ]
    is_number = f"regexp_full_match(value, {literal(_PATTERNS['number'])})"
    number = f"CASE WHEN {is_number} THEN TRY_CAST(value AS DOUBLE) END"
    (found,) = engine.rows(
        f"SELECT coalesce(sum(n), 0), count(*), coalesce(min(n), 0), min({number}), max({number}), "  # noqa: S608  quoted
        f"coalesce(max(length(value)), 0), coalesce(sum(n) FILTER (abs({number}) > {_LARGEST}), 0), "
        f"{', '.join(counts)} FROM {values}"
    )
    common = engine.rows(f"SELECT value, n FROM {values} ORDER BY n DESC, value LIMIT {_COMMON + 1}")  # noqa: S608
    present, distinct, least, low, high, longest, large, *like = found
    return Profile(
        name=name,
        type=kind,
        rows=rows,
        missing=rows - int(present),
        distinct=int(distinct),
        least=int(least),
        common=[(str(each), int(count)) for each, count in common],
        like={**dict(zip(_PATTERNS, map(int, like), strict=True)), "large": int(large)},
        low=low,
        high=high,
        longest=int(longest),
    )
