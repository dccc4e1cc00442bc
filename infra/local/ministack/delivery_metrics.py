"""MiniStack's CloudWatch, made to know how far delivery streams are, at the local cloud's pace.

On AWS a metric has one value a minute. Here it has one whenever somebody asks, of that second: buffers of a
minute take seconds here, and nobody shall wait for a minute to end.
"""

import json
import logging
import os
import urllib.request
from collections.abc import Callable, Mapping
from typing import Any

from infra.local.access.keys import Keys

NAMESPACE = "AWS/Firehose"
PERIOD_SECONDS = 1
Metrics = Mapping[str, Mapping[str, float]]
"""Delivery stream to metric to value."""

logger = logging.getLogger(__name__)


def asks_for_delivery(request: Mapping[str, Any]) -> bool:
    """Whether a GetMetricData request asks for metrics of delivery streams; it then asks for seconds."""
    found = False
    for query in request.get("MetricDataQueries", ()):
        stat = query.get("MetricStat", {})
        if stat.get("Metric", {}).get("Namespace") == NAMESPACE:
            stat["Period"] = PERIOD_SECONDS
            found = True
    return found


def told_by(server_url: str, keys: Keys) -> Callable[[], Metrics]:
    """Asks the local server."""

    def ask() -> Metrics:
        request = urllib.request.Request(  # noqa: S310 - loopback
            f"{server_url}/_firehose/metrics", headers=keys.bearer
        )
        with urllib.request.urlopen(request, timeout=5) as answer:  # noqa: S310
            told: Metrics = json.loads(answer.read())
        return told

    return ask


def install(keys: Keys) -> None:
    """Make MiniStack use it. The caller has checked the version."""
    from ministack.services import cloudwatch

    ask, answer = told_by(os.environ["AWS_ENDPOINT_URL_FIREHOSE"], keys), cloudwatch._get_metric_data

    def get_metric_data(
        params: dict[str, Any], body: dict[str, Any], is_cbor: bool, is_json: bool = False
    ) -> Any:
        if asks_for_delivery(body):
            try:
                told = ask()
            except OSError as error:
                logger.warning("the local server does not tell how far deliveries are: %s", error)
                told = {}
            for stream, values in told.items():
                for metric, value in values.items():
                    dimensions = {"DeliveryStreamName": stream}
                    cloudwatch.record_metric(NAMESPACE, metric, value, dimensions=dimensions)
        return answer(params, body, is_cbor, is_json)

    cloudwatch._get_metric_data = get_metric_data
