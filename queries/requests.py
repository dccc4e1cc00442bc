"""What the query function can be asked besides reading notifications."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal

Name = Literal["tick", "finish", "work", "refresh"]


class UnknownRequestError(ValueError):
    """The event is nothing that the query function knows."""


@dataclass(frozen=True)
class Request:
    """`tick` looks for lost notifications, `refresh` too, and makes all that is stale due; the others do not.

    Attributes:
        everything: whether the whole lake is compared, not only its last hours.
        housekeeping: whether runs that nobody reads any more are retired.
        wants_answer: whether the caller gets the reports' status.
        briefly: whether that status is what can be said without reading every partition, and what is already
            due is all that is run first. For who asks again and again while there is much to do.
        wants_waiting: whether the caller gets how many partitions wait, which takes less reading.
        seconds: work at most this long; None: as long as the invocation allows.
        accept_missing: whether partitions whose input was lost or damaged are computed from what is left.
    """

    name: Name
    everything: bool = False
    housekeeping: bool = False
    wants_answer: bool = False
    briefly: bool = False
    wants_waiting: bool = False
    seconds: float | None = None
    accept_missing: bool = False


def read_request(event: Mapping[str, Any], now: int) -> Request:
    """The request in an event of EventBridge or of a caller. `now` is epoch ms. Raises UnknownRequestError.

    In the first minute of an hour the tick compares the whole lake; in the middle of it, it keeps house.
    """
    minute = datetime.fromtimestamp(now / 1000, UTC).minute
    match event.get("penstock"):
        case "refresh":
            everything, seconds = bool(event.get("everything", True)), event.get("seconds")
            accept = bool(event.get("accept_missing", False))
            return Request(
                "refresh",
                everything=everything,
                wants_answer=True,
                briefly=bool(event.get("briefly", False)) and not everything,
                seconds=seconds,
                accept_missing=accept,
            )
        case "work":
            return Request("work", wants_answer=True, seconds=event.get("seconds"))
        case "tick":
            return Request("tick", everything=bool(event.get("everything", False)), wants_waiting=True)
        case None if event.get("detail-type") == "Athena Query State Change":
            return Request("finish")
        case None if event.get("source") == "aws.events":
            return Request("tick", everything=minute == 0, housekeeping=minute == 30)
    raise UnknownRequestError(
        f"The event has the members {sorted(event)}. Send SQS records, a scheduled event, "
        'or {"penstock": "refresh"}.'
    )
