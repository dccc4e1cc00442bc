"""Objects that are text, JSON lines or delimited, read once into Parquet with the table's types."""

import csv
import gzip
import hashlib
import io
import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from infra.local.athena.arrow_types import arrow_type
from infra.local.athena.errors import QueryError
from infra.local.athena.layout import Layout
from infra.local.athena.objects import StoredObject
from infra.local.athena.sql.types import Type

_ESCAPES = {"\\t": "\t", "\\n": "\n", "\\001": "\x01", "\\u0001": "\x01"}
_LINE_END = re.compile(r"\r\n|\n|\r")
"""Hadoop's; Python's splitlines knows many more."""


def fingerprint(layout: Layout) -> str:
    """Changes when the same object would be read otherwise."""
    how = f"{layout.format}|{layout.columns}|{sorted(layout.serde.items())}|{layout.parameters.get('skip.header.line.count')}"
    return hashlib.sha256(how.encode()).hexdigest()[:12]


def converted(layout: Layout, stored: StoredObject, get: Callable[[Path], None]) -> Callable[[Path], None]:
    """A maker for ObjectCache: the object's rows as Parquet."""

    def make(target: Path) -> None:
        get(target)
        data = target.read_bytes()
        if data[:2] == b"\x1f\x8b":
            data = gzip.decompress(data)
        rows = list(_rows(layout, data.decode("utf-8", "replace"), stored.address))
        schema = pa.schema([(name, arrow_type(of)) for name, of in layout.columns])
        pq.write_table(pa.Table.from_pylist(rows, schema=schema), target)

    return make


def _rows(layout: Layout, data: str, address: str) -> Iterator[dict[str, Any]]:
    if layout.format == "json":
        yield from _json_rows(layout, data, address)
        return
    names = [name for name, _ in layout.columns]
    types = dict(layout.columns)
    skip = int(layout.parameters.get("skip.header.line.count") or 0)
    for record in list(_records(layout, data))[skip:]:
        values = dict(zip(names, record, strict=False))
        yield {name: _value(values.get(name), types[name]) for name in names}


def _records(layout: Layout, data: str) -> Iterator[list[str | None]]:
    if layout.format == "csv":
        yield from csv.reader(
            io.StringIO(data),
            delimiter=layout.serde.get("separatorChar", ","),
            quotechar=layout.serde.get("quoteChar", '"'),
            escapechar=layout.serde.get("escapeChar", "\\"),
        )
        return
    given = layout.serde.get("field.delim") or layout.serde.get("serialization.format") or "1"
    # A number is a character's code, to Hive: what it writes where nothing was said is "1".
    delimiter = chr(int(given)) if given.isdigit() else _ESCAPES.get(given, given)
    null = layout.serde.get("serialization.null.format", "\\N")
    for line in _lines(data):
        yield [None if part == null else part for part in line.split(delimiter)]


def _lines(data: str) -> list[str]:
    lines = _LINE_END.split(data)
    return lines if lines[-1] else lines[:-1]


def _json_rows(layout: Layout, data: str, address: str) -> Iterator[dict[str, Any]]:
    ignore = layout.serde.get("ignore.malformed.json", "false").lower() == "true"
    for number, line in enumerate(_lines(data), start=1):
        if not line.strip():
            continue
        try:
            document = json.loads(line)
            if not isinstance(document, dict):
                raise ValueError("no object")
        except ValueError as error:
            if ignore:
                yield {}
                continue
            raise QueryError(
                "HIVE_CURSOR_ERROR", f"Row is not a valid JSON Object: {address} line {number}: {error}"
            ) from error
        members = {key.lower(): value for key, value in document.items()}
        yield {name: _value(members.get(name), of) for name, of in layout.columns}


def _value(value: Any, of: Type) -> Any:
    """A JSON or text value as the column's, NULL where it is none."""
    from infra.local.athena.sql.functions.json_conversion import reader
    from infra.local.athena.sql.functions.json_values import dump, load

    if value is None:
        return None
    if of.is_text:
        return value if isinstance(value, str) else dump(load(json.dumps(value)))
    if of.name in ("date", "timestamp"):
        from datetime import date, datetime

        try:
            return (
                date.fromisoformat(value)
                if of.name == "date"
                else datetime.fromisoformat(value).replace(tzinfo=None)
            )
        except (TypeError, ValueError):
            return None
    if isinstance(value, str) and (of.is_number or of.name == "boolean") and not value.strip():
        return None
    try:
        return reader(of)(json.dumps(value))
    except (QueryError, ArithmeticError):
        return None
