"""Row rules in the API are those of QuickSight: the same declarations, the same rows for the same groups."""

import json
from pathlib import Path
from typing import Any

import duckdb
import pytest

from dashboards.board.access import NOBODY, Rules, condition
from dashboards.emit.datasets import Place, rules_data_set
from dashboards.model import Access
from dashboards.reading import load
from queries.api.callers import caller_of
from queries.api.reading.row_rules import RowRule, read_rules, rules_of, seen
from tests.queries.api.reading.world import PLAIN, RULES, SALES, World, sale

HOUR = "2026-11-24-10"
ROWS = "/v1/reports/sales/rows"
COUNTRIES = ("DE", "FR", "JP", "US", None, "", "it's, \"")
USERS: dict[str, set[str | None]] = {
    "viewers": set(),
    "viewers emea": {"DE", "FR"},
    "viewers apac": {"JP"},
    "operators emea apac": {"DE", "FR", "JP"},
    "viewers apac board": set(COUNTRIES),
    "viewers odd": {"it's, \""},
    "operators": set(),
    "viewers EMEA emea2": set(),
}
DECLARED = """title = "Sales"
about = "Sales."

[report.sales]
import_mode = "direct"
stale_after = "2h"

[report.sales.measures]
orders = { title = "Orders", expression = "sum({orders})", format = "integer" }

[report.sales.rls]
column = "country"

[report.sales.rls.groups]
emea = ["DE", "FR"]
apac = ["JP"]
board = []

[[sheet]]
id = "one"
title = "One"

[[sheet.visual]]
id = "orders"
kind = "kpi"
report = "sales"
title = "Orders"
y = ["orders"]
span = [7, 4]
"""


@pytest.fixture
def world() -> World:
    made = World()
    made.publish(SALES, HOUR, [sale(country, f"p{n}") for country in COUNTRIES for n in range(2)])
    return made


@pytest.mark.parametrize("groups", USERS)
def test_each_user_sees_the_rows_of_the_groups_and_no_other(world: World, groups: str) -> None:
    seen_rows = world.rows(ROWS, groups, limit=3)
    assert {row["country"] for row in seen_rows} == USERS[groups]
    assert len(seen_rows) == 2 * len(USERS[groups])
    csv = world.get(ROWS, groups, accept="text/csv").body
    assert csv.count("\r\n") == 1 + len(seen_rows)


@pytest.mark.parametrize("groups", USERS)
def test_no_filter_and_no_cursor_of_somebody_else_shows_more(world: World, groups: str) -> None:
    everything = world.get(ROWS, "viewers board", query={"limit": 3}).json
    asked: list[dict[str, Any]] = [
        {"country": ["DE", "JP", "US", "", "it's, \""]},
        {"country": "US"},
        {"cursor": everything["next"], "limit": 1000},
        {"product": ["p0", "p1"]},
    ]
    for query in asked:
        found = world.get(ROWS, groups, query=query).json["rows"]
        assert {row["country"] for row in found} <= USERS[groups]


def test_a_program_that_signs_with_iam_sees_every_row(world: World) -> None:
    assert len(world.rows(ROWS, None)) == 2 * len(COUNTRIES)
    assert world.get("/v1/reports/sales/files", None).status == 200


def test_who_is_in_none_of_the_groups_of_the_api_sees_nothing_at_all(world: World) -> None:
    for path in ("/v1/reports", "/v1/reports/sales", ROWS, "/v1/reports/sales/files", "/v1/freshness"):
        answer = world.get(path, "emea board")
        assert (answer.status, answer.json["title"]) == (403, "forbidden")


def test_an_answer_that_one_user_has_is_not_unchanged_for_another(world: World) -> None:
    tags = {groups: world.get(ROWS, groups).headers["etag"] for groups in USERS}
    assert len(set(tags.values())) == len({frozenset(map(str, visible)) for visible in USERS.values()})
    one = tags["viewers emea"]
    assert world.get(ROWS, "viewers apac", if_none_match=one).status == 200
    assert world.get(ROWS, "viewers emea", if_none_match=one).status == 304
    assert world.get(ROWS, "viewers emea").headers["cache-control"] == "private, no-cache"


@pytest.mark.parametrize(
    ("groups", "access"), [("viewers", "none"), ("viewers emea", "some"), ("viewers board", "all")]
)
def test_files_are_given_to_who_sees_every_row_only(world: World, groups: str, access: str) -> None:
    world.publish(PLAIN, "2026-11-24", [{"name": "a"}])
    answer = world.get("/v1/reports/sales/files", groups)
    assert answer.status == (200 if access == "all" else 403)
    assert ("https://" in answer.body) == (access == "all")
    assert world.get("/v1/reports/plain/files", groups).status == 200
    assert world.get("/v1/reports/sales", groups).json["access"] == access
    reports = {each["name"]: each["access"] for each in world.get("/v1/reports", groups).json["reports"]}
    assert reports == {"sales": access, "plain": "all"}


def test_the_rules_are_those_that_the_dashboards_declare(tmp_path: Path) -> None:
    declared = load(DECLARED, "sales", "sales.toml").sources["sales"].access
    assert declared is not None
    (tmp_path / "sales.toml").write_text(DECLARED, encoding="utf-8")
    (tmp_path / "other.txt").write_text("no dashboard", encoding="utf-8")
    assert read_rules(tmp_path) == {"sales": RowRule(declared.column, declared.groups)}
    assert read_rules(tmp_path / "nothing") == {}
    with pytest.raises(ValueError, match="Expected"):
        rules_of("[report.sales")


@pytest.mark.parametrize("group", ["emea", "apac", "board", NOBODY])
def test_a_group_sees_the_rows_that_the_deployed_rules_give_it(world: World, group: str) -> None:
    """The rules dataset that QuickSight gets, applied as QuickSight documents it, beside the API's answer."""
    groups = {name: values for name, values in RULES["sales"].groups.items() if name != "odd"}
    emitted = rules_data_set(Place("a", "b", "c"), SALES, Access("country", groups, 1))
    [table] = emitted["PhysicalTableMap"].values()
    with duckdb.connect(":memory:") as database:
        database.execute(f"CREATE TABLE rules AS {table['CustomSql']['SqlQuery']}")
        database.execute("CREATE TABLE sales (country varchar)")
        database.executemany("INSERT INTO sales VALUES (?)", [[country] for country in COUNTRIES])
        where = condition(Rules("sales", "rules", ("country",)), group)
        deployed = database.execute(f"SELECT country FROM sales WHERE {where}").fetchall()
    found = world.rows(ROWS, f"viewers {group}", product="p0")
    assert {row["country"] for row in found} == {country for (country,) in deployed}


def test_groups_are_read_from_the_token_and_from_nothing_else() -> None:
    claims = {"sub": "a", "cognito:groups": "[viewers emea]", "groups": "[board]", "custom:groups": "[board]"}
    caller = caller_of({"authorizer": {"jwt": {"claims": claims}}, "groups": ["board"]})
    assert seen(RULES["sales"], caller).values == frozenset({"DE", "FR"})
    assert json.dumps(sorted(caller.groups)) == '["emea", "viewers"]'
