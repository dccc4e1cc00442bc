"""Roles that a service assumes, assumed by our stand-in of that service: the trust policy decides, as on AWS.

On AWS Firehose itself calls AssumeRole, as `firehose.amazonaws.com` and for one delivery stream. MiniStack
sees our worker's call as one of the account's root. So the worker says in the external id for which service
and resource it stands, and MiniStack validates the trust policy for that service and those condition keys.
"""

import dataclasses
import json
from collections.abc import Callable
from typing import Any

_MARK = "penstock-stands-for "


def external_id(service: str, source_arn: str) -> str:
    """The external id that says: I stand for this service, working for this resource."""
    return f"{_MARK}{service} {source_arn}"


def read_external_id(text: object) -> tuple[str, str] | None:
    """(service principal, arn of its resource), or None for any other external id."""
    if not isinstance(text, str) or not text.startswith(_MARK):
        return None
    service, _, source_arn = text.removeprefix(_MARK).partition(" ")
    return service, source_arn


def judging(stock: Callable[..., bool]) -> Callable[..., bool]:
    """MiniStack's `evaluate_trust_policy`, which knows calls that stand for a service."""

    def evaluate(trust: Any, caller_arn: str, context: Any = None) -> bool:
        told = context.service_context.get("sts:externalid") if context is not None else None
        stands_for = read_external_id(told)
        if stands_for is None or context.principal_type != "Root":
            return stock(trust, caller_arn, context)
        service, source_arn = stands_for
        keys = {"aws:sourcearn": source_arn, "aws:sourceaccount": source_arn.split(":")[4]}
        judged = dataclasses.replace(context, service_context=keys, principal_keys=keys)
        return stock(for_service(trust, service), caller_arn, judged)

    return evaluate


def for_service(trust: Any, service: str) -> dict[str, Any]:
    """The statements of a trust policy that name the service; MiniStack takes one service for another."""
    document = json.loads(trust) if isinstance(trust, str) else trust
    return {**document, "Statement": [s for s in _list(document["Statement"]) if service in _services(s)]}


def _services(statement: dict[str, Any]) -> list[str]:
    principal = statement.get("Principal")
    return _list(principal.get("Service", [])) if isinstance(principal, dict) else []


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def install() -> None:
    """Make MiniStack use it. The caller has checked the version."""
    from ministack.core import iam_evaluator

    iam_evaluator.evaluate_trust_policy = judging(iam_evaluator.evaluate_trust_policy)
