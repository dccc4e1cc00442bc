"""Opens what events are read from: a file or standard input, plain or gzip, and finds its format."""

import gzip
import hashlib
import io
import os
import sys
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal, cast, get_args

from producers.contracts.printing import printable
from producers.sources.access_log import looks_like_access_log
from producers.sources.encoding import Transcoded, marked, unmarked_utf16

Format = Literal["ndjson", "csv", "parquet", "access-log"]
FORMATS: tuple[Format, ...] = get_args(Format)
STDIN = "-"
_GZIP = b"\x1f\x8b"
_PARQUET = b"PAR1"
_OTHER_ARCHIVES = {
    b"PK\x03\x04": "unzip",
    b"\x28\xb5\x2f\xfd": "zstd -d",
    b"\xfd7zXZ": "xz -d",
    b"BZh": "bzip2 -d",
}
DAMAGED_GZIP = (gzip.BadGzipFile, EOFError, zlib.error)
"""What reading a file raises that is packed with gzip and damaged, or cut off."""
_SNIFFED_BYTES = 65_536


class SourceError(Exception):
    """The source as a whole cannot be read; the message says why and what to do."""


class UnknownFormatError(SourceError):
    """The content is of no format that is known."""


class Share:
    """How much of a file has been read, from 0 to 1, by its bytes as they lie there; 0 for a pipe."""

    def __init__(self) -> None:
        self._file: io.FileIO | None = None
        self._size = 0

    def watch(self, file: io.FileIO) -> None:
        """From now on it is about this file."""
        self._file, self._size = file, os.fstat(file.fileno()).st_size

    def __call__(self) -> float:
        """The share."""
        if self._file is None or not self._size:
            return 0.0
        return 1.0 if self._file.closed else self._file.tell() / self._size


@contextmanager
def opened(path: str, share: Share | None = None) -> Iterator[io.BufferedReader]:
    """The source's content: unpacked when it is gzip, in UTF-8 and without a byte-order mark when it is text.
    `-` is standard input.

    `share` is called with the file. Raises SourceError.
    """
    if path == STDIN:
        with _whole("stdin"):
            yield _as_utf8(_unpacked(cast("io.BufferedReader", sys.stdin.buffer)), "stdin")
        return
    name = shown_path(path)
    try:
        raw = io.FileIO(path)
    except FileNotFoundError as error:
        raise SourceError(f"There is no file {name}.") from error
    except (OSError, ValueError) as error:
        raise SourceError(f"Cannot open {name}: {getattr(error, 'strerror', error)}.") from error
    if share is not None:
        share.watch(raw)
    with _buffered(raw) as file, _whole(name):
        yield _as_utf8(_unpacked(file), name)


@contextmanager
def _whole(name: str) -> Iterator[None]:
    try:
        yield
    except DAMAGED_GZIP as error:
        raise SourceError(f"{name} is not a whole gzip file: {error}. Fetch or pack it again.") from error


def shown_path(path: str) -> str:
    """The path as text that any terminal and any JSON takes."""
    return printable(path.encode("utf-8", "backslashreplace").decode())


def _unpacked(file: io.BufferedReader) -> io.BufferedReader:
    if file.peek(2)[:2] == _GZIP:
        return _buffered(gzip.GzipFile(fileobj=file))
    return file


def _as_utf8(content: io.BufferedReader, name: str) -> io.BufferedReader:
    head = content.peek(64)
    found = marked(head)
    if found is not None:
        mark, encoding = found
        content.read(len(mark))
        return content if encoding == "utf-8" else _buffered(Transcoded(content, encoding))
    encoding_guess = None if head.startswith(_PARQUET) else unmarked_utf16(head)
    if encoding_guess is not None:
        raise SourceError(
            f"{name} looks like {encoding_guess.upper()} without a byte-order mark. "
            f"Convert it: iconv -f {encoding_guess.upper()} -t UTF-8"
        )
    return content


def _buffered(raw: io.RawIOBase | gzip.GzipFile) -> io.BufferedReader:
    return cast("io.BufferedReader", io.BufferedReader(raw, 1 << 20))


def content_identity(path: str) -> bytes | None:
    """SHA-256 of the unpacked content: the same for a copy under any name, packed or not. None for a pipe."""
    if path == STDIN:
        return None
    with opened(path) as content:
        return hashlib.file_digest(content, "sha256").digest()


def sniff(content: io.BufferedReader, name: str) -> Format:
    """What the content is, from its first bytes, which stay unread. Raises UnknownFormatError."""
    head = content.peek(_SNIFFED_BYTES)
    if head.startswith(_PARQUET):
        return "parquet"
    line = next((line for line in head.splitlines() if line.strip()), b"")
    if not line or line.lstrip().startswith(b"{"):
        return "ndjson"
    if looks_like_access_log(line):
        return "access-log"
    if b"event_type" in line.split(b"{")[0] and b"," in line:
        return "csv"
    # The first line may be the broken one.
    if any(looks_like_access_log(line) for line in head.splitlines()):
        return "access-log"
    unpack = next((tool for magic, tool in _OTHER_ARCHIVES.items() if head.startswith(magic)), None)
    if unpack is not None:
        raise UnknownFormatError(f"{name} is packed. Unpack it first: {unpack}")
    raise UnknownFormatError(
        f"{name} is neither NDJSON, CSV with a column event_type, Parquet nor an access log "
        f"(it begins with {line[:60]!r}). Name its format with --format {'|'.join(FORMATS)}."
    )
