"""Data frames for analysts, and their page: its code runs, and prints what stands there."""

import ast
import contextlib
import io
import re
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pytest

from infra.local.cloud import LocalCloud
from queries.analysts.frames import Athena, PeriodError, ReadFailedError, _advised, read_events, read_report
from queries.analysts.types import arrow_type
from queries.engine.trino_types import trino_type
from queries.refresh.catalog import UnknownReportError
from queries.store.event_views import event_views
from tests.queries.cloud import Chain
from tests.queries.events import order_placed, page_viewed
from tests.shop import SHOP, TABLES

# What pandas tells awswrangler, not us.
ATHENA = Athena(SHOP)
pytestmark = pytest.mark.filterwarnings("ignore::pandas.errors.Pandas4Warning")

PAGE = Path(__file__).parents[3] / "docs" / "analysts.md"
DAY = "2024-11-24"
MINE = "analysts-page"
FENCE = re.compile(r"```(python|text)\n(.*?)```", re.DOTALL)


def events() -> list[dict[str, Any]]:
    """What docs/analysts.md speaks of: 240 page views and 24 orders in three hours."""
    found = []
    for hour, busy in (("10", 60), ("11", 80), ("12", 100)):
        name = f"{DAY}-{hour}"
        found += [
            page_viewed(
                name,
                number,
                producer=MINE,
                status=200 if number % 20 else 404,
                bytes_sent=1000 + number,
            )
            for number in range(1, busy + 1)
        ]
        found += [
            order_placed(name, number, producer=MINE, currency="EUR" if number % 4 else "USD")
            for number in range(busy + 1, busy + 9)
        ]
    return found


@pytest.fixture(scope="module")
def chain(local_cloud: LocalCloud) -> Chain:
    chain = Chain.of(local_cloud)
    chain.put([*events(), *events()[:30]])
    chain.deliver()
    chain.refresh()
    return chain


@pytest.fixture
def here(chain: Chain, monkeypatch: pytest.MonkeyPatch) -> Iterator[Chain]:
    for name in ("AWS_PROFILE", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    for name, value in chain.cloud.environment().items():
        monkeypatch.setenv(name, value)
    yield chain


def said_by(code: str, names: dict[str, Any]) -> str:
    """What a notebook shows for a cell: what it prints, and the value of its last line."""
    tree, out = ast.parse(code), io.StringIO()
    last = tree.body.pop() if isinstance(tree.body[-1], ast.Expr) else None
    with contextlib.redirect_stdout(out):
        exec(compile(tree, "<cell>", "exec"), names)
        if last is not None and isinstance(last, ast.Expr):
            value = eval(compile(ast.Expression(last.value), "<cell>", "eval"), names)
            if value is not None:
                out.write(f"{value}\n")
    return out.getvalue()


@pytest.mark.cloud
def test_the_page_shows_what_its_code_prints(here: Chain) -> None:
    blocks = FENCE.findall(PAGE.read_text(encoding="utf-8"))
    assert [kind for kind, _ in blocks] == ["python", "text"] * (len(blocks) // 2)
    names: dict[str, Any] = {}
    for (_, code), (_, shown) in zip(blocks[::2], blocks[1::2], strict=True):
        assert lines(said_by(code, names)) == lines(shown)


def lines(text: str) -> list[str]:
    """Without the blanks that pandas puts at the ends of lines."""
    return [line.rstrip() for line in text.strip().splitlines()]


def test_the_page_names_every_view_with_its_own_columns() -> None:
    text = PAGE.read_text(encoding="utf-8")
    every = {column.name for column in event_views(TABLES)["producer_audited"].columns} - {
        "producer",
        "last_seq",
        "closed",
    }
    for view in event_views(TABLES).values():
        own = [column.name for column in view.columns if column.name not in every]
        assert f"| `{view.name}` | {', '.join(f'`{name}`' for name in own)} |" in text


@pytest.mark.cloud
def test_events_come_once_in_order_and_with_the_types_of_their_view(here: Chain) -> None:
    frame = read_events("page_viewed", f"{DAY}-10", f"{DAY}-11", athena=ATHENA)
    assert len(frame) == 140
    assert frame["event_id"].is_unique
    assert frame["event_time"].is_monotonic_increasing
    expected = {c.name: arrow_type(trino_type(c.type)) for c in event_views(TABLES)["page_viewed"].columns}
    assert {name: kind.pyarrow_dtype for name, kind in frame.dtypes.items()} == expected
    assert frame.attrs["bytes_scanned"] > 0


@pytest.mark.cloud
def test_fewer_columns_scan_fewer_bytes(here: Chain) -> None:
    few = read_events("page_viewed", DAY, DAY, ["path"], athena=ATHENA)
    every = read_events("page_viewed", DAY, DAY, athena=ATHENA)
    assert list(few.columns) == ["path"]
    assert len(few) == len(every) == 240
    assert few.attrs["bytes_scanned"] < every.attrs["bytes_scanned"]


@pytest.mark.cloud
def test_a_period_without_rows_has_every_column_in_its_type(here: Chain) -> None:
    frame = read_events("order_placed", "2003-01-01", date(2003, 1, 2), athena=ATHENA)
    assert frame.empty
    assert frame["total_minor"].dtype == pd.ArrowDtype(pa.int64())
    assert frame["event_time"].dtype == pd.ArrowDtype(pa.timestamp("ms"))
    report = read_report("top_pages_by_day", "2003-01-01", "2003-01-02", athena=ATHENA)
    assert list(report.columns) == ["path", "page_views", "visitors", "event_date"]


@pytest.mark.cloud
def test_a_moment_with_a_zone_means_its_hour_in_utc(here: Chain) -> None:
    moment = datetime(2024, 11, 24, 10, 59, tzinfo=UTC)
    assert len(read_report("traffic_by_hour", moment, moment, athena=ATHENA)) == 1
    assert len(read_report("top_pages_by_day", moment, moment, athena=ATHENA)) == 3


@pytest.mark.cloud
def test_what_athena_refuses_is_said_with_its_reason(here: Chain) -> None:
    with pytest.raises(ReadFailedError, match="Schema 'nowhere' does not exist"):
        read_report("traffic_by_hour", DAY, DAY, athena=Athena(SHOP, database="nowhere"))


def test_a_query_over_the_byte_limit_says_what_to_do() -> None:
    reason = "BYTES_SCANNED_LIMIT: Bytes scanned limit was exceeded"
    assert _advised(reason) == f"{reason} Ask for fewer hours or fewer columns."


def test_an_unknown_report_is_answered_with_those_there_are() -> None:
    with pytest.raises(UnknownReportError, match="There is no report 'nosuch'"):
        read_report("nosuch", DAY, DAY, athena=ATHENA)


@pytest.mark.parametrize(
    ("first", "last", "says"),
    [
        (DAY, "2024-11-23", "ends .* before it begins"),
        ("yesterday", DAY, "'yesterday' is neither an hour nor a day. Write 2026-11-24-10 or 2026-11-24"),
        (datetime(2024, 11, 24), DAY, "has no zone"),
        ("2024-11-24-10' OR '1'='1", DAY, "is neither an hour nor a day"),
    ],
)
def test_a_period_that_makes_no_sense_is_refused_before_anything_runs(
    first: Any, last: Any, says: str
) -> None:
    with pytest.raises(PeriodError, match=says):
        read_report("traffic_by_hour", first, last, athena=ATHENA)


@pytest.mark.parametrize(
    ("declared", "kind"),
    [
        ("decimal(10,2)", pa.decimal128(10, 2)),
        ("date", pa.date32()),
        ("map(varchar, array(double))", pa.map_(pa.string(), pa.list_(pa.field("element", pa.float64())))),
        (
            "row(a bigint, b row(c varchar))",
            pa.struct([("a", pa.int64()), ("b", pa.struct([("c", pa.string())]))]),
        ),
    ],
)
def test_declared_types_have_an_arrow_type(declared: str, kind: pa.DataType) -> None:
    assert arrow_type(declared) == kind


def test_a_type_that_nothing_declares_is_refused_by_name() -> None:
    with pytest.raises(TypeError, match="tdigest"):
        arrow_type("tdigest")


def test_neither_the_query_function_nor_the_command_loads_what_analysts_need() -> None:
    code = (
        "import sys, queries.handler, queries.service, queries.commands.cli\n"
        "print([n for n in ('awswrangler', 'pandas', 'pyarrow', 'queries.analysts.frames') if n in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
