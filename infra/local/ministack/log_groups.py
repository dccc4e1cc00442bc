"""A log group is compared by the name that AWS compares: with `:*` at its end, as policies have it.

MiniStack asks for the name without, so that a permission to read the log of a function would not hold.
https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/iam-access-control-overview-cwl.html
"""

from collections.abc import Callable
from typing import Any

_GROUP, _ALL = ":log-group:", ":*"


def compared_by(arn: str) -> str:
    """The ARN that policies are compared with (pure)."""
    return arn + _ALL if _GROUP in arn and not arn.endswith(_ALL) else arn


def naming(extract: Callable[..., str]) -> Callable[..., str]:
    """MiniStack's search for the resource of a request."""

    def resource_of(service: str, *arguments: Any, **named: Any) -> str:
        found = extract(service, *arguments, **named)
        return compared_by(found) if service == "logs" else found

    return resource_of


def install() -> None:
    """Make MiniStack use it. `expire.install` has checked the version."""
    from ministack.core import iam_actions

    iam_actions.extract_resource_arn = naming(iam_actions.extract_resource_arn)
