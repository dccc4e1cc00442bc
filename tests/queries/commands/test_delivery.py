"""What Firehose's metrics say of how far it is."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import pytest

from queries.commands.delivery import (
    BEHIND,
    FRESHNESS,
    PERIOD_SECONDS,
    SETTLED_SECONDS,
    NotDeliveredError,
    delivered_until,
    wait_until_delivered,
)

ASKED = 1_800_000_030.0
MINUTE = 1_800_000_000.0


class CloudWatch:
    """Has values of minutes: metric to {epoch seconds: value}; a minute is told a while after its end."""

    def __init__(self, values: Mapping[str, Mapping[float, float]], *, delay: float = 0.0) -> None:
        self.values, self.delay, self.now = values, delay, ASKED
        self.calls = 0

    def get_metric_data(self, **asked: Any) -> dict[str, Any]:
        self.calls += 1
        found = []
        for query in asked["MetricDataQueries"]:
            stat = query["MetricStat"]
            assert stat["Period"] % 60 == 0, "AWS keeps one value a minute"
            assert stat["Metric"]["Dimensions"] == [{"Name": "DeliveryStreamName", "Value": "d"}]
            told = {
                moment: value
                for moment, value in self.values.get(stat["Metric"]["MetricName"], {}).items()
                if asked["StartTime"].timestamp() <= moment < asked["EndTime"].timestamp()
                and moment + self.delay <= self.now
            }
            moments = [datetime.fromtimestamp(moment, UTC) for moment in told]
            found.append({"Id": query["Id"], "Timestamps": moments, "Values": list(told.values())})
        return {"MetricDataResults": found}

    def sleep(self, seconds: float) -> None:
        self.now += seconds


def until(cloudwatch: CloudWatch, now: float) -> float | None:
    cloudwatch.now = now
    return delivered_until(cloudwatch, "d", since=ASKED, now=now)


def test_what_is_older_than_the_oldest_record_of_firehose_is_delivered() -> None:
    told = CloudWatch({FRESHNESS: {MINUTE + 120: 70.0}, BEHIND: {MINUTE + 120: 5_000.0}})
    assert until(told, MINUTE + 180) == MINUTE + 120 - 70 - 5


def test_a_minute_with_one_of_the_metrics_says_nothing_until_the_other_one_may_not_come_any_more() -> None:
    told = CloudWatch({FRESHNESS: {MINUTE + 120: 20.0}})
    assert until(told, MINUTE + 180) is None
    assert until(told, MINUTE + 120 + PERIOD_SECONDS + SETTLED_SECONDS) == MINUTE + 100


def test_minutes_in_which_nothing_passed_show_in_silence_but_not_at_once() -> None:
    silent = CloudWatch({})
    assert until(silent, ASKED + 60) is None
    assert until(silent, MINUTE + 60 + PERIOD_SECONDS + SETTLED_SECONDS) == MINUTE + 60


def test_waiting_ends_when_all_that_was_on_the_stream_is_delivered_and_not_before() -> None:
    ages = {MINUTE: 40.0, MINUTE + 60: 65.0, MINUTE + 120: 25.0}
    told = CloudWatch({FRESHNESS: ages, BEHIND: dict.fromkeys(ages, 1_000.0)}, delay=90)
    seen: list[float | None] = []
    found = wait_until_delivered(
        told, "d", asked_at=ASKED, timeout_seconds=600, now=lambda: told.now, sleep=told.sleep,
        progress=seen.append,
    )  # fmt: skip
    assert found == MINUTE + 120 - 26 >= ASKED
    assert told.now >= MINUTE + 120 + 90
    assert MINUTE + 60 - 66 in seen


def test_waiting_ends_with_an_error_that_says_how_far_it_came() -> None:
    stuck = CloudWatch({FRESHNESS: {MINUTE + 60: 500.0}, BEHIND: {MINUTE + 60: 0.0}})
    with pytest.raises(
        NotDeliveredError, match=r"After 100 s .* the lake has everything until .*delivery-stale"
    ):
        wait_until_delivered(
            stuck, "d", asked_at=ASKED, timeout_seconds=100, now=lambda: stuck.now, sleep=stuck.sleep
        )
    assert stuck.now <= ASKED + 102
