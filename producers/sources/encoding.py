"""The encoding of a source's text: a byte-order mark is read over, UTF-16 and UTF-32 become UTF-8 (pure)."""

import codecs
import io

# UTF-32's little-endian mark begins with UTF-16's.
_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_CHUNK = 1 << 16


def marked(head: bytes) -> tuple[bytes, str] | None:
    """The byte-order mark that the text begins with, and the encoding that it stands for."""
    return next(((mark, name) for mark, name in _MARKS if head.startswith(mark)), None)


def unmarked_utf16(head: bytes) -> str | None:
    """`utf-16-le` or `utf-16-be` for what looks like text in it without a mark: every other byte is NUL."""
    sample = head[:64]
    if len(sample) < 8:
        return None
    even, odd = sample[0::2].count(0), sample[1::2].count(0)
    enough = len(sample) * 3 // 8
    if odd >= enough and not even:
        return "utf-16-le"
    return "utf-16-be" if even >= enough and not odd else None


def not_utf8(error: UnicodeDecodeError) -> str:
    """Why a text in another encoding was refused, and what to do."""
    return (
        f"not UTF-8 (byte 0x{error.object[error.start]:02x}); it looks like Latin-1 or Windows-1252. "
        "Convert the file: iconv -f WINDOWS-1252 -t UTF-8"
    )


class Transcoded(io.RawIOBase):
    """UTF-16 or UTF-32 bytes read as UTF-8. What is not a character comes out as bytes that are not UTF-8, so
    that the line it stands in is found to be unreadable.
    """

    def __init__(self, source: io.BufferedReader, encoding: str) -> None:
        self._source = source
        self._decoder = codecs.getincrementaldecoder(encoding)(_ERRORS)
        self._ready = b""

    def readable(self) -> bool:
        """Always."""
        return True

    def readinto(self, buffer: object) -> int:
        """Fills the buffer; 0 at the end."""
        view = memoryview(buffer)  # type: ignore[arg-type]  # typeshed's WriteableBuffer
        while not self._ready:
            chunk = self._source.read(_CHUNK)
            self._ready = self._decoder.decode(chunk, final=not chunk).encode("utf-8", "surrogatepass")
            if not chunk:
                break
        size = min(len(view), len(self._ready))
        view[:size] = self._ready[:size]
        self._ready = self._ready[size:]
        return size


def _half_a_surrogate(error: UnicodeError) -> tuple[str, int]:
    """Stands for what cannot be decoded: encoded with `surrogatepass`, it is not UTF-8."""
    assert isinstance(error, UnicodeDecodeError)
    return "\udcff", error.end


_ERRORS = "producers.half_a_surrogate"
codecs.register_error(_ERRORS, _half_a_surrogate)
