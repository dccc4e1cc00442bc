"""The read API in one process: its ledger and bucket in memory, its files real Parquet."""

import base64
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from io import BytesIO
from types import SimpleNamespace
from typing import Any
from urllib.parse import urlencode

import pyarrow as pa
import pyarrow.parquet as pq
from msgspec.structs import replace

from queries.api.reading import handler
from queries.api.reading.duckdb_rows import DuckDbRows
from queries.api.reading.port import Object
from queries.api.reading.reading import Reading
from queries.api.reading.row_rules import RowRule
from queries.contracts import Report, parse_header
from queries.ledger.state import Input, PartitionState, Published

NOW = 1_800_000_000_000
SALES = parse_header(
    """-- report: sales
-- title: Sales
-- owner: shop
-- source: web_events
-- grain: event_hour
-- columns: country varchar, product varchar, orders bigint, share double, amount decimal(12, 2), day date, at timestamp, is_new boolean, items integer
-- keys: country, product
SELECT 1
""",
    "sales.sql",
)
PLAIN = parse_header(
    "-- report: plain\n-- title: Plain\n-- owner: shop\n-- source: web_events\n-- grain: event_date\n"
    "-- columns: name varchar\n-- keys: name\nSELECT 1\n",
    "plain.sql",
)
RULES = {
    "sales": RowRule("country", {"emea": ("DE", "FR"), "apac": ("JP",), "board": (), "odd": ("it's, \"",)}),
}
_ARROW = {
    "varchar": pa.string(), "bigint": pa.int64(), "double": pa.float64(), "decimal(12,2)": pa.decimal128(12, 2),
    "date": pa.date32(), "timestamp": pa.timestamp("ms"), "boolean": pa.bool_(), "integer": pa.int32(),
}  # fmt: skip


class MemoryStandings:
    """`Standings`."""

    def __init__(self) -> None:
        self.states: dict[tuple[str, str], PartitionState] = {}
        self.reads = self.given = 0

    def newest(self, report: str, limit: int) -> Sequence[PartitionState]:
        return self._of(report)[::-1][:limit]

    def between(self, report: str, first: str, last: str, limit: int) -> Sequence[PartitionState]:
        assert first <= last, "DynamoDB refuses such a range"
        found = [state for state in self._of(report) if first <= state.partition <= last][:limit]
        self.given += len(found)
        return found

    def _of(self, report: str) -> list[PartitionState]:
        self.reads += 1
        return [self.states[key] for key in sorted(self.states) if key[0] == report]


@dataclass
class MemoryObjects:
    """`Objects`."""

    kept: dict[str, bytes] = field(default_factory=dict)
    fetched: list[str] = field(default_factory=list)

    def below(self, prefix: str) -> Sequence[Object]:
        return [Object(key, len(self.kept[key])) for key in sorted(self.kept) if key.startswith(prefix)]

    def read(self, keys: Sequence[str]) -> Sequence[bytes]:
        self.fetched += keys
        return [self.kept[key] for key in keys]

    def address(self, key: str, seconds: int) -> str:
        return f"https://bucket/{key}?expires={seconds}"


@dataclass(frozen=True)
class Answer:
    status: int
    headers: Mapping[str, str]
    body: str

    @property
    def json(self) -> Any:
        return json.loads(self.body)


def parquet(report: Report, rows: Sequence[Mapping[str, Any]], without: str = "") -> bytes:
    columns = [column for column in report.columns if column.name != without]
    schema = pa.schema([(column.name, _ARROW[column.type]) for column in columns])
    written = BytesIO()
    pq.write_table(pa.Table.from_pylist(list(rows), schema=schema), written, compression="snappy")
    return written.getvalue()


class World:
    """Reports whose partitions a test publishes, asked as the gateway asks."""

    def __init__(self, reports: Sequence[Report] = (SALES, PLAIN), like: "World | None" = None) -> None:
        """With nothing read yet; what was published in a world `like` it is there too."""
        self.standings: MemoryStandings = like.standings if like else MemoryStandings()
        self.fence: int = like.fence if like else 0
        self.objects: MemoryObjects = MemoryObjects(like.objects.kept if like else {})
        self.reader = DuckDbRows(self.objects)
        self.reading = Reading(
            {report.name: report for report in reports},
            RULES,
            self.standings,
            self.objects,
            self.reader,
            lambda: NOW,
        )

    def publish(
        self,
        report: Report,
        partition: str,
        rows: Sequence[Mapping[str, Any]],
        *,
        files: int = 1,
        counted: int | None = None,
        without: str = "",
    ) -> Published:
        """A new version of the partition, in so many files."""
        self.fence += 1
        location = f"{report.prefix}run={self.fence}/{report.grain}={partition}/"
        for number in range(files):
            self.objects.kept[f"{location}{number}.parquet"] = parquet(report, rows[number::files], without)
        published = Published(
            location=location,
            fence=self.fence,
            published_at=NOW + self.fence,
            as_of=NOW,
            rows=len(rows) if counted is None else counted,
            input=Input(newest=NOW - 5),
        )
        before = self.standings.states.get((report.name, partition))
        previous = (before.published, *before.previous)[:3] if before and before.published else ()
        self.standings.states[report.name, partition] = PartitionState(
            report=report.name,
            partition=partition,
            published=published,
            previous=tuple(one for one in previous if one),
        )
        return published

    def mark(self, report: Report, partition: str) -> None:
        key = report.name, partition
        state = self.standings.states.get(key) or PartitionState(report=report.name, partition=partition)
        self.standings.states[key] = replace(state, dirty_seq=state.dirty_seq + 1)

    def get(
        self,
        path: str,
        groups: str | None = "viewers board",
        *,
        query: Mapping[str, Any] | str = "",
        method: str = "GET",
        **headers: str,
    ) -> Answer:
        """The answer to somebody in these groups; None: to a program that signs with IAM."""
        raw = query if isinstance(query, str) else urlencode(query, doseq=True)
        who = (
            {"iam": {"userArn": "arn:aws:iam::1:role/reader"}}
            if groups is None
            else {"jwt": {"claims": {"sub": "abc", "cognito:groups": f"[{groups}]"}}}
        )
        prefix = "/iam" if groups is None else "/api"
        event = {
            "version": "2.0",
            "routeKey": "GET /x",
            "rawPath": f"{prefix}{path}",
            "rawQueryString": raw,
            "headers": {name.replace("_", "-"): value for name, value in headers.items()},
            "requestContext": {
                "requestId": "r-1",
                "authorizer": who,
                "http": {"method": method, "path": f"{prefix}{path}"},
                "stage": "$default",
            },
            "isBase64Encoded": False,
        }
        with reading_is(self.reading):
            answer = handler.lambda_handler(event, SimpleNamespace())  # type: ignore[arg-type]
        body = answer.get("body") or ""
        if answer.get("isBase64Encoded"):
            body = base64.b64decode(body).decode()
        told: dict[str, str] = dict(answer.get("headers", {}))
        return Answer(answer["statusCode"], {name.lower(): value for name, value in told.items()}, body)

    def pages(self, path: str, groups: str | None = "viewers board", /, **query: Any) -> Iterator[Answer]:
        """Every page, one after another."""
        cursor: dict[str, str] = {}
        while True:
            answer = self.get(path, groups, query=query | cursor)
            assert answer.status == 200, answer.body
            yield answer
            if answer.json["next"] is None:
                return
            cursor = {"cursor": answer.json["next"]}

    def rows(self, path: str, groups: str | None = "viewers board", /, **query: Any) -> list[dict[str, Any]]:
        """The rows of every page."""
        return [row for page in self.pages(path, groups, **query) for row in page.json["rows"]]


@contextmanager
def reading_is(reading: Reading) -> Iterator[None]:
    """The handler's reports are these."""
    before: Callable[[], Reading] = handler.reading
    handler.reading = lambda: reading  # type: ignore[assignment]
    try:
        yield
    finally:
        handler.reading = before  # type: ignore[assignment]


def sale(country: str | None, product: str, orders: int = 1, **others: Any) -> dict[str, Any]:
    return {"country": country, "product": product, "orders": orders, **others}
