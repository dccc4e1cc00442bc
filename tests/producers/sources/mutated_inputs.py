"""Good input, damaged by chance: bytes, encodings, sizes, names. The same seed gives the same file."""

import gzip
import io
import json
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import NamedTuple

from producers.simulation.simulator import Simulation
from tests.shop import WEB

ROWS = 40
MARK = re.compile(rb"/mark-\d{4}-end")
_START = datetime(2024, 3, 14, 10, tzinfo=UTC)


class Mutated(NamedTuple):
    """A file: where it is, what it was made of and how, and the marks of its rows that are still whole.

    `marks` is None where the text cannot be looked at from outside. `rows` counts the lines of NDJSON.
    """

    path: Path
    form: str
    how: str
    marks: frozenset[bytes] | None
    rows: int | None = None


def _mark(number: int) -> str:
    return f"/mark-{number:04}-end"


def _log() -> bytes:
    return "".join(
        f'192.0.2.{n} - - [14/Mar/2024:10:{n:02}:00 +0000] "GET {_mark(n)} HTTP/1.1" 200 10 "-" "curl/8"\n'
        for n in range(ROWS)
    ).encode()


def _bare() -> bytes:
    return b"".join(
        json.dumps(
            {
                "event_type": "page_viewed",
                "event_time": (_START + timedelta(minutes=n)).isoformat(),
                "url": _mark(n),
                "client_address": f"192.0.2.{n}",
                "status": 200,
            }
        ).encode()
        + b"\n"
        for n in range(ROWS)
    )


def _whole() -> bytes:
    records = Simulation(WEB, 7, ROWS, _START, timedelta(hours=1), 0, 0, 0).records()
    return b"".join(record.data + b"\n" for record in records)


def _csv() -> bytes:
    rows = [f'page_viewed,2024-03-14T10:{n:02}:00Z,{_mark(n)},192.0.2.{n},200,"curl, 8"' for n in range(ROWS)]
    return "\n".join(["event_type,event_time,url,client_address,status,user_agent", *rows, ""]).encode()


def _parquet() -> bytes:
    import pyarrow as pa
    import pyarrow.parquet as pq

    rows = [
        {
            "event_type": "page_viewed",
            "event_time": _START + timedelta(minutes=n),
            "url": _mark(n),
            "client_address": f"192.0.2.{n}",
            "status": 200,
        }
        for n in range(ROWS)
    ]
    sink = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(rows), sink, row_group_size=10)
    return sink.getvalue()


BASES: dict[str, Callable[[], bytes]] = {
    "a.log": _log,
    "bare.ndjson": _bare,
    "whole.ndjson": _whole,
    "a.csv": _csv,
    "a.parquet": _parquet,
}


def _flip(data: bytes, random: Random) -> bytes:
    changed = bytearray(data)
    for _ in range(random.randrange(1, 12)):
        changed[random.randrange(len(changed))] = random.randrange(256)
    return bytes(changed)


def _insert(data: bytes, random: Random) -> bytes:
    at = random.randrange(len(data))
    pieces = (
        b'"',
        b"\x00",
        b"\xff\xfe",
        b"\xed\xa0\x80",
        b"[" * 2000,
        b"{" * 2000,
        b"9" * 5000,
        b"\r",
        b"\\u",
        b",",
    )
    return data[:at] + random.choice(pieces) + data[at:]


def _cut(data: bytes, random: Random) -> bytes:
    return data[: random.randrange(len(data))]


def _drop(data: bytes, random: Random) -> bytes:
    at = random.randrange(len(data))
    return data[:at] + data[at + random.randrange(1, 200) :]


def _repeat(data: bytes, random: Random) -> bytes:
    at = random.randrange(len(data))
    return data[:at] + data[at : at + random.randrange(1, 400)] * random.randrange(2, 5) + data[at:]


def _huge(data: bytes, random: Random) -> bytes:
    at = random.randrange(len(data))
    return (
        data[:at]
        + random.choice((b"x", b'"', b"\x00", b"\n")) * random.choice((140_000, 3_000_000))
        + data[at:]
    )


def _encoded(data: bytes, random: Random) -> bytes:
    text = data.decode("utf-8", "replace").replace("curl", "cürl")
    return text.encode(
        random.choice(("utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "latin-1")), "replace"
    )


def _as_it_was(data: bytes, _: Random) -> bytes:
    return data


MUTATIONS = (_flip, _insert, _cut, _drop, _repeat, _huge, _encoded, _as_it_was)
_NAMES = ("plain", "x" * 240, "caf\udce9", "a\x1b[31mb", "-dash", "with space", "..%2f")


def mutated(seed: int, folder: Path) -> Mutated:
    """The file of this seed."""
    random = Random(seed)
    form = random.choice(list(BASES))
    mutate, outer = random.choice(MUTATIONS), random.random()
    data = mutate(BASES[form](), random)
    # A name of a field that is damaged is an unknown field, which the contract ignores: its value may go.
    whole = form in ("a.log", "a.csv") and mutate not in (_encoded, _huge)
    rows = len([line for line in data.split(b"\n") if line.strip()]) if form.endswith("ndjson") else None
    marks = frozenset(MARK.findall(data)) if whole else None
    how = mutate.__name__
    if outer < 0.3:
        data, how = gzip.compress(data), f"gzip of {how}"
        if outer < 0.15:
            data, how = random.choice((_flip, _cut))(data, random), f"damaged {how}"
            marks = rows = None
    path = folder / f"{random.choice(_NAMES)}-{form}"
    path.write_bytes(data)
    return Mutated(path, form, how, marks, None if mutate is _encoded else rows)


def mutated_text(seed: int, text: bytes, path: Path) -> Path:
    """A report or a definition, damaged the same way."""
    random = Random(seed)
    path.write_bytes(random.choice(MUTATIONS)(text, random))
    return path
