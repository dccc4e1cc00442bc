"""The rows of a reference table, read from a CSV or Parquet file and held against the declaration."""

import csv
import io
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from queries.contracts import ReportColumn, file_text
from queries.reference.declaration import ReferenceTable
from queries.reference.values import ValueRefusedError, decimal_size, parser
from transforms.contracts import printable

if TYPE_CHECKING:
    import pyarrow as pa

FORMATS = (".csv", ".parquet")
MOST_BYTES = 64 * 1024 * 1024
MOST_UNPACKED_BYTES = 4 * MOST_BYTES
MOST_ROWS = 1_000_000
_SHOWN = 60


class ReferenceDataError(ValueError):
    """A file's rows are not what its table declares. The message has the file, the row and the column."""


def data_file(table: ReferenceTable) -> Path:
    """The file with the table's rows, beside its declaration. Raises ReferenceDataError."""
    beside = [Path(table.file).with_suffix(suffix) for suffix in FORMATS]
    found = [path for path in beside if path.is_file()]
    if len(found) == 1:
        return found[0]
    if found:
        raise ReferenceDataError(f"{found[0]} and {found[1].name} both have the rows. Remove one of them.")
    raise ReferenceDataError(f"{beside[0]} is not there. Put the rows into it, or into {beside[1].name}.")


def read_rows(table: ReferenceTable, path: Path) -> "pa.Table":
    """The file's rows, with the declared columns in their order and types. Raises ReferenceDataError."""
    if (size := path.stat().st_size) > MOST_BYTES:
        raise ReferenceDataError(
            f"{path} has {size / 2**20:,.0f} MiB, and a reference table at most {MOST_BYTES // 2**20}. "
            "Make a stream of it: penstock add stream NAME --from FILE"
        )
    read = _parquet if path.suffix == ".parquet" else _csv
    rows, places = read(table, path)
    _require_keys(table, path, rows, places)
    return rows


Places = Callable[[int], str]
"""What the row of this index (from 0) is called in the file."""


def _csv(table: ReferenceTable, path: Path) -> "tuple[pa.Table, Places]":
    import pyarrow as pa

    text = file_text(path.read_bytes(), str(path))
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    lines: list[int] = []
    values: dict[str, list[Any]] = {column.name: [] for column in table.columns}
    try:
        at = _positions(table, path, next(reader, []))
        parsers = [(column, at[column.name], parser(column.type)) for column in table.columns]
        begins = reader.line_num + 1
        for cells in reader:
            line, begins = begins, reader.line_num + 1
            if not cells:
                continue
            if len(cells) != len(at):
                said = f"line {line} has {len(cells)} cells, and the first line names {len(at)} columns"
                raise ReferenceDataError(f"{path}: {said}. Quote cells that have a comma.")
            for column, position, parse in parsers:
                values[column.name].append(_value(cells[position], column, parse, f"{path}: line {line}"))
            lines.append(line)
            if len(lines) > MOST_ROWS:
                raise ReferenceDataError(f"{path} has more than the {MOST_ROWS:,} rows of a reference table.")
    except csv.Error as error:
        raise ReferenceDataError(f"{path}: line {reader.line_num} is not CSV: {error}.") from error
    schema = pa.schema([(column.name, arrow_type(column.type)) for column in table.columns])
    return pa.table(values, schema=schema), lambda row: f"line {lines[row]}"


def _positions(table: ReferenceTable, path: Path, names: Sequence[str]) -> Mapping[str, int]:
    """Where in a row each column stands, by the first line, which has the declared names in any order."""
    declared = [column.name for column in table.columns]
    if sorted(names) == sorted(declared):
        return {name: names.index(name) for name in declared}
    lacking = [name for name in declared if name not in names]
    surplus = [name for name in names if name not in declared]
    said = [f"lacks {', '.join(lacking)}"] if lacking else []
    said += [f"has {', '.join(map(_shown, surplus))}"] if surplus else []
    raise ReferenceDataError(
        f"{path}: line 1 {' and '.join(said) or 'names a column twice'}. It must name the columns that "
        f"{Path(table.file).name} declares: {', '.join(declared)}."
    )


def _value(text: str, column: ReportColumn, parse: Callable[[str], Any], place: str) -> Any:
    """An empty cell is NULL, whatever the type."""
    if text == "":
        return None
    try:
        return parse(text)
    except ValueRefusedError as wanted:
        message = f"{place}, column {column.name}: {_shown(text)} is not {wanted} ({column.type})."
        raise ReferenceDataError(message) from wanted


def _parquet(table: ReferenceTable, path: Path) -> "tuple[pa.Table, Places]":
    import pyarrow as pa
    from pyarrow import parquet

    try:
        footer = parquet.read_metadata(path)
        _require_small(path, footer)
        found = parquet.read_table(path)
    except (pa.ArrowException, OSError) as error:
        raise ReferenceDataError(f"{path} is not a Parquet file that can be read: {error}.") from error
    _positions(table, path, found.column_names)
    for column in table.columns:
        given, wanted = found.schema.field(column.name).type, arrow_type(column.type)
        if not _fits(given, wanted):
            raise ReferenceDataError(
                f"{path}, column {column.name}: its values are {given}, which cannot be {column.type}. "
                "Declare what they are, or write the file anew."
            )
    schema = pa.schema([(column.name, arrow_type(column.type)) for column in table.columns])
    try:
        rows = found.select(schema.names).cast(schema)
    except pa.ArrowException as error:
        raise ReferenceDataError(f"{path}: a value does not fit its column: {error}.") from error
    return rows, lambda row: f"row {row + 1}"


def _require_small(path: Path, footer: Any) -> None:
    """Before it is read: a small file can hold many equal values."""
    groups = (footer.row_group(number) for number in range(footer.num_row_groups))
    if footer.num_rows > MOST_ROWS or sum(group.total_byte_size for group in groups) > MOST_UNPACKED_BYTES:
        raise ReferenceDataError(
            f"{path} has {footer.num_rows:,} rows. A reference table has at most {MOST_ROWS:,}, and "
            f"{MOST_UNPACKED_BYTES // 2**20} MiB unpacked."
        )


def _fits(given: "pa.DataType", wanted: "pa.DataType") -> bool:
    """Whether values of one type are values of the other, or can be checked one by one when cast."""
    from pyarrow import types

    kinds = (
        types.is_integer,
        types.is_floating,
        types.is_boolean,
        types.is_date,
        types.is_timestamp,
        types.is_decimal,
        lambda kind: types.is_string(kind) or types.is_large_string(kind),
    )
    values = given.value_type if types.is_dictionary(given) else given
    return any(kind(values) and kind(wanted) for kind in kinds)


def arrow_type(kind: str) -> "pa.DataType":
    """The type of a column in the table's files."""
    import pyarrow as pa

    if kind.startswith("decimal"):
        return pa.decimal128(*decimal_size(kind))
    return {
        "varchar": pa.string(),
        "bigint": pa.int64(),
        "integer": pa.int32(),
        "double": pa.float64(),
        "boolean": pa.bool_(),
        "date": pa.date32(),
        "timestamp": pa.timestamp("ms"),
    }[kind]


def _require_keys(table: ReferenceTable, path: Path, rows: "pa.Table", places: Places) -> None:
    """Raise ReferenceDataError where a key has no value, or has been there before."""
    seen: dict[tuple[Any, ...], int] = {}
    for number, key in enumerate(_keys(table, rows)):
        if None in key:
            column = table.keys[key.index(None)]
            raise ReferenceDataError(
                f"{path}: {places(number)}, column {column}: it has no value, and is a part of the key."
            )
        if key in seen:
            said = ", ".join(
                f"{name} {_shown(str(value))}" for name, value in zip(table.keys, key, strict=True)
            )
            raise ReferenceDataError(
                f"{path}: {places(number)} has the key of {places(seen[key])}: {said}. A join would count "
                "twice. Remove one, or declare the columns that tell them apart as keys."
            )
        seen[key] = number


def _keys(table: ReferenceTable, rows: "pa.Table") -> Iterator[tuple[Any, ...]]:
    return zip(*(rows.column(name).to_pylist() for name in table.keys), strict=True)


def _shown(text: str) -> str:
    return printable(repr(text if len(text) <= _SHOWN else f"{text[:_SHOWN]}..."))
