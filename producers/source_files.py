"""Opens what events are read from: a file or standard input, plain or gzip, and tells what is in it."""

import gzip
import hashlib
import io
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal, cast, get_args

from producers.access_log import looks_like_access_log

Format = Literal["ndjson", "csv", "parquet", "access-log"]
FORMATS: tuple[Format, ...] = get_args(Format)
STDIN = "-"
_GZIP = b"\x1f\x8b"
_PARQUET = b"PAR1"
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
    """The source's content, unpacked when it is gzip. `-` is standard input. Raises SourceError.

    `share` is told of the file.
    """
    if path == STDIN:
        yield _unpacked(cast("io.BufferedReader", sys.stdin.buffer))
        return
    try:
        raw = io.FileIO(path)
    except FileNotFoundError as error:
        raise SourceError(f"There is no file {path}.") from error
    except OSError as error:
        raise SourceError(f"Cannot open {path}: {error.strerror}.") from error
    if share is not None:
        share.watch(raw)
    with _buffered(raw) as file:
        try:
            yield _unpacked(file)
        except (gzip.BadGzipFile, EOFError) as error:
            raise SourceError(f"{path} is no whole gzip file: {error}. Fetch or pack it again.") from error


def _unpacked(file: io.BufferedReader) -> io.BufferedReader:
    if file.peek(2)[:2] == _GZIP:
        return _buffered(gzip.GzipFile(fileobj=file))
    return file


def _buffered(raw: io.FileIO | gzip.GzipFile) -> io.BufferedReader:
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
    line = next((line for line in head.removeprefix(b"\xef\xbb\xbf").splitlines() if line.strip()), b"")
    if not line or line.lstrip().startswith(b"{"):
        return "ndjson"
    if looks_like_access_log(line):
        return "access-log"
    if b"event_type" in line.split(b"{")[0] and b"," in line:
        return "csv"
    # The first line may be the broken one.
    if any(looks_like_access_log(line) for line in head.splitlines()):
        return "access-log"
    raise UnknownFormatError(
        f"{name} is neither NDJSON, CSV with a column event_type, Parquet nor a combined access log "
        f"(it begins with {line[:60]!r}). Name its format with --format {'|'.join(FORMATS)}."
    )
