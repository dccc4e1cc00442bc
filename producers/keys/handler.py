"""The Lambda of write keys: requests of `/v1/keys` from API Gateway."""

import os
import secrets
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

import boto3
from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext

from producers.contracts import load_streams
from producers.keys.administration import Administration
from producers.keys.api import api
from producers.keys.settings import Settings
from producers.keys.store import KeyStore

logger = Logger(service="keys")

STREAMS = Path(__file__).resolve().parents[2] / "project" / "streams"
"""The project's streams lie in the function's zip, beside our packages."""


@lru_cache(maxsize=1)
def keys() -> Administration:
    """The keys of this deployment."""
    store = KeyStore(boto3.client("dynamodb"), Settings.from_environ(os.environ).table)
    return Administration(store, load_streams(STREAMS), chance=secrets.token_bytes, now=_now)


_api = api(keys)


def lambda_handler(event: Mapping[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Answer a request. The log says who asked for what, and holds no key."""
    answer = _api.resolve(dict(event), context)
    request = event.get("requestContext") or {}
    caller = ((request.get("authorizer") or {}).get("iam") or {}).get("userArn")
    logger.info(
        "keys", extra={"route": event.get("routeKey"), "status": answer["statusCode"], "caller": caller}
    )
    return answer


def _now() -> str:
    return f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}"
