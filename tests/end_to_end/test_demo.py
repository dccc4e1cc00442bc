"""The whole chain, as the README says it: events in, reports out, every one accounted for."""

import json
import re
import secrets
from collections import Counter
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from infra.accounting.intervals import IntervalSet
from producers.simulation.simulator import Simulation
from tests.access_log import access_log
from tests.end_to_end.architectures_page import COLLECTOR, SITE, commands, shown
from tests.end_to_end.conftest import Shell
from tests.shop import REPORTS, STREAMS, WEB

pytestmark = pytest.mark.cloud

EVENTS = 5000


def simulated_again(told: dict[str, Any]) -> Simulation:
    """The simulation that the demo says it sent."""
    return Simulation(
        stream=WEB,
        seed=told["seed"],
        count=told["count"],
        start=datetime.fromisoformat(told["start"]),
        span=timedelta(seconds=told["span_seconds"]),
        late=told["late"],
        duplicate=told["duplicate"],
        malformed=told["malformed"],
    )


@pytest.fixture(scope="module")
def demo(shell: Shell) -> dict[str, Any]:
    """What `penstock demo` answers in a directory where nothing was."""
    found: dict[str, Any] = shell.json("demo", "--events", str(EVENTS), "--seed", "7")
    return found


def test_every_figure_of_the_demo_is_that_of_the_simulators_own_output(demo: dict[str, Any]) -> None:
    kept = {kind.name for stream in STREAMS.values() for kind in stream.all_types if kind.delivered}
    counts: Counter[str] = Counter()
    for record in simulated_again(demo["simulation"]).records():
        if record.is_copy:
            counts["duplicates"] += 1
        elif record.damage:
            counts["failed"] += 1
        else:
            counts["landed" if json.loads(record.data)["event_type"] in kept else "dropped"] += 1
    assert counts["failed"] > 0
    assert counts["dropped"] > 0
    assert counts["duplicates"] > 0
    assert {name: demo[name] for name in counts} == counts
    assert demo["produced"] == EVENTS == counts["landed"] + counts["dropped"] + counts["failed"]
    assert demo["records_sent"] == EVENTS + counts["duplicates"]
    assert demo["in_flight"] == 0
    assert demo["balanced"] is True


def test_the_reports_have_what_the_simulator_sent_each_event_once(demo: dict[str, Any], shell: Shell) -> None:
    views: Counter[str] = Counter()
    for record in simulated_again(demo["simulation"]).records():
        if not record.is_copy and not record.damage:
            event = json.loads(record.data)
            if event["event_type"] == "page_viewed":
                views[event["event_time"][:13].replace("T", "-")] += 1
    rows = shell.rows("SELECT event_hour, page_views FROM traffic_by_hour")
    assert {row["event_hour"]: row["page_views"] for row in rows} == views
    assert demo["reports"]["traffic_by_hour"]["rows"] == len(views)


def test_the_demo_answers_for_every_report_and_how_fast_it_was(demo: dict[str, Any]) -> None:
    assert set(demo["reports"]) == set(REPORTS)
    assert all(report["rows"] > 0 and report["partitions"] > 0 for report in demo["reports"].values())
    assert demo["events_per_second"] > 0
    assert 0 < demo["freshness_seconds"] < 60


def test_reconcile_agrees_with_the_demo(demo: dict[str, Any], shell: Shell) -> None:
    found = shell.json("reconcile")
    assert found["balanced"] is True
    assert found["missing"] == []
    assert found["produced"] >= demo["produced"]


def test_an_event_that_vanishes_from_the_lake_is_named_by_producer_and_sequence(
    demo: dict[str, Any], shell: Shell
) -> None:
    place = shell.rows('SELECT "$path" AS path FROM web_events WHERE seq = 5')[0]["path"]
    inside = (
        f"SELECT seq FROM web_events GROUP BY seq HAVING array_agg(DISTINCT \"$path\") = ARRAY['{place}']"
    )
    lost = {row["seq"] for row in shell.rows(inside)}
    bucket, _, key = place.removeprefix("s3://").partition("/")
    s3 = shell.cloud.context.client("s3")
    body = s3.get_object(Bucket=bucket, Key=key)["Body"].read()
    s3.delete_object(Bucket=bucket, Key=key)
    try:
        found = shell.json("reconcile", code=3)
    finally:
        s3.put_object(Bucket=bucket, Key=key, Body=body)
    assert found["balanced"] is False
    assert [f"{each['producer_id']}/{each['epoch']}" for each in found["missing"]] == demo["producers"]
    # Failed records without a readable name may stand for as many numbers, but hide no name.
    named = set(IntervalSet.parse(found["missing"][0]["seqs"]))
    assert named >= lost
    assert len(named) - len(lost) == demo["nameless"]
    assert shell.json("reconcile", "--wait", "20")["balanced"] is True


def test_real_traffic_gives_the_numbers_that_were_counted_from_its_text(
    demo: dict[str, Any], shell: Shell
) -> None:
    log = access_log()
    first = shell.json("demo", "--from", str(log.path))
    assert (first["produced"], first["landed"], first["failed"]) == (log.lines, log.pages, 1)
    assert first["balanced"] is True

    traffic = shell.rows(
        "SELECT count(*) AS hours, sum(page_views) AS views, sum(errors) AS errors, sum(bytes_sent) AS bytes "
        "FROM traffic_by_hour WHERE event_hour < '2016'"
    )
    assert traffic == [
        {"hours": log.hours, "views": log.pages, "errors": log.errors, "bytes": log.bytes_sent}
    ]
    days = shell.rows(
        "SELECT substr(event_hour, 1, 10) AS day, sum(page_views) AS views FROM traffic_by_hour "
        "WHERE event_hour < '2016' GROUP BY 1 ORDER BY 1"
    )
    assert [row["views"] for row in days] == log.views_by_day
    pages = shell.rows(
        "SELECT path, sum(page_views) AS views FROM top_pages_by_day WHERE event_date < '2016' "
        "AND path IN ('/favicon.ico', '/style2.css', '/reset.css') GROUP BY path ORDER BY views DESC"
    )
    assert [(row["path"], row["views"]) for row in pages] == list(log.views.items())
    total = shell.json(
        "query", "SELECT sum(page_views) AS views FROM top_pages_by_day WHERE event_date < '2016'"
    )
    assert (total["columns"], total["rows"]) == (["views"], [{"views": log.pages}])
    assert total["bytes_scanned"] > 0

    lines = enumerate(log.text().splitlines(), start=1)
    number, bad = next((at, line) for at, line in lines if line.count('"') % 2)
    listed = shell.run("failed", "list", "--reason", "unreadable_line").stdout
    assert f"line {number} (" in listed
    assert bad.split('"')[1] not in listed  # neither what was requested nor who did may be listed
    assert bad.split()[0] not in listed

    before = all_rows(shell)
    second = shell.json("demo", "--from", str(log.path))
    assert (second["produced"], second["landed"], second["failed"]) == (log.lines, log.pages, 1)
    assert second["balanced"] is True
    assert second["producers"] != first["producers"]
    after = all_rows(shell)
    assert {name: set(rows) ^ set(before[name]) for name, rows in after.items() if rows != before[name]} == {}


def skeleton(line: str) -> str:
    """The line without its figures and without how wide its columns are."""
    return re.sub(r"[\s─━┬┴┼┳╇┻]+", " ", re.sub(r"\d[\d,.:-]*", "0", line)).strip()


def test_the_readme_shows_what_the_demo_prints(demo: dict[str, Any], shell: Shell) -> None:
    assert demo["balanced"]
    readme = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")
    shown = readme.split("$ make demo\n")[1].split("```")[0].splitlines()
    ran = shell.run("demo", "--events", "500")
    printed = {skeleton(line) for line in (ran.stdout + ran.stderr).splitlines()}
    # A cloud that is up is not deployed again.
    expected = [line for line in shown if not line.startswith(("[", "✓ Local cloud"))]
    assert [line for line in expected if skeleton(line) not in printed] == []


@pytest.mark.parametrize("architecture", sorted({each.architecture for each in commands()}))
def test_the_commands_of_each_architecture_show_it_on_this_machine(
    demo: dict[str, Any], shell: Shell, architecture: int
) -> None:
    assert demo["balanced"]
    wanted = [each for each in commands() if each.architecture == architecture]
    # The demo has run; it is compared with the README above.
    wanted = [each for each in wanted if not each.command.startswith("penstock demo")]
    places = {COLLECTOR: shell.cloud.collector_url, SITE: shell.cloud.site_url}
    shown(wanted, shell.directory, shell.environment, places)


def all_rows(shell: Shell) -> dict[str, list[tuple[Any, ...]]]:
    """Every row of every report of the years before 2016, but for how often a record was delivered again.

    Kinesis and Firehose deliver at least once, so a call that is repeated on a busy machine may add to that number.
    """
    return {
        report.name: sorted(
            (
                tuple(value for column, value in row.items() if column != "duplicates")
                for row in shell.rows(f"SELECT * FROM {report.name} WHERE {report.grain} < '2016'")
            ),
            key=repr,
        )
        for report in REPORTS.values()
    }


def test_a_file_of_which_nothing_becomes_a_row_ends_with_an_error(shell: Shell, tmp_path: Path) -> None:
    lines = tmp_path / "broken.ndjson"
    lines.write_text('{"event_type": "page_viewed"\n' * 3)
    ran = shell.run("demo", "--from", str(lines), "--json", code=1)
    assert json.loads(ran.stdout)["failed"] == 3
    assert "Not one event became a row. Look at: penstock failed list" in ran.stderr


def test_with_every_right_checked_the_same_cloud_goes_on_and_balances(shell: Shell) -> None:
    """The cloud that was up without is ended and comes back with what it held; the reports take up the new."""
    before = shell.rows("SELECT sum(page_views) AS views FROM traffic_by_hour")[0]["views"]
    found = shell.json("demo", "--events", "2000", "--seed", "8", "--enforce-iam")
    assert shell.cloud.context.enforce_iam
    assert found["balanced"] is True
    assert found["produced"] == 2000
    assert found["set_aside"] == {}
    assert shell.rows("SELECT sum(page_views) AS views FROM traffic_by_hour")[0]["views"] > before


def test_an_analyst_gets_receipts_that_name_what_only_others_may_read(shell: Shell) -> None:
    """With the analysts' policy and nothing else, as on AWS; no event's personal data are in the answer."""
    busiest = "SELECT event_hour, page_views FROM traffic_by_hour ORDER BY page_views DESC LIMIT 1"
    [row] = shell.rows(busiest)
    analyst = with_policies(shell, "analyst")
    asked = ("--target", "aws", "explain", "traffic_by_hour", row["event_hour"], "page_views", "--yes")
    told = analyst.run(*asked, "--json", code=None)
    assert told.stdout, told.stderr
    receipt = json.loads(told.stdout)
    assert (receipt["value"], receipt["events"], receipt["untraced"]) == (row["page_views"],) * 2 + ("",)
    assert re.fullmatch(r"\d statements, at most .+ scanned, \$0\.\d{4}", told.stderr.splitlines()[0])
    assert [each.partition(":")[0] for each in receipt["unknown"]] == [
        "dropped events", "failed records", "how far the delivery is",
    ]  # fmt: skip
    assert not re.search(r"\b\d{1,3}(\.\d{1,3}){3}\b", told.stdout)  # no address of a visitor
    both = with_policies(shell, "analyst", "reconciler").run(*asked, "--json", code=None)
    assert json.loads(both.stdout)["unknown"] == []


def test_the_cloud_ends_and_keeps_what_it_has(shell: Shell) -> None:
    assert json.loads(shell.run("local", "down", "--json").stdout) == {"ended": True, "kept": True}


def with_policies(shell: Shell, *names: str) -> Shell:
    """The same directory for somebody new who has these policies of the deployment, and no other right."""
    iam, region = shell.cloud.context.client("iam"), shell.cloud.context.region
    name = f"person-{secrets.token_hex(4)}"
    iam.create_user(UserName=name)
    made = iam.create_access_key(UserName=name)["AccessKey"]
    wanted = {f"penstock-{each}-{region}" for each in names}
    pages = iam.get_paginator("list_policies").paginate(Scope="Local")
    found = [each for page in pages for each in page["Policies"] if each["PolicyName"] in wanted]
    assert len(found) == len(wanted)
    for policy in found:
        iam.attach_user_policy(UserName=name, PolicyArn=policy["Arn"])
    keys = {"AWS_ACCESS_KEY_ID": made["AccessKeyId"], "AWS_SECRET_ACCESS_KEY": made["SecretAccessKey"]}
    return Shell(shell.directory, {**shell.environment, **shell.cloud.environment(), **keys})
