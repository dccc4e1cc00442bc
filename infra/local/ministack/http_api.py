"""MiniStack's HTTP APIs, made to answer as API Gateway does.

A template's CORS settings are kept under CloudFormation's names and read under the API's, so that every
preflight is refused. What a function raises is answered with its own words and 502, where AWS says 500 and
nothing else. And for each request it makes a regular expression of each route's path, twice.
"""

from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any

_FAILED = {
    "statusCode": 500,
    "headers": {"Content-Type": "application/json"},
    "body": '{"message":"Internal Server Error"}',
}
_REMEMBERED_PATHS = 256
_THROTTLED = {
    "statusCode": 503,
    "headers": {"Content-Type": "application/json"},
    "body": '{"message":"Service Unavailable"}',
}


def api_names(cors: Mapping[str, Any]) -> dict[str, Any]:
    """CORS settings under the API's names: `AllowOrigins` is `allowOrigins`."""
    return {f"{name[:1].lower()}{name[1:]}": value for name, value in cors.items()}


def _renamed(respond: Callable[[Mapping[str, Any], str], Any]) -> Callable[[Mapping[str, Any], str], Any]:
    def responded(cors: Mapping[str, Any], origin: str) -> Any:
        return respond(api_names(cors), origin)

    return responded


def proxy_answer(
    stock: Callable[[Mapping[str, Any]], tuple[Any, Any]],
) -> Callable[[Mapping[str, Any]], tuple[Any, Any]]:
    """What a function's outcome is answered with; `stock` is MiniStack's own for one that went well."""

    def answer(outcome: Mapping[str, Any]) -> tuple[Any, Any]:
        if outcome.get("throttle"):
            return dict(_THROTTLED), None
        if outcome.get("error"):
            return dict(_FAILED), None
        return stock(outcome)

    return answer


def install() -> None:
    """Make MiniStack answer so. The caller has checked the version."""
    from ministack.services import apigateway, lambda_svc

    apigateway._cors_response_headers = _renamed(apigateway._cors_response_headers)
    apigateway._cors_preflight_response = _renamed(apigateway._cors_preflight_response)
    apigateway._path_matches = lru_cache(_REMEMBERED_PATHS)(apigateway._path_matches)
    lambda_svc.lambda_execute_result_to_api_proxy_response = proxy_answer(
        lambda_svc.lambda_execute_result_to_api_proxy_response
    )
