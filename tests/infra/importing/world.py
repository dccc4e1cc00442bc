"""A lake bucket in memory, sources and files, and imports into it that can be killed at any call."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from infra.importing.here import Here
from infra.importing.session import OnChange, Outcome, Places, Session
from producers.sources.definition import parse_source
from producers.sources.reader import SourceReader
from tests.shop import TABLE
from transforms.failed.bucket import ObjectName
from transforms.gate.gate import Gate
from transforms.importing.rows import RowMaker, Sender
from transforms.importing.writing import PartWriter

VIEWS = """\
-- source: views
-- title: Page views of a file
-- owner: tests
-- stream: web
-- event: page_viewed
-- format: csv
-- key: number
-- event_time: ts
SELECT url, status, client AS client_address FROM file
"""
HEAD: Mapping[str, Any] = {
    "producer_id": "import-views",
    "epoch": 1_796_000_000_000,
    "arrival_ms": 1_796_000_000_000,
}


class KilledError(BaseException):
    """The process has ended."""


class Bucket:
    """Objects by key. `before` is called before each call, and may end the process."""

    def __init__(self, before: Callable[[], None] = lambda: None) -> None:
        self.bodies: dict[str, bytes] = {}
        self.puts = 0
        self.before = before

    def names(self, prefix: str) -> Iterator[ObjectName]:
        self.before()
        found = sorted(key for key in self.bodies if key.startswith(prefix))
        return iter([ObjectName(key, "", len(self.bodies[key])) for key in found])

    def get(self, key: str) -> bytes | None:
        self.before()
        return self.bodies.get(key)

    def put(self, key: str, data: bytes) -> None:
        self.before()
        self.bodies[key] = data
        self.puts += 1
        self.before()

    def delete(self, key: str) -> None:
        self.before()
        self.bodies.pop(key, None)


def row(number: int, *, hour: int | None = None, url: str = "/a", status: str = "200") -> str:
    """A row of the file: 50 of them share an hour."""
    at = number // 50 if hour is None else hour
    return (
        f"{number},2013-01-{1 + at // 24:02d}T{at % 24:02d}:{number % 60:02d}:00Z,{url},{status},198.51.100.7"
    )


def write(path: Path, rows: Sequence[str]) -> str:
    """A CSV file of these rows."""
    path.write_text("\n".join(["number,ts,url,status,client", *rows]) + "\n")
    return str(path)


def run_import(
    bucket: Bucket,
    folder: Path,
    files: Sequence[str],
    *,
    source: str = VIEWS,
    notified: list[str] | None = None,
    head: Mapping[str, Any] = HEAD,
    pause: Callable[[], None] = lambda: None,
    on_change: OnChange = "keep",
) -> Outcome:
    """Import the files; `pause` is called at every report of progress and before anybody is notified."""
    definition = parse_source(source, "sources/views.sql")
    maker = RowMaker(TABLE, Gate(TABLE, key_id="k1", key=b"k" * 32))

    def notify(keys: Sequence[str]) -> None:
        pause()
        if notified is not None:
            notified.extend(keys)

    def pool(sender: Sender, _: int) -> Here:
        return Here(PartWriter(bucket, TABLE, maker, sender))

    places = Places(bucket, TABLE, maker, pool, notify)
    with SourceReader(definition, TABLE.stream) as reader:
        session = Session(folder, places, lambda _: pause(), on_change=on_change)
        return session.run(reader, definition.name, files, head)
