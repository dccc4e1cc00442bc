"""The local server's own part of the gate: which keys it knows, and what the live page asks without one."""

import hmac
import json
import time
import urllib.request
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from infra.local.access.emulator_gate import SECRETS
from infra.local.access.gate import Gate, Needs, refuse_as_json
from infra.local.access.keys import Keys
from infra.local.parts.context import ACCOUNT_ID, LocalContext

CFN = "/_cfn/"
"""Followed by a token: MiniStack calls it for CloudFormation, and signs nothing."""

ALARMS = "/_alarms/"
"""The same for what SNS sends."""

GRAPHQL = "graphql"
"""First word of the paths of APIs. They know their callers themselves: people have tokens, and no key."""

PAGE = frozenset({"", "_static", "_status", "_events", "_event", "_report", "_receipt", "_faults", "_health"})
"""First words of the paths that the live page reads."""

_REMEMBERED_SECONDS = 60.0


def gated(app: Any, context: LocalContext) -> Any:
    """The application for those who hold a key of this local cloud, and for its live page."""
    secrets, keys = Secrets(context), context.keys
    return Gate(
        app, keys, secret_of=secrets, needs=lambda scope: needs(scope, keys), refuse=refuse_as_json,
        may_block=True, has_socket=is_of_an_api,
    )  # fmt: skip


def is_of_an_api(path: str) -> bool:
    """Whether the path is one of the local AppSync's."""
    return path[1:].partition("/")[0] == GRAPHQL


def cloudformation_path(keys: Keys) -> str:
    """Where MiniStack finds `/_cfn`: the path is the key."""
    return CFN + keys.derived("cloudformation")


def alarms_path(keys: Keys) -> str:
    """Where SNS sends alarms: the path is the key."""
    return ALARMS + keys.derived("alarms")


def needs(scope: Mapping[str, Any], keys: Keys) -> Needs:
    """What a request must show."""
    method, path = scope["method"], scope["path"]
    first = path[1:].partition("/")[0]
    if is_of_an_api(path) or (method in ("GET", "HEAD") and first in PAGE):
        return Needs.NOTHING
    # The page's own switches: a browser says so, and lets no page of another site say it.
    if first == "_faults" and (b"sec-fetch-site", b"same-origin") in scope["headers"]:
        return Needs.NOTHING
    for known in (cloudformation_path(keys), alarms_path(keys)):
        if path.startswith((CFN, ALARMS)) and hmac.compare_digest(path.encode(), known.encode()):
            return Needs.NOTHING
    return Needs.TOKEN if first.startswith("_") else Needs.SIGNATURE


class Secrets:
    """(access key id, session token) -> secret: ours, or what MiniStack says of a session's."""

    def __init__(self, context: LocalContext) -> None:
        self._context = context
        self._known: dict[tuple[str, str], tuple[float, str]] = {}

    def __call__(self, access_key_id: str, token: str) -> str | None:
        """None for a key that nobody knows. Raises OSError when MiniStack does not answer."""
        keys = self._context.keys
        if access_key_id in (keys.access_key_id, ACCOUNT_ID):
            return keys.secret_access_key
        now = time.monotonic()
        until, found = self._known.get((access_key_id, token), (0.0, ""))
        if now < until:
            return found
        asked = self._asked(access_key_id, token)
        self._known = {key: kept for key, kept in self._known.items() if kept[0] > now}
        if asked is not None:
            self._known[access_key_id, token] = (now + _REMEMBERED_SECONDS, asked)
        return asked

    def _asked(self, access_key_id: str, token: str) -> str | None:
        import ssl

        context = self._context
        bundle = str(context.ca_bundle) if context.ca_bundle else None
        url = f"{context.endpoint_url}{SECRETS}?{urlencode({'id': access_key_id, 'token': token})}"
        request = urllib.request.Request(url, headers=context.keys.bearer)  # noqa: S310 - loopback
        trust = ssl.create_default_context(cafile=bundle) if bundle else None
        with urllib.request.urlopen(request, timeout=10, context=trust) as answer:  # noqa: S310
            secret: str | None = json.load(answer)["secret"]
            return secret
