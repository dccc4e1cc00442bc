"""Refusals as RFC 9457 has them."""

import json

from aws_lambda_powertools.event_handler import Response

MEDIA_TYPE = "application/problem+json"
RETRY_AFTER_SECONDS = 5


def refusal(status: int, code: str, detail: str, request_id: str, **members: str) -> Response[str]:
    """The answer: a code, a sentence, the request's id, and further members."""
    body = {
        "type": f"urn:penstock:{code}",
        "title": code.replace("_", " "),
        "status": status,
        "detail": detail,
        "request_id": request_id,
    }
    headers: dict[str, str | list[str]] = (
        {"Retry-After": str(RETRY_AFTER_SECONDS)} if status in (429, 503) else {}
    )
    return Response(status, MEDIA_TYPE, json.dumps(body | members), headers=headers)
