"""How far Firehose has come with its stream: until when everything that arrived lies in the lake bucket.

Firehose reports it through CloudWatch. `DeliveryToS3.DataFreshness` is the age of the oldest record that it
holds, so that everything older has been delivered; `KinesisMillisBehindLatest` is how far its reading of the
stream is behind. A metric is written once a minute, and not at all while nothing passes.
"""

from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

NAMESPACE = "AWS/Firehose"
FRESHNESS, BEHIND = "DeliveryToS3.DataFreshness", "KinesisMillisBehindLatest"
PERIOD_SECONDS = 60
SETTLED_SECONDS = 180
"""A minute of which CloudWatch says nothing for so long after its end was one in which nothing passed."""
_PAUSE_SECONDS = 1.0
_IDS = {FRESHNESS: "freshness", BEHIND: "behind"}


class NotDeliveredError(Exception):
    """What was on the stream has not reached the lake in time; the text says how far it came."""


def delivered_until(
    cloudwatch: Any, delivery_stream: str, *, since: float, now: float, reads_stream: bool = True
) -> float | None:
    """Until when (epoch seconds) everything that arrived is in the lake bucket, failed records among it.

    Reads what Firehose reported from `since` to `now`; None when that is nothing yet. `reads_stream` is False
    where records are put on the delivery stream itself: it is then behind nothing, and says nothing of it.
    """
    first = int(since) // PERIOD_SECONDS * PERIOD_SECONDS
    answer = cloudwatch.get_metric_data(
        MetricDataQueries=[
            _query(delivery_stream, metric) for metric in _IDS if reads_stream or metric != BEHIND
        ],
        StartTime=datetime.fromtimestamp(first, UTC),
        EndTime=datetime.fromtimestamp(now + PERIOD_SECONDS, UTC),
    )
    told = {
        each["Id"]: {
            moment.timestamp(): value
            for moment, value in zip(each["Timestamps"], each["Values"], strict=True)
        }
        for each in answer["MetricDataResults"]
    }
    ages = told[_IDS[FRESHNESS]]
    behind = (
        {moment: value / 1000 for moment, value in told[_IDS[BEHIND]].items()}
        if reads_stream
        else dict.fromkeys(ages, 0.0)
    )
    return max(_moments(ages, behind, first, now), default=None)


def _moments(
    ages: Mapping[float, float], behind: Mapping[float, float], first: float, now: float
) -> Iterator[float]:
    """Each moment until which all is delivered, as one of the minutes reported shows it."""
    minutes = range(int(first), int(now), PERIOD_SECONDS)
    for minute in {*ages, *behind, *map(float, minutes)}:
        is_settled = minute + PERIOD_SECONDS + SETTLED_SECONDS <= now
        if is_settled or (minute in ages and minute in behind):
            # The oldest age of a minute was reached in it, at its beginning or later.
            yield minute - ages.get(minute, 0.0) - behind.get(minute, 0.0)


def wait_until_delivered(
    cloudwatch: Any,
    delivery_stream: str,
    *,
    asked_at: float,
    timeout_seconds: float,
    now: Callable[[], float],
    sleep: Callable[[float], None],
    progress: Callable[[float | None], None] = lambda _: None,
    reads_stream: bool = True,
) -> float:
    """Wait until all that had arrived on the stream at `asked_at` is in the lake; until when all is by then.

    `now` and `asked_at` are in epoch seconds. Raises NotDeliveredError when time is up.
    """
    while True:
        until = delivered_until(
            cloudwatch, delivery_stream, since=asked_at, now=now(), reads_stream=reads_stream
        )
        progress(until)
        if until is not None and until >= asked_at:
            return until
        if now() >= asked_at + timeout_seconds:
            come = (
                f"the lake has everything until {clock_time(until)}"
                if until
                else "Firehose reported nothing yet"
            )
            raise NotDeliveredError(
                f"After {timeout_seconds:.0f} s the lake does not have all that was on the stream at "
                f"{clock_time(asked_at)}; {come}. Wait longer with --timeout, or look at what holds the "
                f"delivery stream {delivery_stream} up: docs/runbook.md#delivery-stale"
            )
        sleep(_PAUSE_SECONDS)


def clock_time(moment: float) -> str:
    """The time of day of a moment in epoch seconds, for people."""
    return f"{datetime.fromtimestamp(moment, UTC):%H:%M:%S} UTC"


def _query(delivery_stream: str, metric: str) -> dict[str, Any]:
    return {
        "Id": _IDS[metric],
        "MetricStat": {
            "Metric": {
                "Namespace": NAMESPACE,
                "MetricName": metric,
                "Dimensions": [{"Name": "DeliveryStreamName", "Value": delivery_stream}],
            },
            "Period": PERIOD_SECONDS,
            "Stat": "Maximum",
        },
    }
