"""A schedule says for which time it fires, as on AWS: MiniStack hands the schedule's input on unread.

Without the time two firings are one request, and the second would be taken for a repetition of the first.
"""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

TIME = "<aws.scheduler.scheduled-time>"
_SOURCE = "aws.scheduler"


def with_time(target: Mapping[str, Any], event: Mapping[str, Any]) -> Mapping[str, Any]:
    """The target with the time of the event in its input, if a schedule fires and asks for it (pure)."""
    text = target.get("Input") or ""
    if event.get("Source") != _SOURCE or TIME not in text:
        return target
    at = f"{datetime.fromtimestamp(event['Time'], UTC):%Y-%m-%dT%H:%M:%SZ}"
    return {**target, "Input": text.replace(TIME, at)}


def filling(invoke: Callable[..., Any]) -> Callable[..., Any]:
    """MiniStack's call of a target, with the time filled in."""

    def invoke_target(
        target: Mapping[str, Any], event: Mapping[str, Any], *arguments: Any, **named: Any
    ) -> Any:
        return invoke(with_time(target, event), event, *arguments, **named)

    return invoke_target


def install() -> None:
    """Make MiniStack use it. `expire.install` has checked the version."""
    from ministack.services import eventbridge

    eventbridge._invoke_target = filling(eventbridge._invoke_target)
