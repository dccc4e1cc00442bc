"""What is inferred: fields with what they were inferred from, the event time, the key (pure)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from producers.sources.definition import SourceFormat

Kind = Literal["text", "enum", "int", "float", "bool", "time", "json"]


@dataclass(frozen=True)
class Profile:
    """One column of a sample, counted.

    Attributes:
        type: DuckDB's type of the column as the file has it.
        rows, missing, distinct: rows; of these without a value; different values.
        least: rows of the rarest value.
        common: the most frequent values with their rows, the most frequent first.
        like: rows of values that look like one thing: `whole`, `large` (beyond 2**53), `padded` (zeros in
            front), `number`, `flag`, `iso`, `zoned`, `clock`, `json`, `email`, `address`, `phone`, `iban`,
            `person`.
        low, high: the smallest and largest number, where there are numbers.
        longest: characters of the longest value.
    """

    name: str
    type: str
    rows: int
    missing: int
    distinct: int
    least: int
    common: Sequence[tuple[str, int]]
    like: Mapping[str, int]
    low: float | None
    high: float | None
    longest: int

    @property
    def present(self) -> int:
        """Rows with a value."""
        return self.rows - self.missing

    def all_like(self, *what: str) -> bool:
        """Whether there are values, and each looks like one of these, which exclude one another."""
        return self.present > 0 and sum(self.like[each] for each in what) == self.present


@dataclass(frozen=True)
class TimeColumns:
    """How a time is made of columns.

    Attributes:
        columns: those that it is made of.
        sql: the expression over them.
        said: how they write it, in words.
        is_zoned: whether the values say their zone.
        is_sure: False where another reading is possible.
        is_by_day: whether they are days, without a time of day.
    """

    columns: tuple[str, ...]
    sql: str
    said: str
    is_zoned: bool
    is_sure: bool = True
    is_by_day: bool = False


@dataclass(frozen=True)
class Field:
    """A field of the payload.

    Attributes:
        name, column: what it is called, and in the file.
        sql: the expression over the file's columns.
        choices: the words of an enumeration.
        low, high: bounds of a number, with slack.
        longest: characters that a text may have, with slack.
        why: what it was inferred from.
    """

    name: str
    column: str
    kind: Kind
    sql: str
    is_optional: bool = False
    is_personal: bool = False
    choices: tuple[str, ...] = ()
    low: float | None = None
    high: float | None = None
    longest: int = 0
    why: str = ""


@dataclass(frozen=True)
class Inferred:
    """A contract and a source, before they are written.

    Attributes:
        rows: of the sample that could be read; `read` counts the refused ones, too. `is_whole` says whether
            these are all that the file has.
        refused: (number, why) of rows that could not be read at all.
        key: columns that name an event, event time's columns included; empty where none was found.
        partition_key: name of the field that chooses the shard.
        first, last: event times, UTC.
        decided, unsure: sentences for whoever asked.
    """

    format: SourceFormat
    delimiter: str
    rows: int
    read: int
    is_whole: bool
    refused: Sequence[tuple[int, str]]
    nulls: tuple[str, ...]
    fields: tuple[Field, ...]
    time: TimeColumns
    key: tuple[str, ...]
    partition_key: str
    first: datetime
    last: datetime
    profiles: Mapping[str, Profile]
    decided: Sequence[str]
    unsure: Sequence[str]

    def field(self, name: str) -> Field:
        """The field of this name."""
        return next(each for each in self.fields if each.name == name)


class InferenceError(ValueError):
    """No contract can be made of the sample. The message says why and what to do."""


def quoted(name: str) -> str:
    """A column's name in SQL: bare where that is possible."""
    bare = name.isascii() and name.isidentifier() and name == name.lower() and name not in _SQL_WORDS
    return name if bare else '"' + name.replace('"', '""') + '"'


def literal(value: Any) -> str:
    """A text in SQL."""
    return "'" + str(value).replace("'", "''") + "'"


_SQL_WORDS = frozenset(
    {
        "all", "alter", "analyse", "analyze", "and", "anti", "any", "array", "as", "asc", "asof",
        "asymmetric", "at", "authorization", "between", "binary", "both", "by", "case", "cast", "check",
        "collate", "collation", "column", "concurrently", "constraint", "create", "cross", "current_date",
        "current_role", "current_time", "current_timestamp", "current_user", "date", "day", "deallocate",
        "default", "deferrable", "delete", "desc", "describe", "distinct", "do", "drop", "else", "end",
        "escape", "except", "execute", "exists", "extract", "false", "fetch", "file", "for", "foreign",
        "freeze", "from", "full", "glob", "grant", "group", "grouping", "having", "hour", "ilike", "in",
        "initially", "inner", "insert", "intersect", "interval", "into", "is", "isnull", "join", "lambda",
        "lateral", "leading", "left", "like", "limit", "localtime", "localtimestamp", "minute", "month",
        "natural", "normalize", "not", "notnull", "null", "offset", "on", "only", "or", "order", "outer",
        "overlaps", "pivot", "pivot_longer", "pivot_wider", "placing", "positional", "prepare", "primary",
        "qualify", "recursive", "references", "returning", "right", "rollup", "row", "rows", "second",
        "select", "semi", "session_user", "show", "similar", "some", "summarize", "symmetric", "table",
        "tablesample", "then", "time", "timestamp", "to", "trailing", "true", "uescape", "union", "unique",
        "unnest", "unpack", "unpivot", "user", "using", "values", "variadic", "verbose", "when", "where",
        "window", "with", "year",
    }
)  # fmt: skip
