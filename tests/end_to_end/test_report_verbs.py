"""`penstock reports run · diff · backfill · rollback`, as an analyst uses them at a terminal."""

import json
import re
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import pytest

from infra.aws.outputs import Outputs
from infra.local.status.receipts import engine_of
from infra.receipts.pages import ReceiptPages
from infra.receipts.place import Place
from tests.end_to_end.conftest import Shell
from tests.shop import SHOP

REPORT = "traffic_by_hour"
MEASURES = ("page_views", "visitors", "bytes_sent", "errors")


@pytest.fixture(scope="module")
def hour(shell: Shell) -> str:
    """The busiest hour of a small demo."""
    assert shell.json("demo", "--events", "2000", "--seed", "5")["balanced"]
    (busiest,) = shell.rows(f"SELECT event_hour FROM {REPORT} ORDER BY page_views DESC LIMIT 1")
    return str(busiest["event_hour"])


def published(shell: Shell, hour: str) -> dict[str, Any]:
    """What readers see."""
    (row,) = shell.rows(f"SELECT {', '.join(MEASURES)} FROM {REPORT} WHERE event_hour = '{hour}'")
    return row


def serving(shell: Shell, hour: str) -> str:
    """The run that serves the hour."""
    listed = shell.json("reports", "list", REPORT)
    return next(str(each["run"]) for each in listed if each["partition"] == hour)


def test_run_shows_the_rows_that_are_published_and_publishes_nothing(shell: Shell, hour: str) -> None:
    before = serving(shell, hour)
    found = shell.json("reports", "run", REPORT, "--hour", hour)
    (row,) = found["rows"]
    assert {name: row[name] for name in MEASURES} == published(shell, hour)
    assert row["failed_check"] is None
    assert found["bytes_scanned"] > 0
    assert serving(shell, hour) == before


def test_diff_finds_nothing_until_the_sql_is_another(shell: Shell, hour: str, tmp_path: Path) -> None:
    assert shell.json("reports", "diff", REPORT, "--hour", hour) == []
    changed = tmp_path / "changed.sql"
    sql = (SHOP.folders.reports / f"{REPORT}.sql").read_text(encoding="utf-8")
    changed.write_text(sql.replace("status >= 400", "status >= 200"), encoding="utf-8")
    (row,) = shell.json("reports", "diff", REPORT, "--hour", hour, "--sql", str(changed), code=1)
    assert row["published"] == published(shell, hour)
    assert row["new"]["errors"] == row["new"]["page_views"] > row["published"]["errors"]


def test_backfill_leaves_what_would_not_change(shell: Shell, hour: str) -> None:
    done = shell.json("reports", "backfill", REPORT, "--from", hour, "--to", hour)
    assert (done["partitions"], done["unchanged"], done["statements"]) == (0, 1, 0)


@pytest.mark.parametrize("said", ["n\n", ""])
def test_backfill_asks_first_and_computes_nothing_without_a_yes(shell: Shell, hour: str, said: str) -> None:
    before = serving(shell, hour)
    ran = shell.run("reports", "backfill", REPORT, "--from", hour, "--to", hour, "--force", code=1, said=said)
    assert "1 statements, about" in ran.stderr
    assert ran.stderr.splitlines()[-1].endswith("nothing was computed. Answer y to go on, or pass --yes.")
    assert serving(shell, hour) == before


def test_rollback_serves_the_version_before_a_forced_backfill_once(shell: Shell, hour: str) -> None:
    first, rows = serving(shell, hour), published(shell, hour)
    backfill = ("reports", "backfill", REPORT, "--from", hour, "--to", hour, "--force")
    shell.run(*backfill, said="y\n")
    second = serving(shell, hour)
    assert second != first
    assert published(shell, hour) == rows
    went = shell.json("reports", "rollback", REPORT, "--hour", hour)
    assert first in went["location"]
    assert serving(shell, hour) == first
    assert published(shell, hour) == rows
    ran = shell.run("reports", "rollback", REPORT, "--hour", hour, code=1)
    assert ran.stderr == f"penstock: {REPORT}/{hour} has no earlier version to go back to.\n"


def test_explain_lists_the_events_of_a_number_and_counts_what_is_around_it(
    shell: Shell, hour: str, tmp_path: Path
) -> None:
    page = tmp_path / "receipt.html"
    found = shell.json("explain", REPORT, hour, "page_views", "--html", str(page))
    assert found["headline"].startswith("WHOLE: "), found["headline"]
    assert found["value"] == published(shell, hour)["page_views"] == found["events"] > 0
    listed = {row["penstock_event_id"] for row in shell.rows(found["statement"])}
    rows = shell.rows(
        f"SELECT event_id FROM web_events WHERE event_hour = '{hour}' AND event_type = 'page_viewed'"
    )
    assert listed == {row["event_id"] for row in rows}
    assert found["copies_removed"] == len(rows) - len(listed)
    entries = [
        each
        for each in shell.json("failed", "list", "--records")["records"]
        if each["event_time"][:13].replace("T", "-") == hour
    ]
    assert {each["reason"]: each["records"] for each in found["refused"]} == Counter(
        each["reason"] for each in entries
    )
    accounts = shell.json("reconcile")
    assert len(found["producers"]) == accounts["producers"]
    for figure in ("landed", "dropped"):
        assert sum(each[figure] for each in found["producers"]) == accounts[figure]
    assert page.read_text(encoding="utf-8").startswith("<!doctype html>")


def test_explain_as_text_begins_with_whether_the_number_is_whole(shell: Shell, hour: str) -> None:
    lines = shell.run("explain", REPORT, hour, "errors").stdout.splitlines()
    assert lines[0].startswith(f"WHOLE: {REPORT} {hour} errors = ")
    ran = shell.run("explain", REPORT, hour, "page_view", code=1)
    assert ran.stderr.startswith(
        f"penstock: 'page_view' is not a number of {REPORT}. Name one of: page_views,"
    )


def executions(shell: Shell) -> int:
    """How many statements analysts have had Athena run."""
    group = Outputs.from_document(shell.cloud.outputs).analyst_work_group
    pages = shell.cloud.context.client("athena").get_paginator("list_query_executions")
    return sum(len(page["QueryExecutionIds"]) for page in pages.paginate(WorkGroup=group))


def test_explain_on_aws_says_its_price_first_and_runs_nothing_without_a_yes(shell: Shell, hour: str) -> None:
    on_aws = replace(shell, environment={**shell.environment, **shell.cloud.environment()})
    asked = ("--target", "aws", "explain", REPORT, hour, "page_views")
    wanted = published(shell, hour)["page_views"]
    before = executions(shell)
    for said in ("n\n", ""):
        ran = on_aws.run(*asked, code=1, said=said)
        assert re.match(r"3 statements, at most [\d.]+ [kMG]?B scanned, \$0\.\d{4}\n", ran.stderr), ran.stderr
        assert ran.stderr.splitlines()[-1].endswith("Answer y to go on, or pass --yes.")
        assert ran.stdout.strip() == ""
    assert executions(shell) == before
    found = json.loads(on_aws.run(*asked, "--yes", "--json").stdout)
    assert found["value"] == wanted == found["events"]
    assert executions(shell) == before + found["statements_run"] == before + 3
    context, outputs = shell.cloud.context, Outputs.from_document(shell.cloud.outputs)
    place = Place(SHOP, outputs, context.client, engine_of(context, outputs))
    pages = ReceiptPages(lambda: place, SHOP.catalog, is_paid=True)
    address = f"report={REPORT}&partition={hour}&column=page_views"
    priced = pages.receipt(parse_qsl(address))
    assert "3 statements, at most" in priced.body
    assert f"?{address}&agreed=yes".replace("&", "&amp;") in priced.body
    assert executions(shell) == before + 3
    assert "WHOLE: " in pages.receipt([*parse_qsl(address), ("agreed", "yes")]).body


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("run", REPORT, "--hour", "2026-11-31-10"), "'2026-11-31-10' is not an hour. Write it like"),
        (("run", "sessions_by_day", "--day", "x' OR 1=1"), "is not a day. Write it like 2026-11-24."),
        (("run", "sessionsbyday", "--day", "2026-11-24"), "There is no report 'sessionsbyday'. There are: "),
        (("backfill", REPORT, "--from", "monday", "--to", "sunday"), "'monday' is not an hour."),
        (("backfill", REPORT, "--from", "2026-11-24-10", "--to", "2026-11-24-09"), "before it begins"),
        (("seal", "--from", "2026-11-24", "--to", "2026-11-25"), "'2026-11-24' is not an hour."),
        (("hours", "--from", "yesterday"), "'yesterday' is not an hour."),
    ],
)
def test_what_is_not_a_report_or_no_period_is_named(
    shell: Shell, hour: str, words: tuple[str, ...], says: str
) -> None:
    assert hour
    ran = shell.run("reports", *words, code=1)
    (line,) = ran.stderr.splitlines()
    assert line.startswith("penstock: ")
    assert says in line
