"""HTTP APIs that put a request into a queue themselves, which MiniStack takes for calls of a function.

The deployed integration says everything: the queue, the role to do it with, and the message, whose parts are
taken from the request by API Gateway's parameter mapping.
"""

import base64
import json
import re
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

SUBTYPE = "SQS-SendMessage"
_KEPT = {"IntegrationSubtype": "integrationSubtype", "CredentialsArn": "credentialsArn"}
_PLACE = re.compile(r"\$\{([A-Za-z0-9._-]+)\}")
_JSON = {"Content-Type": "application/json"}
_XML = {"Content-Type": "text/xml"}
Answer = tuple[int, dict[str, str], bytes]


class UnmappedError(ValueError):
    """A part of the message is nowhere in the request."""


def mapped(
    parameters: Mapping[str, str], headers: Mapping[str, str], body: str, context: Mapping[str, str]
) -> dict[str, str]:
    """The call's parameters. `headers` have lower-case names.

    A value that is one selection (`$request.body`) must be there; inside a text (`${request.header.x}`) what
    is missing is empty. Raises UnmappedError.
    """

    def selected(path: str) -> str | None:
        if path == "request.body":
            return body or None
        if path.startswith("request.header."):
            return headers.get(path.removeprefix("request.header.").lower())
        if path.startswith("context."):
            return context.get(path.removeprefix("context."))
        raise UnmappedError(path)

    found = {}
    for name, value in parameters.items():
        if value.startswith("$") and not value.startswith("${"):
            chosen = selected(value[1:])
            if chosen is None:
                raise UnmappedError(name)
            found[name] = chosen
        else:
            found[name] = _PLACE.sub(lambda match: selected(match[1]) or "", value)
    return found


def message_of(call: Mapping[str, str]) -> dict[str, Any]:
    """SendMessage's request. Raises ValueError for attributes that are not JSON."""
    attributes = json.loads(call["MessageAttributes"]) if "MessageAttributes" in call else {}
    return {**call, "MessageAttributes": attributes}


Send = Callable[[dict[str, Any], str], Awaitable[tuple[int, str]]]
"""Sends a message as a role: (status, the queue's answer as XML)."""


async def answered(
    integration: Mapping[str, Any], headers: Mapping[str, str], body: bytes, request_id: str, send: Send
) -> Answer:
    """The gateway's answer to a request."""
    try:
        text = body.decode()
    except UnicodeDecodeError:
        text = base64.b64encode(body).decode()
    context = {"requestId": request_id, "requestTimeEpoch": str(int(time.time() * 1000))}
    try:
        call = mapped(integration.get("requestParameters") or {}, headers, text, context)
        message = message_of(call)
    except ValueError:
        return 400, dict(_JSON), b'{"message":"Bad Request"}'
    status, xml = await send(message, str(integration.get("credentialsArn", "")))
    if status >= 500 or status == 403:
        return 500, dict(_JSON), b'{"message":"Internal Server Error"}'
    return status, dict(_XML), xml.encode()


def _keeping(stock: Callable[[Mapping[str, Any]], dict[str, Any]]) -> Callable[[Mapping[str, Any]], Any]:
    """What is remembered of an integration in a template."""

    def properties(props: Mapping[str, Any]) -> dict[str, Any]:
        return stock(props) | {name: props[given] for given, name in _KEPT.items() if given in props}

    return properties


def _serving(stock: Callable[..., Awaitable[Answer]]) -> Callable[..., Awaitable[Answer]]:
    async def invoke(integration: Mapping[str, Any], *args: Any, **named: Any) -> Answer:
        if integration.get("integrationSubtype") != SUBTYPE:
            return await stock(integration, *args, **named)
        from ministack.core.responses import new_uuid

        headers, body = args[4], args[5]
        return await answered(integration, headers, body or b"", new_uuid(), _send)

    return invoke


async def _send(message: dict[str, Any], role: str) -> tuple[int, str]:
    """By MiniStack's own queue, within its process."""
    from ministack.services import sqs

    if not _may_send(role, message["QueueUrl"]):
        return 403, ""
    try:
        result = await sqs._dispatch("SendMessage", message, message["QueueUrl"])
    except sqs._Err as error:
        status, _, body = sqs._xml_err_resp(error.code, error.message, error.status)
    else:
        status, _, body = sqs._to_xml("SendMessage", result)
    return status, body.decode() if isinstance(body, bytes) else body


def _may_send(role: str, queue_url: str) -> bool:
    """Whether the role's policy allows it, checked as on AWS whether or not anything else is checked here."""
    from ministack.core import iam_evaluator
    from ministack.services import sqs

    queue = sqs._get_q(queue_url)["attributes"]["QueueArn"]
    name, account, region = role.rpartition("/")[2], queue.split(":")[4], queue.split(":")[3]
    asked = iam_evaluator.EvalContext(
        principal_arn=role,
        principal_type="AssumedRole",
        principal_account=account,
        action="sqs:SendMessage",
        resource_arn=queue,
        region=region,
    )
    policies = iam_evaluator._gather_role_policies(name, account)
    return bool(iam_evaluator.evaluate(asked, policies).decision == "Allow")


def _updating(stock: Callable[..., Any]) -> Callable[..., Any]:
    def update(api_id: str, integration_id: str, data: Mapping[str, Any]) -> Any:
        from ministack.services import apigateway

        answer = stock(api_id, integration_id, data)
        found = apigateway._integrations.get(api_id, {}).get(integration_id)
        if found is not None:
            found.update({name: data[name] for name in _KEPT.values() if name in data})
        return answer

    return update


def install() -> None:
    """Make MiniStack serve them. The caller has checked the version."""
    from ministack.services import apigateway
    from ministack.services.cloudformation import provisioners

    apigateway._update_integration = _updating(apigateway._update_integration)
    provisioners._apigw_v2_integration_props = _keeping(provisioners._apigw_v2_integration_props)
    apigateway._invoke_lambda_proxy = _serving(apigateway._invoke_lambda_proxy)
