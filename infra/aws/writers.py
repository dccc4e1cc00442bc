"""Whether somebody puts events on a deployment's streams at the moment, as CloudWatch counts them."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from infra.deployment import Deployment
from producers.contracts import Stream

LOOK_BACK = timedelta(minutes=10)
"""Long enough for a producer that sends once a minute, and for CloudWatch to have counted."""


def written(cloudwatch: Any, deployment: Deployment, streams: Iterable[Stream], now: datetime) -> list[str]:
    """Names of the streams that took records lately, of those that keep them without a delivery stream.

    `cloudwatch` is a boto3 client, `now` has a zone. What goes straight to Firehose is refused while there is
    no delivery stream, and stays with its producer. Raises ClientError.
    """
    names = [deployment.stream(stream.name) for stream in streams if not stream.is_direct]
    if not names:
        return []
    queries = [
        {
            "Id": f"stream{number}",
            "MetricStat": {
                "Metric": {
                    "Namespace": "AWS/Kinesis",
                    "MetricName": "IncomingRecords",
                    "Dimensions": [{"Name": "StreamName", "Value": name}],
                },
                "Period": 60,
                "Stat": "Sum",
            },
        }
        for number, name in enumerate(names)
    ]
    answer = cloudwatch.get_metric_data(MetricDataQueries=queries, StartTime=now - LOOK_BACK, EndTime=now)
    counts = {each["Id"]: sum(each["Values"]) for each in answer["MetricDataResults"]}
    return [name for number, name in enumerate(names) if counts.get(f"stream{number}", 0) > 0]


def still_written(streams: list[str]) -> str:
    """Why a deployment whose streams are written to is not taken down."""
    return (
        f"Producers put events on {', '.join(streams)} within the last ten minutes. The stream is kept, and "
        "the next deploy delivers what is put on it meanwhile, but only as long as the stream keeps it: "
        "stream_retention_hours of the deployment. End the producers; or, when a deploy will follow within "
        "that time, add --while-written. Nothing was destroyed."
    )
