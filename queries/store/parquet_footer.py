"""What a Parquet file says of itself in its footer: rows, columns, and the bounds of one text column.

Only the footer is read, and only what an audit needs; so the query function carries no Arrow. The footer is
Thrift's compact protocol (parquet.thrift of the Parquet format).
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

TAIL_BYTES = 65_536
"""How much of a file's end to fetch first; footers of report files are a few kilobytes."""
_MAGIC = b"PAR1"
# Field numbers of FileMetaData, SchemaElement, RowGroup, ColumnChunk, ColumnMetaData, Statistics.
_SCHEMA, _NUM_ROWS, _ROW_GROUPS = 2, 3, 4
_NAME, _NUM_CHILDREN = 4, 5
_COLUMNS, _META_DATA, _PATH, _NUM_VALUES, _STATISTICS = 1, 3, 3, 5, 12
_NULL_COUNT, _MAX_VALUE, _MIN_VALUE = 3, 5, 6


class FooterError(ValueError):
    """The bytes are not the end of a Parquet file."""


@dataclass(frozen=True)
class Footer:
    """Rows in the file, names of its top-level columns, and of one column the least and the greatest value.

    `values` is empty when every value of that column is NULL (or it is absent), and None when the file's
    statistics do not tell.
    """

    rows: int
    columns: tuple[str, ...]
    values: tuple[str, ...] | None


def footer_length(tail: bytes) -> int:
    """Bytes from the start of the footer to the end of the file. Raises FooterError."""
    if len(tail) < 12 or tail[-4:] != _MAGIC:
        raise FooterError("The file does not end as a Parquet file does.")
    return int.from_bytes(tail[-8:-4], "little") + 8


def read_footer(tail: bytes, column: str) -> Footer:
    """The footer in the file's last bytes, with the bounds of `column`. Raises FooterError."""
    length = footer_length(tail)
    if length > len(tail):
        raise FooterError(f"The footer has {length} bytes, of which {len(tail)} were given.")
    try:
        meta = _Reader(tail[len(tail) - length : -8]).struct()
        rows, columns = int(meta[_NUM_ROWS]), _top_level(meta[_SCHEMA])
        bounds = [_bounds(group, column) for group in meta.get(_ROW_GROUPS, [])]
    except (IndexError, KeyError, TypeError, UnicodeDecodeError) as error:
        raise FooterError(f"The footer cannot be read ({type(error).__name__}: {error}).") from error
    values: tuple[str, ...] | None = ()
    for found in bounds:
        values = None if values is None or found is None else (*values, *found)
    return Footer(rows, columns, values)


def read_columns(tail: bytes) -> tuple[str, ...]:
    """Names of the top-level columns, by the footer in the file's last bytes. Raises FooterError."""
    length = footer_length(tail)
    if length > len(tail):
        raise FooterError(f"The footer has {length} bytes, of which {len(tail)} were given.")
    try:
        # The schema stands before what is long, the row groups.
        return _top_level(_Reader(tail[len(tail) - length : -8]).struct(last=_SCHEMA)[_SCHEMA])
    except (IndexError, KeyError, TypeError, UnicodeDecodeError) as error:
        raise FooterError(f"The footer cannot be read ({type(error).__name__}: {error}).") from error


def _top_level(schema: list[dict[int, Any]]) -> tuple[str, ...]:
    names: list[str] = []
    position = 1
    for _ in range(int(schema[0].get(_NUM_CHILDREN, 0))):
        names.append(schema[position][_NAME].decode())
        position = _after(schema, position)
    return tuple(names)


def _after(schema: list[dict[int, Any]], position: int) -> int:
    children = int(schema[position].get(_NUM_CHILDREN, 0))
    position += 1
    for _ in range(children):
        position = _after(schema, position)
    return position


def _bounds(group: dict[int, Any], column: str) -> tuple[str, ...] | None:
    for chunk in group[_COLUMNS]:
        meta = chunk[_META_DATA]
        if [part.decode() for part in meta[_PATH]] != [column]:
            continue
        statistics = meta.get(_STATISTICS, {})
        if statistics.get(_NULL_COUNT) == meta[_NUM_VALUES]:
            return ()
        if _MIN_VALUE in statistics and _MAX_VALUE in statistics:
            return tuple(sorted({statistics[_MIN_VALUE].decode(), statistics[_MAX_VALUE].decode()}))
        return None
    return ()


class _Reader:
    """Thrift's compact protocol: structs become dicts by field number, text stays bytes."""

    def __init__(self, data: bytes) -> None:
        self._data, self._at = data, 0
        self._scalars: dict[int, Callable[[], Any]] = {
            3: lambda: self._take(1)[0],
            4: self._zigzag,
            5: self._zigzag,
            6: self._zigzag,
            7: lambda: self._take(8),
            8: lambda: self._take(self._varint()),
            9: self._list,
            10: self._list,
            12: self.struct,
        }

    def struct(self, last: int | None = None) -> dict[int, Any]:
        """All fields, or those up to the field `last`."""
        fields: dict[int, Any] = {}
        number = 0
        while header := self._take(1)[0]:
            kind, delta = header & 0x0F, header >> 4
            number = number + delta if delta else self._zigzag()
            fields[number] = kind == 1 if kind in (1, 2) else self._scalars[kind]()
            if number == last:
                break
        return fields

    def _list(self) -> list[Any]:
        header = self._take(1)[0]
        kind, size = header & 0x0F, header >> 4
        if size == 15:
            size = self._varint()
        if kind in (1, 2):
            return [self._take(1)[0] == 1 for _ in range(size)]
        return [self._scalars[kind]() for _ in range(size)]

    def _take(self, count: int) -> bytes:
        taken = self._data[self._at : self._at + count]
        if len(taken) < count:
            raise IndexError("the footer ends too early")
        self._at += count
        return taken

    def _varint(self) -> int:
        value = shift = 0
        while True:
            byte = self._take(1)[0]
            value |= (byte & 0x7F) << shift
            if byte < 0x80:
                return value
            shift += 7

    def _zigzag(self) -> int:
        value = self._varint()
        return (value >> 1) ^ -(value & 1)
