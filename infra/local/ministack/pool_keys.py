"""The keys of a user pool, for MiniStack's own check of tokens.

It asks its own port for them over HTTP, where only signed requests are answered, and under TLS nobody is.
"""

import json
from typing import Any

_PATH = "/.well-known/jwks.json"


async def _keys(url: str) -> dict[str, Any]:
    """The keys of the pool that the URL names, from this process's memory."""
    from ministack.services import cognito

    _, _, body = cognito.well_known_jwks(url.removesuffix(_PATH).rpartition("/")[2])
    found: dict[str, Any] = json.loads(body)
    return found


def install() -> None:
    """Make MiniStack's authorizers find the keys. The caller has checked the version."""
    from ministack.services import apigateway

    apigateway._fetch_jwks = _keys
