"""How far the delivery to the lake is, as the delivery streams' metrics tell."""

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Protocol

from queries.commands.delivery import SETTLED_SECONDS
from queries.commands.delivery import delivered_until as told_until

if TYPE_CHECKING:
    from infra.aws.outputs import Outputs


class Deployed(Protocol):
    """What is deployed, and how it is reached."""

    @property
    def outputs(self) -> "Outputs":
        """Names of its resources."""
        ...

    @property
    def client(self) -> Callable[[str], Any]:
        """Makes boto3 clients of it."""
        ...


def delivered_until(target: Deployed) -> float:
    """Until when (epoch seconds) all on the stream is in the lake; 0 when Firehose reported nothing."""
    now = time.time()
    since = now - 2 * SETTLED_SECONDS
    cloudwatch = target.client("cloudwatch")
    return min(
        told_until(cloudwatch, each.delivery_stream, since=since, now=now, reads_stream=not each.is_direct)
        or 0.0
        for each in target.outputs.streams.values()
    )
