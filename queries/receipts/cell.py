"""One number of a report: its partition, its row, its column."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from queries.contracts import Report
from queries.partitions import window
from queries.receipts.errors import UnknownCellError

NO_VALUE = "NULL"
Row = Mapping[str, Any]


@dataclass(frozen=True)
class Asked:
    """The cell as somebody named it: the keys' values are texts."""

    partition: str
    column: str
    keys: Mapping[str, str]


@dataclass(frozen=True)
class Cell:
    """A cell that is there. `keys` are the values of the report's keys in its row, in their order."""

    report: Report
    partition: str
    column: str
    keys: Mapping[str, Any]

    @property
    def key_types(self) -> Mapping[str, str]:
        """Athena's type of each key."""
        return {each.name: each.type for each in self.report.columns if each.name in self.keys}

    def __str__(self) -> str:
        keys = [f"{name}={shown(value)}" for name, value in self.keys.items()]
        return " ".join([self.report.name, self.partition, *keys, self.column])


def parse_words(report: Report, partition: str, words: Sequence[str]) -> Asked:
    """The cell that `[KEY=VALUE ...] COLUMN` names. Raises UnknownCellError, HourNameError."""
    window(report, partition)
    named = [word for word in words if "=" in word]
    columns = [word for word in words if "=" not in word]
    known = [each.name for each in report.columns if each.name not in report.keys]
    if len(columns) != 1 or columns[0] not in known:
        said = (
            f"{columns[0]!r} is not a number of {report.name}"
            if columns
            else f"No column of {report.name} is named"
        )
        raise UnknownCellError(f"{said}. Name one of: {', '.join(known)}.")
    keys = dict(word.split("=", 1) for word in named)
    if stranger := next((name for name in keys if name not in report.keys), None):
        raise UnknownCellError(
            f"{stranger!r} is not a key of {report.name}. Its keys: {', '.join(report.keys) or 'none'}."
        )
    if missing := [name for name in report.keys if name not in keys]:
        example = " ".join(f"{name}=VALUE" for name in missing)
        raise UnknownCellError(
            f"{report.name} has a row for each {', '.join(report.keys)}. Say which: {example}"
        )
    return Asked(partition, columns[0], keys)


def row_of(report: Report, rows: Sequence[Row], asked: Asked) -> Row | None:
    """The row that is asked for; None when there is none. Raises UnknownCellError for several."""
    found = [row for row in rows if all(_is_named(row[name], said) for name, said in asked.keys.items())]
    if len(found) > 1:
        raise UnknownCellError(
            f"{report.name}/{asked.partition} has {len(found)} rows that are told apart by no key. Declare "
            "keys in its header: only what tells rows apart can name a number."
        )
    return found[0] if found else None


def _is_named(value: Any, said: str) -> bool:
    """Whether who wrote `said` meant this value: numbers and times may be written in several ways."""
    if shown(value) == said:
        return True
    try:
        if isinstance(value, Decimal | float):
            return float(said) == float(value)
        return isinstance(value, datetime) and datetime.fromisoformat(said) == value
    except ValueError:
        return False


def shown(value: Any) -> str:
    """The value as it is written on the command line and in a receipt."""
    if value is None:
        return NO_VALUE
    if isinstance(value, bool):
        return str(value).lower()
    return value.isoformat(sep=" ") if isinstance(value, datetime) else str(value)


def literal(value: Any, kind: str) -> str:
    """The value as an SQL literal of this Athena type."""
    if value is None:
        return f"CAST(NULL AS {kind})"
    match value:
        case bool():
            return str(value).lower()
        case int():
            return str(value)
        case float():
            return f"CAST({text(repr(value))} AS double)"
        case Decimal():
            return f"CAST({text(str(value))} AS {kind})"
        case datetime():
            return f"TIMESTAMP {text(value.isoformat(sep=' ', timespec='milliseconds'))}"
        case date():
            return f"DATE {text(value.isoformat())}"
    return text(str(value))


def text(value: str) -> str:
    """The text as an SQL literal."""
    return "'" + value.replace("'", "''") + "'"
