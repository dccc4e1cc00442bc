"""An access log through the whole chain, with events sent twice and late, against pandas over the file."""

import json
import re
import uuid
from dataclasses import dataclass
from random import Random
from typing import Any
from urllib.parse import urlsplit

import pandas as pd
import pytest

from infra.local.cloud import LocalCloud
from tests.access_log import access_log
from tests.queries.cloud import Chain

pytestmark = pytest.mark.cloud

LINE = re.compile(
    r'(?P<client>\S+) \S+ \S+ \[(?P<time>[^\]]+)\] "(?P<method>\S+) (?P<url>\S+) [^"]*" '
    r'(?P<status>\d{3}) (?P<bytes>\d+|-) "(?P<referrer>[^"]*)" "(?P<agent>[^"]*)"$'
)
GAP = pd.Timedelta(minutes=30)


def read_log() -> pd.DataFrame:
    """The log's well-formed lines. Written for this test, with nothing of the product in it."""
    lines = access_log().text().splitlines()
    found = [match.groupdict() for line in lines if (match := LINE.match(line))]
    log = pd.DataFrame(found)
    log["time"] = pd.to_datetime(log["time"], format="%d/%b/%Y:%H:%M:%S %z")
    log["hour"] = log["time"].dt.strftime("%Y-%m-%d-%H")
    log["day"] = log["time"].dt.strftime("%Y-%m-%d")
    log["status"] = log["status"].astype(int)
    log["bytes"] = pd.to_numeric(log["bytes"], errors="coerce")
    # "//x" is a path here, not a host: these are request targets.
    log["path"] = [
        re.split("[?#]", url)[0] if url.startswith("/") else urlsplit(url).path for url in log["url"]
    ]
    return log


def events_of(log: pd.DataFrame) -> list[dict[str, Any]]:
    """An event for each line."""
    events: list[dict[str, Any]] = []
    rows: list[dict[str, Any]] = [
        {str(name): value for name, value in row.items()} for row in log.to_dict("records")
    ]
    for number, row in enumerate(rows, start=1):
        payload = {"url": row["url"], "client_address": row["client"], "status": int(row["status"])}
        if row["bytes"] == row["bytes"]:
            payload["bytes_sent"] = int(row["bytes"])
        events.append(
            {
                "event_id": str(uuid.uuid5(uuid.NAMESPACE_URL, f"access-log/{number}")),
                "event_type": "page_viewed",
                "schema_version": 1,
                "event_time": row["time"].strftime("%Y-%m-%dT%H:%M:%S.000Z"),
                "source": "replay",
                "producer_id": "access-log-test",
                "epoch": 1,
                "seq": number,
                "payload": payload,
            }
        )
    return events


@pytest.fixture(scope="module")
def log() -> pd.DataFrame:
    return read_log()


@dataclass(frozen=True)
class Sent:
    """The chain when all was sent, and what it published while 5 % of the events had not yet come."""

    chain: Chain
    late: frozenset[int]
    views_before: dict[str, int]


@pytest.fixture(scope="module")
def sent(local_cloud: LocalCloud, log: pd.DataFrame) -> Sent:
    """The log sent: 95 % at first, 5 % of that twice, then 5 % a day later, after reports were published."""
    chain, rng = Chain.of(local_cloud), Random(5)
    events = events_of(log)
    late = frozenset(rng.sample(range(len(events)), len(events) // 20))
    first = [event for number, event in enumerate(events) if number not in late]
    first += rng.sample(first, len(events) // 20)
    rng.shuffle(first)
    chain.put(first)
    chain.deliver()
    chain.refresh()
    before = {row["event_hour"]: row["page_views"] for row in report(chain, "traffic_by_hour")}
    chain.put([events[number] for number in sorted(late)])
    chain.deliver()
    chain.refresh()
    return Sent(chain, late, before)


@pytest.fixture(scope="module")
def chain(sent: Sent) -> Chain:
    return sent.chain


def report(chain: Chain, name: str) -> list[dict[str, Any]]:
    """The report's rows of the log's year: other tests may use the same chain."""
    grain = "event_date" if name.endswith("_by_day") else "event_hour"
    return chain.records(f"SELECT * FROM {name} WHERE {grain} BETWEEN '2015' AND '2016'")


def by(rows: list[dict[str, Any]], *keys: str) -> dict[Any, dict[str, Any]]:
    return {tuple(row[key] for key in keys): row for row in rows}


def test_before_the_late_events_came_reports_had_the_others(sent: Sent, log: pd.DataFrame) -> None:
    known = log[[number not in sent.late for number in range(len(log))]]
    assert sent.views_before == known.groupby("hour").size().to_dict()
    assert sum(sent.views_before.values()) == len(log) - len(log) // 20


def test_traffic_by_hour_is_what_pandas_counts(chain: Chain, log: pd.DataFrame) -> None:
    grouped = log.groupby("hour")
    expected = pd.DataFrame(
        {
            "page_views": grouped.size(),
            "visitors": grouped["client"].nunique(),
            "bytes_sent": grouped["bytes"].sum().astype(int),
            "errors": grouped["status"].apply(lambda status: int((status >= 400).sum())),
        }
    )
    found = pd.DataFrame(report(chain, "traffic_by_hour")).set_index("event_hour").sort_index()
    pd.testing.assert_frame_equal(
        found[expected.columns].astype("int64"),
        expected.astype("int64"),
        check_names=False,
        check_index_type=False,
    )
    assert found["page_views"].sum() == access_log().pages
    assert found["errors"].sum() == access_log().errors
    assert found["bytes_sent"].sum() == access_log().bytes_sent


def test_top_pages_by_day_is_what_pandas_counts(chain: Chain, log: pd.DataFrame) -> None:
    grouped = log.groupby(["day", "path"])
    expected = {
        key: (int(views), int(visitors))
        for key, views, visitors in zip(
            grouped.groups, grouped.size(), grouped["client"].nunique(), strict=True
        )
    }
    rows = report(chain, "top_pages_by_day")
    assert {
        (row["event_date"], row["path"]): (row["page_views"], row["visitors"]) for row in rows
    } == expected


def test_funnel_by_day_has_every_step_of_every_day(chain: Chain, log: pd.DataFrame) -> None:
    visitors = log.groupby("day")["client"].nunique()
    rows = by(report(chain, "funnel_by_day"), "event_date", "step")
    assert len(rows) == 4 * len(visitors)
    for day, count in visitors.items():
        assert (rows[day, "1 page"]["visitors"], rows[day, "1 page"]["rate"]) == (count, 1.0)
        assert [rows[day, step]["visitors"] for step in ("2 product", "3 cart", "4 order")] == [0, 0, 0]


def test_sessions_by_day_is_what_pandas_finds(chain: Chain, log: pd.DataFrame) -> None:
    views = log.sort_values("time", kind="stable")
    gap = views.groupby(["day", "client"])["time"].diff()
    views = views.assign(
        session=((gap.isna()) | (gap > GAP)).groupby([views["day"], views["client"]]).cumsum()
    )
    sessions = views.groupby(["day", "client", "session"])["time"].agg(["size", "min", "max"]).reset_index()
    sessions["seconds"] = (sessions["max"] - sessions["min"]).dt.total_seconds()
    rows = by(report(chain, "sessions_by_day"), "event_date")
    assert len(rows) == sessions["day"].nunique()
    for day, found in sessions.groupby("day"):
        row = rows[(day,)]
        assert (row["sessions"], row["bounces"]) == (len(found), int((found["size"] == 1).sum()))
        # Athena's percentiles are approximate: the answer lies among the values around the exact place.
        for name, share in (("median_seconds", 0.5), ("p95_seconds", 0.95)):
            low = found["seconds"].quantile(share - 0.01, interpolation="lower")
            high = found["seconds"].quantile(share + 0.01, interpolation="higher")
            assert low <= row[name] <= high


def test_orders_by_hour_has_no_rows_because_the_log_has_no_orders(chain: Chain) -> None:
    assert report(chain, "orders_by_hour") == []


def test_health_by_hour_counts_each_event_once_and_its_copies_apart(chain: Chain, log: pd.DataFrame) -> None:
    rows = by(report(chain, "health_by_hour"), "event_hour")
    counts = log.groupby("hour").size()
    assert {hour: row["events"] for (hour,), row in rows.items()} == counts.to_dict()
    assert {hour: row["late"] for (hour,), row in rows.items()} == counts.to_dict()
    assert sum(row["duplicates"] for row in rows.values()) == len(log) // 20


def test_health_by_hour_has_the_lags_that_pandas_finds_in_the_lake(chain: Chain) -> None:
    # When a record arrived is known from the lake only: here the rows are the truth, and the SQL is checked.
    rows = chain.records(
        "SELECT event_hour, event_id, event_time, arrival_time FROM web_events "
        "WHERE event_hour BETWEEN '2015' AND '2016' AND producer_id = 'access-log-test'"
    )
    lake = pd.DataFrame(rows).sort_values("arrival_time", kind="stable").drop_duplicates("event_id")
    lake["lag"] = (lake["arrival_time"] - lake["event_time"]).dt.total_seconds()
    found = by(report(chain, "health_by_hour"), "event_hour")
    for hour, lags in lake.groupby("event_hour")["lag"]:
        for name, share in (("p50_lag_seconds", 0.5), ("p95_lag_seconds", 0.95)):
            # Athena's percentiles are approximate: within a place of the exact one.
            low, high = (
                lags.quantile(max(0.0, min(1.0, share + place / len(lags)))) for place in (-1.5, 1.5)
            )
            assert low <= found[(hour,)][name] <= high


def test_every_partition_says_that_it_is_complete_and_from_what(chain: Chain, log: pd.DataFrame) -> None:
    rows = chain.records(
        "SELECT * FROM report_freshness WHERE report = 'traffic_by_hour' "
        "AND report_partition BETWEEN '2015' AND '2016' AND row_count > 0"
    )
    assert {row["report_partition"] for row in rows} == set(log["hour"])
    assert all(
        row["condition"] == "fresh" and row["is_complete"] and row["input_objects"] > 0 for row in rows
    )


def test_looking_again_runs_nothing(chain: Chain) -> None:
    assert chain.refresh().statements == 0


def test_a_notification_that_comes_again_is_absorbed_without_a_query(chain: Chain, log: pd.DataFrame) -> None:
    hour = log["hour"].iloc[0]
    key = f"web_events/event_hour={hour}/again.parquet"
    described = {"key": key.replace("=", "%3D"), "size": 5}
    record = {
        "eventName": "ObjectCreated:Put",
        "s3": {"bucket": {"name": chain.outputs.lake_bucket}, "object": described},
    }
    sqs = chain.client("sqs")
    for _ in range(20):
        sqs.send_message(QueueUrl=chain.outputs.queue_url, MessageBody=json.dumps({"Records": [record]}))
    assert chain.refresh().statements == 0
