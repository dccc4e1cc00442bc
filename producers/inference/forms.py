"""What form a sample has: CSV and its delimiter, NDJSON or Parquet (pure)."""

import csv
import re
from typing import NamedTuple

from producers.inference.model import InferenceError
from producers.sources.access_log import looks_like_access_log
from producers.sources.definition import SourceFormat

HEAD_BYTES = 65_536
_DELIMITERS = (",", "\t", ";", "|")
_ARCHIVES = {
    b"PK\x03\x04": "unzip",
    b"\x28\xb5\x2f\xfd": "zstd -d",
    b"\xfd7zXZ": "xz -d",
    b"BZh": "bzip2 -d",
}
_VALUE = re.compile(
    r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?|\d{4}-\d{2}-\d{2}.*|\d{1,2}[./]\d{1,2}[./]\d{4}.*"
)


class Form(NamedTuple):
    """How a file is written; the delimiter is CSV's."""

    format: SourceFormat
    delimiter: str = ","


def form_of(head: bytes, name: str) -> Form:
    """The form of a file that begins like this. Raises InferenceError."""
    if head.startswith(b"PAR1"):
        return Form("parquet")
    unpack = next((tool for magic, tool in _ARCHIVES.items() if head.startswith(magic)), None)
    if unpack is not None:
        raise InferenceError(f"{name} is packed. Unpack it first: {unpack}")
    start = head.lstrip()
    if not start:
        raise InferenceError(f"{name} is empty. A sample needs a line that names the columns, and rows.")
    if start.startswith(b"["):
        raise InferenceError(
            f"{name} is one JSON document, and no JSON object a line. Convert it: jq -c '.[]' {name}"
        )
    if start.startswith(b"{"):
        return Form("ndjson")
    if looks_like_access_log(start.splitlines()[0]):
        raise InferenceError(
            f"{name} is a web server's access log, which has a contract already. See: penstock "
            "produce replay --format access-log"
        )
    if b"\0" in head:
        raise InferenceError(f"{name} is not text. A sample is CSV, NDJSON (one object a line) or Parquet.")
    return Form("csv", _delimiter(head.decode("utf-8", "replace")))


def _delimiter(text: str) -> str:
    """The character that splits the first lines into the same number of cells, at least two."""
    lines = text.splitlines()[:20]
    lines = lines[:-1] if len(lines) > 2 and len(text) >= HEAD_BYTES else lines
    best, score = ",", (0.0, 0)
    for delimiter in _DELIMITERS:
        try:
            widths = [len(row) for row in csv.reader(lines, delimiter=delimiter) if row]
        except csv.Error:
            continue
        if not widths or widths[0] < 2:
            continue
        same = sum(width == widths[0] for width in widths) / len(widths)
        if (same, widths[0]) > score:
            best, score = delimiter, (same, widths[0])
    return best


def require_names(columns: list[str], name: str) -> None:
    """Raise InferenceError for a first line that holds values, and for names that no source could have."""
    values = [column for column in columns if _VALUE.fullmatch(column.strip())]
    # A table may have a column for each year; a first line of values has a text at most here and there.
    if values and len(values) * 2 >= len(columns) - 1:
        raise InferenceError(
            f"The first line of {name} holds values ({values[0]!r}) and no names. Put a line in front that "
            "names the columns."
        )
    bad = next((column for column in columns if not column.isprintable()), None)
    if bad is not None:
        raise InferenceError(f"{name} has a column called {bad!r}, with a character that is not printable.")
