"""MiniStack's own part of the gate: which keys it knows, what it answers to nobody, how it refuses.

Stock, it takes any key, treats an empty one, `test` and account ids as root without looking at the signature,
resets itself for whoever asks, and gives functions keys that follow from their names.
"""

import hashlib
import hmac
import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qs

from dashboards.preview.own_machine import OwnMachineOnly
from infra.local.access.gate import Gate, Needs
from infra.local.access.keys import Keys
from infra.local.access.signatures import RefusedError, joined
from infra.local.parts.context import ACCOUNT_ID

HEALTH = "/_ministack/health"
RESPONSE_URL = "/_ministack/cfn-response/"
"""Where custom resources answer: the rest of the path is a random token, as in AWS's presigned URL."""
SECRETS = "/_penstock/secret"
"""Where the local server asks for the secret of a session, which it cannot know."""


def guarded(app: Any, keys: Keys) -> Any:
    """MiniStack's application for programs of this machine that hold a key."""

    def secret_of(access_key_id: str, token: str) -> str | None:
        return secret(keys, access_key_id, token)

    async def inner(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http" and scope["path"] == SECRETS:
            asked = parse_qs(scope["query_string"].decode())
            found = secret(keys, asked.get("id", [""])[0], asked.get("token", [""])[0])
            body = json.dumps({"secret": found}).encode()
            headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
            await send({"type": "http.response.start", "status": 200, "headers": headers})
            await send({"type": "http.response.body", "body": body})
        else:
            await app(scope, receive, send)

    gate = Gate(inner, keys, secret_of=secret_of, needs=_needs, refuse=_refuse)
    return OwnMachineOnly(gate, has_pages=False)


def secret(keys: Keys, access_key_id: str, token: str) -> str | None:
    """The secret of a key: ours, a session of STS, or an IAM user's. None for any other."""
    if access_key_id in (keys.access_key_id, ACCOUNT_ID):  # functions sign as the account, without IAM
        return keys.secret_access_key
    from ministack.core.iam_evaluator import (
        AmbiguousAccessKeyError,
        ResolvedCredential,
        find_iam_access_key_account,
        is_root_access_key,
        resolve_credential,
    )
    from ministack.core.responses import _account_from_sts_session

    if is_root_access_key(access_key_id):
        return None
    try:
        account = _account_from_sts_session(access_key_id) or find_iam_access_key_account(access_key_id)
    except AmbiguousAccessKeyError:
        return None
    found = resolve_credential(access_key_id, account or ACCOUNT_ID, token)
    return str(found.secret_access_key) if isinstance(found, ResolvedCredential) else None


def _needs(scope: Mapping[str, Any]) -> Needs:
    method, path = scope["method"], scope["path"]
    if not path.startswith("/_"):  # no bucket's name starts so
        return Needs.SIGNATURE
    if (method == "GET" and path == HEALTH) or (method == "PUT" and path.startswith(RESPONSE_URL)):
        return Needs.NOTHING
    return Needs.TOKEN


def _refuse(scope: Mapping[str, Any], why: RefusedError) -> tuple[int, Mapping[str, str], bytes]:
    from ministack.core.iam_actions import access_denied_response
    from ministack.core.router import detect_service

    headers = joined(scope["headers"])
    query = parse_qs(scope.get("query_string", b"").decode("utf-8", "replace"), keep_blank_values=True)
    service = detect_service(scope["method"], scope["path"], headers, query)
    status, made, body = access_denied_response(
        service, "", "", "", error_code=why.code, message=why.message, headers=headers
    )
    return status, made, body


def install(keys: Keys) -> None:
    """Give functions, under enforced IAM, session keys that nobody can work out from their names."""
    from ministack import app
    from ministack.core import lambda_runtime
    from ministack.services import lambda_svc, sts

    stock = lambda_runtime.execution_credentials
    root = keys.derived("function sessions").encode()

    def execution_credentials(config: dict[str, Any]) -> dict[str, str]:
        if not app.AUTH:
            return dict(stock(config))
        account = config["FunctionArn"].split(":")[4]
        role, name = str(config.get("Role", "")), str(config.get("FunctionName", "function"))[:64]
        access, secret_key, token = (
            hmac.new(root, f"{what} {config['FunctionArn']} {role}".encode(), hashlib.sha256).hexdigest()
            for what in ("id", "secret", "token")
        )
        access = f"ASIA{access[:16].upper()}"
        role_name = role.rpartition("/")[2]
        sts.register_session(
            access,
            {
                "Arn": f"arn:aws:sts::{account}:assumed-role/{role_name}/{name}",
                "UserId": f"{role_name}:{name}",
                "SecretAccessKey": secret_key,
                "SessionToken": token,
            },
        )
        return {
            "AWS_ACCESS_KEY_ID": access,
            "AWS_SECRET_ACCESS_KEY": secret_key,
            "AWS_SESSION_TOKEN": token,
        }

    for module in (lambda_runtime, lambda_svc):
        module.execution_credentials = execution_credentials
