"""What events over HTTP cost a month."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from infra.deployment import Deployment

if TYPE_CHECKING:
    from infra.cost.cost import Assumptions, Load

ACCESS_LOG_BYTES = 200
"""Of a request's line."""
QUEUE_REQUESTS = 3
"""Sent, received, deleted."""
TABLE_WRITES = 2
"""Claimed, done."""


def collector(
    load: "Load", deployment: Deployment, prices: Mapping[str, Any], assume: "Assumptions"
) -> tuple[float, str]:
    """(dollars, what they are made of): gateway, function, access log. Reading keys costs next to nothing."""
    events = load.events * load.collected
    requests = events / assume.events_per_request
    seconds = requests * assume.collector_seconds + events * assume.collector_seconds_per_event
    fees = prices["api_gateway"]["http_requests_million"] + prices["lambda"]["requests_million"]
    dollars = (
        requests / 1e6 * fees
        + seconds * deployment.collector_memory / 1024 * prices["lambda"]["arm_gb_second"]
        + requests * ACCESS_LOG_BYTES / 2**30 * prices["cloudwatch"]["logs_gb"]
    )
    return dollars, f"{requests / 1e6:,.1f} M requests, {seconds:,.0f} s"


def webhooks(
    load: "Load", deployment: Deployment, prices: Mapping[str, Any], assume: "Assumptions"
) -> tuple[float, str]:
    """(dollars, what they are made of): gateway, queue, table of deliveries, worker. One event a delivery."""
    deliveries = load.events * load.webhooks
    seconds = deliveries * assume.webhook_seconds
    each = (
        prices["api_gateway"]["http_requests_million"]
        + prices["lambda"]["requests_million"]
        + QUEUE_REQUESTS * prices["sqs"]["requests_million"]
        + TABLE_WRITES * prices["dynamodb"]["writes_million"]
    )
    dollars = (
        deliveries / 1e6 * each
        + seconds * deployment.hooks_memory / 1024 * prices["lambda"]["arm_gb_second"]
        + deliveries * ACCESS_LOG_BYTES / 2**30 * prices["cloudwatch"]["logs_gb"]
    )
    return dollars, f"{deliveries / 1e6:,.1f} M deliveries, {seconds:,.0f} s"
