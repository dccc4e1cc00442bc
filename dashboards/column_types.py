"""One column type in four spellings: report contract (Athena), QuickSight, DuckDB, and what it is on a
page.
"""

import re
from dataclasses import dataclass
from typing import Literal

Kind = Literal["number", "text", "time", "boolean"]
"""What a visual may do with the column: add it up, split by it, put it on a time axis."""


class UnknownColumnTypeError(ValueError):
    """A type that QuickSight cannot hold. The message names it and what may be used."""


@dataclass(frozen=True)
class ColumnType:
    """A column type: `athena` as reports spell it, `quicksight` as InputColumn.Type spells it, `duckdb`,
    `kind`.
    """

    athena: str
    quicksight: str
    duckdb: str
    kind: Kind


_FIXED = {
    "varchar": ColumnType("varchar", "STRING", "VARCHAR", "text"),
    "string": ColumnType("string", "STRING", "VARCHAR", "text"),
    "tinyint": ColumnType("tinyint", "INTEGER", "BIGINT", "number"),
    "smallint": ColumnType("smallint", "INTEGER", "BIGINT", "number"),
    "integer": ColumnType("integer", "INTEGER", "BIGINT", "number"),
    "int": ColumnType("int", "INTEGER", "BIGINT", "number"),
    "bigint": ColumnType("bigint", "INTEGER", "BIGINT", "number"),
    "real": ColumnType("real", "DECIMAL", "DOUBLE", "number"),
    "double": ColumnType("double", "DECIMAL", "DOUBLE", "number"),
    "boolean": ColumnType("boolean", "BOOLEAN", "BOOLEAN", "boolean"),  # BIT would be read as INTEGER
    "date": ColumnType("date", "DATETIME", "TIMESTAMP", "time"),
    "timestamp": ColumnType("timestamp", "DATETIME", "TIMESTAMP", "time"),
}
_DECIMAL = re.compile(r"decimal\((\d+),(\d+)\)$")
_OF_QUICKSIGHT: dict[str, tuple[str, Kind]] = {
    "STRING": ("VARCHAR", "text"),
    "INTEGER": ("BIGINT", "number"),
    "DECIMAL": ("DOUBLE", "number"),
    "BOOLEAN": ("BOOLEAN", "boolean"),
    "BIT": ("BIGINT", "number"),
    "DATETIME": ("TIMESTAMP", "time"),
}


def of_contract(athena: str) -> ColumnType:
    """The type that a report declares. Raises UnknownColumnTypeError."""
    plain = athena.replace(" ", "").lower()
    if plain in _FIXED:
        return _FIXED[plain]
    if match := _DECIMAL.match(plain):
        return ColumnType(plain, "DECIMAL", f"DECIMAL({match[1]},{match[2]})", "number")
    raise UnknownColumnTypeError(
        f"QuickSight has no type for {athena!r}. Use one of: {', '.join(sorted(_FIXED))}, decimal(p,s)."
    )


def sub_type(athena: str) -> str | None:
    """The SubType of a decimal column of a SPICE dataset: FIXED or FLOAT; None for every other type."""
    column = of_contract(athena)
    if column.quicksight != "DECIMAL":
        return None
    return "FIXED" if column.athena.startswith("decimal") else "FLOAT"


def of_quicksight(name: str, sub: str | None = None) -> ColumnType:
    """The type of an InputColumn of any dataset.

    Raises UnknownColumnTypeError for SEMISTRUCT, JSON and unknown names.
    """
    if name not in _OF_QUICKSIGHT:
        raise UnknownColumnTypeError(f"Columns of type {name!r} cannot be previewed.")
    duckdb, kind = _OF_QUICKSIGHT[name]
    if name == "DECIMAL" and sub == "FIXED":
        duckdb = "DECIMAL(18,4)"  # what SPICE keeps of a fixed decimal
    return ColumnType("", name, duckdb, kind)
