"""One flat view per event type, and the saved questions over them."""

import base64
import json

import pytest

from infra.local.cloud import LocalCloud
from queries.analysts.adhoc import warnings
from queries.analysts.named_queries import parse_question
from queries.contracts import ReportDefinitionError
from queries.engine.trino_types import struct_members, trino_type
from queries.store.event_views import event_view, event_views
from tests.queries.cloud import Chain
from tests.queries.events import order_placed, page_viewed
from tests.shop import REPORTS, SHOP, TABLES
from transforms.contracts import Column, LakeTable

TABLE = TABLES["web_events"]
HOURS = ("2024-02-29-10", "2024-02-29-11")
MINE = "views-test"


def test_every_delivered_event_type_has_a_view_with_its_own_columns_only() -> None:
    views = event_views(TABLES)
    assert list(views) == [column.name for column in TABLE.payload_columns]
    names = [column.name for column in views["page_viewed"].columns]
    assert (names[0], names[-1]) == ("event_type", "event_hour")
    assert {"url", "path", "user_agent_class", "client_key"} <= set(names)
    assert "user_agent_class" not in {column.name for column in views["order_placed"].columns}
    assert not {"page_viewed", "order_placed"} & set(names)


def test_no_view_has_the_name_of_a_table() -> None:
    assert not event_views(TABLES).keys() & {*REPORTS, *TABLES}


def test_a_payload_field_that_hides_a_column_of_every_event_is_refused_by_name() -> None:
    class Clashing(LakeTable, frozen=True):
        @property
        def payload_columns(self) -> tuple[Column, ...]:
            return (Column("page_viewed", "struct<url:string,source:string>"),)

    with pytest.raises(
        ValueError, match="page_viewed has payload fields that every event has already: source"
    ):
        event_view(Clashing(TABLE.stream), "page_viewed", "web_events")


@pytest.mark.parametrize(
    ("hive", "trino"),
    [
        ("string", "varchar"),
        ("timestamp", "timestamp(3)"),
        (
            "array<struct<a:bigint,b:map<string,array<double>>>>",
            "array(row(a bigint, b map(varchar, array(double))))",
        ),
    ],
)
def test_hive_types_are_written_as_trino_writes_them(hive: str, trino: str) -> None:
    assert trino_type(hive) == trino


def test_struct_members_are_split_at_the_top_level_only() -> None:
    found = list(struct_members("struct<a:array<struct<b:bigint,c:string>>,d:map<string,bigint>>"))
    assert found == [Column("a", "array<struct<b:bigint,c:string>>"), Column("d", "map<string,bigint>")]


def test_the_catalog_holds_a_view_as_athena_writes_it() -> None:
    view = event_views(TABLES)["order_placed"]
    text = view.stored_text("penstock")
    content = json.loads(base64.b64decode(text.removeprefix("/* Presto View: ").removesuffix(" */")))
    assert (content["catalog"], content["schema"]) == ("awsdatacatalog", "penstock")
    assert content["originalSql"] == view.sql
    assert {"name": "total_minor", "type": "bigint"} in content["columns"]


def test_a_question_says_what_its_header_lacks() -> None:
    with pytest.raises(ReportDefinitionError, match=r"questions/x.sql:2: Write '-- says: \.\.\.' here"):
        parse_question("-- title: X\nSELECT 1", "questions/x.sql")


def test_a_query_over_a_view_without_a_bound_on_the_hour_is_warned_of() -> None:
    (warning,) = warnings("SELECT count(*) FROM page_viewed WHERE status = 404", TABLES)
    assert "every hour of page_viewed" in warning
    assert warnings("SELECT count(*) FROM page_viewed WHERE event_hour = '2026-11-24-10'", TABLES) == []
    assert warnings("SELECT page_viewed FROM funnel_by_day", TABLES) == []


@pytest.fixture(scope="module")
def chain(local_cloud: LocalCloud) -> Chain:
    """Twenty page views and two orders in each of two hours; five of the first hour's views sent twice."""
    chain = Chain.of(local_cloud)
    for hour in HOURS:
        views = [page_viewed(hour, number, producer=MINE) for number in range(1, 21)]
        orders = [order_placed(hour, number, producer=MINE) for number in (30, 31)]
        chain.put([*views, *orders, *(views[:5] if hour == HOURS[0] else [])])
    chain.deliver()
    chain.refresh()  # the query function enters new hours before it refreshes reports
    return chain


def mine(hour: str = "") -> str:
    bound = f"event_hour = '{hour}'" if hour else f"event_hour BETWEEN '{HOURS[0]}' AND '{HOURS[-1]}'"
    return f"{bound} AND producer_id = '{MINE}'"


@pytest.mark.cloud
def test_a_view_shows_each_event_once_although_the_table_has_copies(chain: Chain) -> None:
    seen = "SELECT event_hour, count(*) AS rows FROM {} WHERE event_type = 'page_viewed' AND {} GROUP BY 1 ORDER BY 1"
    in_view, in_table = (
        chain.records(seen.format(name, mine())) for name in ("page_viewed", "web_events_hours")
    )
    assert [row["rows"] for row in in_view] == [20, 20]
    assert [row["rows"] for row in in_table] == [25, 20]


@pytest.mark.cloud
def test_a_view_has_the_types_that_its_catalog_entry_promises(chain: Chain) -> None:
    for view in event_views(TABLES).values():
        found = chain.rows(f"SELECT * FROM {view.name} WHERE {mine(HOURS[0])}")
        assert list(found.columns) == [column.name for column in view.columns]
        assert [str(kind) for kind in found.types] == [
            column.type.partition("<")[0].replace("string", "varchar").replace("struct", "row")
            for column in view.columns
        ]


@pytest.mark.cloud
def test_a_condition_on_the_hour_prunes_through_the_view(chain: Chain) -> None:
    def scanned(where: str) -> int:
        return chain.rows(f"SELECT url FROM page_viewed WHERE {where}").bytes_scanned

    one, other = (scanned(f"event_hour = '{hour}'") for hour in HOURS)
    assert one > 0
    assert scanned(f"event_hour BETWEEN '{HOURS[0]}' AND '{HOURS[-1]}'") == one + other
    assert scanned("event_hour = '2024-02-29-09'") == 0
    assert scanned("event_hour LIKE '2024-02-29-1%' AND event_hour <= '2024-02-29-10'") == one


@pytest.mark.cloud
def test_a_view_reads_the_columns_that_are_asked_for_only(chain: Chain) -> None:
    few, all_of_them = (
        chain.rows(f"SELECT {columns} FROM page_viewed WHERE {mine(HOURS[0])}").bytes_scanned
        for columns in ("status", "*")
    )
    assert few < all_of_them


@pytest.mark.cloud
def test_the_saved_questions_are_in_the_analysts_work_group_and_athena_takes_them(chain: Chain) -> None:
    athena = chain.client("athena")
    ids = athena.list_named_queries(WorkGroup=chain.outputs.analyst_work_group)["NamedQueryIds"]
    saved = {
        found["Name"]: found for found in athena.batch_get_named_query(NamedQueryIds=ids)["NamedQueries"]
    }
    assert saved.keys() == {question.title for question in SHOP.questions}
    for question in SHOP.questions:
        assert saved[question.title]["Database"] == chain.outputs.database
        chain.rows(saved[question.title]["QueryString"])


@pytest.mark.cloud
def test_a_question_over_events_reads_its_hours_only(chain: Chain) -> None:
    """The hours of these tests are years old, and the questions ask for the last day."""
    named = {question.name: question.sql for question in SHOP.questions}
    for name in ("page_views_by_hour", "slow_pages", "best_sellers", "copies_by_hour"):
        assert "INTERVAL '24' HOUR" in named[name]
        wider = named[name].replace("INTERVAL '24' HOUR", "INTERVAL '9000' DAY")
        assert chain.rows(named[name]).bytes_scanned < chain.rows(wider).bytes_scanned
