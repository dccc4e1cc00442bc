"""JSON rows to Arrow by a Glue schema: columnar where all is well, record by record where something is not.

The fast way takes only rows for which it gives what the exact way gives: known members in their own case,
JSON types that fit, UTC timestamps with `T` and `Z`. A batch with any other row is halved until that row is
alone with few neighbours, and those go the exact way. So no record fails for its neighbour.
"""

import io
import json
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.json

from infra.local.firehose.coercion import CoercionError, coerce
from infra.local.firehose.hive_types import INTEGERS, HiveType
from infra.local.firehose.records import CONVERSION, Failure

_FEW = 32
"""Rows that are converted one by one rather than halved further."""
_FAST_TYPES = frozenset({*INTEGERS, "string", "double", "boolean", "timestamp"})
_UTC = r"^(?:[1-9]\d{3}|0[1-9]\d{2}|00[1-9]\d|000[1-9])-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d{1,3})?Z$"
_ENDS = (b"}", b"}\n")
_NOT_JSON = (b"NaN", b"Inf")  # which the JSON reader takes all the same
_BLANK = "The record was empty or contained only whitespace."

PARSE_ERROR = "DataFormatConversion.ParseError"
MALFORMED = "DataFormatConversion.MalformedData"


@dataclass(frozen=True)
class Converted:
    """Rows in Arrow, and (index, why) of each input that has no row."""

    table: pa.Table
    failures: tuple[tuple[int, Failure], ...]


class RowConverter:
    """Converts rows by one version of one Glue table's columns."""

    def __init__(self, columns: Sequence[tuple[str, HiveType]]) -> None:
        self._columns = tuple((name.lower(), kind) for name, kind in columns)
        self.schema = pa.schema([(name, kind.arrow) for name, kind in self._columns])
        self._row = HiveType("struct", self._columns)
        fast = all(_is_fast(kind) for _, kind in self._columns)
        self._parsed = pa.schema([(name, _parsed(kind)) for name, kind in self._columns]) if fast else None

    def convert(self, rows: Sequence[bytes]) -> Converted:
        """Every row that can be converted, in order; a row may hold several JSON documents."""
        tables: list[pa.Table] = []
        failures: list[tuple[int, Failure]] = []
        self._convert(rows, 0, tables, failures)
        return Converted(pa.concat_tables([self.schema.empty_table(), *tables]), tuple(failures))

    def _convert(
        self, rows: Sequence[bytes], offset: int, tables: list[pa.Table], failures: list[tuple[int, Failure]]
    ) -> None:
        table = self._fast(rows)
        if table is not None:
            tables.append(table)
        elif len(rows) > _FEW and self._parsed is not None:
            middle = len(rows) // 2
            self._convert(rows[:middle], offset, tables, failures)
            self._convert(rows[middle:], offset + middle, tables, failures)
        else:
            self._exact(rows, offset, tables, failures)

    def _fast(self, rows: Sequence[bytes]) -> pa.Table | None:
        # Each row must begin and end an object by itself; otherwise two broken neighbours could make one row.
        if self._parsed is None or not all(row.startswith(b"{") and row.endswith(_ENDS) for row in rows):
            return None
        text = b"\n".join(rows)
        if any(word in text for word in _NOT_JSON):
            return None
        try:
            text.decode()
            parsed = pyarrow.json.read_json(
                io.BytesIO(text),
                read_options=pyarrow.json.ReadOptions(use_threads=False, block_size=len(text) + 1),
                parse_options=pyarrow.json.ParseOptions(
                    explicit_schema=self._parsed, unexpected_field_behavior="error"
                ),
            ).combine_chunks()
            arrays = [
                _finished(parsed.column(name).chunk(0), kind) if parsed.num_rows else pa.nulls(0, kind.arrow)
                for name, kind in self._columns
            ]
        except (pa.ArrowInvalid, UnicodeDecodeError, _NotPlainError):
            return None
        return pa.Table.from_arrays(arrays, schema=self.schema)

    def _exact(
        self, rows: Sequence[bytes], offset: int, tables: list[pa.Table], failures: list[tuple[int, Failure]]
    ) -> None:
        good: list[tuple[int, bytes, list[dict[str, Any]]]] = []
        for index, row in enumerate(rows, offset):
            try:
                good.append((index, row, [coerce(document, self._row) for document in _documents(row)]))
            except _ConversionError as error:
                failures.append((index, Failure(CONVERSION, error.code, str(error), raw=row)))
            except CoercionError as error:
                failures.append((index, _malformed(error, row)))
        try:
            made = [document for _, _, documents in good for document in documents]
            tables.append(pa.Table.from_pylist(made, schema=self.schema))
        except _REFUSALS:
            self._one_by_one(good, tables, failures)

    def _one_by_one(
        self,
        good: Sequence[tuple[int, bytes, list[dict[str, Any]]]],
        tables: list[pa.Table],
        failures: list[tuple[int, Failure]],
    ) -> None:
        """Arrow refuses some value of these rows: the row that has it fails, and no other."""
        for index, row, documents in good:
            try:
                tables.append(pa.Table.from_pylist(documents, schema=self.schema))
            except _REFUSALS as error:
                failures.append((index, _malformed(error, row)))


_REFUSALS = (pa.ArrowException, OverflowError, TypeError, ValueError)
"""What Arrow raises for values that it does not take."""


def _malformed(error: Exception, row: bytes) -> Failure:
    return Failure(CONVERSION, MALFORMED, f"Data does not match the schema. {error}", raw=row)


class _ConversionError(ValueError):
    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


class _NotPlainError(ValueError):
    """A value that only the exact way may validate."""


def _documents(row: bytes) -> list[dict[str, Any]]:
    """The JSON documents of one row. Raises _ConversionError."""
    try:
        text = row.decode()
    except UnicodeDecodeError as error:
        raise _ConversionError(PARSE_ERROR, f"Encountered malformed JSON. {error.reason}") from None
    text, at, found = text.strip(), 0, []
    if not text:
        raise _ConversionError(MALFORMED, _BLANK)
    while at < len(text):
        try:
            document, at = _DECODER.raw_decode(text, at)
        except (ValueError, RecursionError, InvalidOperation) as error:
            raise _ConversionError(PARSE_ERROR, f"Encountered malformed JSON. {error}") from None
        if not isinstance(document, dict):
            raise CoercionError(document)
        found.append(document)
        while at < len(text) and text[at].isspace():
            at += 1
    return found


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")


_DECODER = json.JSONDecoder(parse_float=Decimal, parse_constant=_no_constant)


def _is_fast(kind: HiveType, *, in_list: bool = False) -> bool:
    if kind.name in {"struct", "array"}:
        inside = in_list or kind.name == "array"
        return all(_is_fast(inner, in_list=inside) for _, inner in kind.fields)
    return kind.name in _FAST_TYPES and not (in_list and kind.name == "timestamp")


def _parsed(kind: HiveType) -> pa.DataType:
    """The type that the JSON reader is asked for: timestamps as text, whose form is checked afterwards."""
    if kind.name == "timestamp":
        return pa.string()
    if kind.name == "struct":
        return pa.struct([(name, _parsed(inner)) for name, inner in kind.fields])
    return kind.arrow


def _has_doubles(kind: HiveType) -> bool:
    return kind.name == "double" or any(_has_doubles(inner) for _, inner in kind.fields)


def _finished(array: pa.Array, kind: HiveType) -> pa.Array:
    if kind.name == "timestamp":
        if pc.any(pc.invert(pc.match_substring_regex(array, _UTC))).as_py():
            raise _NotPlainError
        return pc.cast(pc.cast(array, pa.timestamp("ms", "UTC")), kind.arrow)
    if kind.name == "double" and pc.any(pc.is_inf(array)).as_py():
        raise _NotPlainError  # more digits than a double has
    if kind.name == "struct" and (array.type != kind.arrow or _has_doubles(kind)):
        children = [_finished(array.field(name), inner) for name, inner in kind.fields]
        fields = [pa.field(name, inner.arrow) for name, inner in kind.fields]
        return pa.StructArray.from_arrays(children, fields=fields, mask=array.is_null())
    return array
