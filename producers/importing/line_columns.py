"""Columns of events as lines: what `LineWriter` writes of each, written for all of them at once (pure)."""

from datetime import UTC, datetime, timedelta
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, TypeAlias

from producers.sources.results import EventColumns

if TYPE_CHECKING:
    import numpy as np

    Bytes: TypeAlias = np.ndarray[Any, np.dtype[np.uint8]]

POSSIBLE = find_spec("numpy") is not None
"""Without numpy rows are read one by one: a Lambda function with Arrow and DuckDB has no room for it."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_HOUR_MS = 3_600_000
_ZERO = ord("0")
_PLACES = {"file": 4, "row": 12}
"""Hexadecimal digits of a place."""


def lines_of(file: int, columns: EventColumns) -> list[bytes]:
    """The lines of these events of the file with this number."""
    import pyarrow as pa
    import pyarrow.compute as pc

    kind = columns.event_type
    times = _times(columns.event_us.to_numpy() // 1000)
    of_type = f"\t{kind.name}\t{kind.version}\t".encode()
    lines: list[bytes] = pc.binary_join_element_wise(
        _fixed(times[:, :13], b"\t"),
        pa.array(columns.event_ids, pa.string()).cast(pa.binary()),
        _fixed(b"\t", _places(file, columns), b"\t", times[:, 13:], of_type),
        columns.data,
        b"\n",
        b"",
    ).to_pylist()
    return lines


def _fixed(*parts: "Bytes | bytes") -> Any:
    """Texts of one width, side by side, as an Arrow array. A part is a row for each, or the same for all."""
    import numpy as np
    import pyarrow as pa

    count = next(len(part) for part in parts if not isinstance(part, bytes))
    blocks = [
        np.tile(np.frombuffer(part, np.uint8), (count, 1)) if isinstance(part, bytes) else part
        for part in parts
    ]
    block = np.ascontiguousarray(np.hstack(blocks))
    width = block.shape[1]
    kind = pa.binary(width)
    return pa.Array.from_buffers(kind, count, [None, pa.py_buffer(block)]).cast(pa.binary())


def _times(event_ms: "np.ndarray[Any, Any]") -> "Bytes":
    """Of each time the 13 characters of its event hour, and behind them the 24 of its text."""
    import numpy as np

    hours, of_hour = np.unique(event_ms // _HOUR_MS, return_inverse=True)
    texts = [f"{_EPOCH + timedelta(hours=hour):%Y-%m-%d-%H%Y-%m-%dT%H}" for hour in hours.tolist()]
    known = np.frombuffer("".join(texts).encode(), np.uint8).reshape(len(texts), 26)
    left = event_ms % _HOUR_MS
    parts = ((left // 60_000, 2), (left // 1000 % 60, 2), (left % 1000, 3))
    found = np.empty((len(event_ms), 37), np.uint8)
    found[:, :26] = known[of_hour]
    at = 26
    for mark, (values, digits) in zip(b"::.", parts, strict=True):
        found[:, at] = mark
        for digit in range(digits):
            found[:, at + digits - digit] = values // 10**digit % 10 + _ZERO
        at += digits + 1
    found[:, at] = ord("Z")
    return found


def _places(file: int, columns: EventColumns) -> "Bytes":
    """Of each event 16 characters: `FilePlace` as `LineWriter` has it."""
    import numpy as np

    hexadecimal = np.frombuffer(b"0123456789abcdef", np.uint8)
    rows = columns.rows.to_numpy()
    found = np.empty((len(rows), sum(_PLACES.values())), np.uint8)
    found[:, : _PLACES["file"]] = np.frombuffer(f"{file:04x}".encode(), np.uint8)
    for digit in range(_PLACES["row"]):
        found[:, -1 - digit] = hexadecimal[rows >> 4 * digit & 15]
    return found
