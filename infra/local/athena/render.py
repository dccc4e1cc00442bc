"""Values as Athena's results show them: every value a text, NULL nothing."""

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta
from math import isfinite
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from infra.local.athena.sql.functions.number_text import java_double, java_number, shortest_real
from infra.local.athena.sql.literals import zone_of
from infra.local.athena.sql.prelude import interval_text
from infra.local.athena.sql.types import Type

_NANOSECONDS = 1_000_000


def rendered(batch: pa.RecordBatch, types: Sequence[Type]) -> pa.RecordBatch:
    """The batch with every column as text."""
    columns = [_column(column, of) for column, of in zip(batch.columns, types, strict=True)]
    return pa.RecordBatch.from_arrays(columns, names=[f"c{i}" for i in range(len(columns))])


def _column(column: pa.Array, of: Type) -> pa.Array:
    if of.is_text or of.name == "json":
        return column.cast(pa.string())
    if of.is_integer or of.name in ("boolean", "date", "uuid"):
        return column.cast(pa.string())
    if of.name == "timestamp":
        unit = "ms" if of.precision <= 3 else "us"
        return pc.strftime(column.cast(pa.timestamp(unit), safe=False), "%Y-%m-%d %H:%M:%S")
    show = shower(of)
    return pa.array([None if value is None else show(value) for value in column.to_pylist()], pa.string())


def shower(of: Type) -> Callable[[Any], str]:
    """What writes a value of the type that is not NULL."""
    if of.name == "array":
        inner = _or_null(shower(of.of[0]))
        return lambda v: f"[{', '.join(map(inner, v))}]"
    if of.name == "map":
        key, value = (_or_null(shower(t)) for t in of.of)
        return lambda v: "{" + ", ".join(f"{key(k)}={value(x)}" for k, x in v) + "}"
    if of.name == "row":
        fields = [
            (stored, name or f"field{i}", _or_null(shower(t)))
            for i, (stored, name, t) in enumerate(zip(of.stored_names, of.names, of.of, strict=True))
        ]
        return lambda v: "{" + ", ".join(f"{name}={show(v[stored])}" for stored, name, show in fields) + "}"
    maker = _SCALARS.get(of.name)
    return maker(of) if maker is not None else str


def _or_null(show: Callable[[Any], str]) -> Callable[[Any], str]:
    return lambda value: "null" if value is None else show(value)


def _boolean(_: Type) -> Callable[[Any], str]:
    return lambda value: "true" if value else "false"


def _moment(of: Type) -> Callable[[datetime], str]:
    digits = max(of.precision, 3)
    return lambda value: value.replace(tzinfo=None).isoformat(" ", "microseconds")[: 20 + digits]


def _zoned(of: Type) -> Callable[[datetime], str]:
    name, where = zone_of(of.zone or "UTC")
    plain = _moment(of)
    return lambda value: f"{plain(value.astimezone(where))} {name}"


def _real(_: Type) -> Callable[[float], str]:
    return lambda value: java_number(repr(shortest_real(value))) if isfinite(value) else java_double(value)


def _towards_zero(value: int, unit: int) -> int:
    return value // unit if value >= 0 else -(-value // unit)


def _interval(of: Type) -> Callable[[Any], str]:
    def show(value: Any) -> str:
        if isinstance(value, timedelta):
            return interval_text(of, _towards_zero(value // timedelta(microseconds=1), 1_000))
        if of.name == "interval year to month":
            return interval_text(of, value.months)
        return interval_text(of, value.days * 86_400_000 + _towards_zero(value.nanoseconds, _NANOSECONDS))

    return show


_SCALARS: dict[str, Callable[[Type], Callable[[Any], str]]] = {
    "boolean": _boolean,
    "double": lambda _: java_double,
    "real": _real,
    "timestamp": _moment,
    "timestamp with time zone": _zoned,
    "time": lambda of: lambda value: value.strftime("%H:%M:%S.%f")[: 9 + max(of.precision, 3)],
    "varbinary": lambda _: lambda value: bytes(value).hex(" "),
    "interval day to second": _interval,
    "interval year to month": _interval,
}


def csv_line(values: Sequence[str | None]) -> str:
    """One line of a result file: every value in quotes, NULL as nothing."""
    return ",".join("" if value is None else '"' + value.replace('"', '""') + '"' for value in values) + "\n"


def csv_lines(batch: pa.RecordBatch) -> Iterator[str]:
    """The lines of a rendered batch."""
    yield from map(csv_line, zip(*(column.to_pylist() for column in batch.columns), strict=True))
