"""Asks the emulator: for the keys of a user pool, whose an access key is, and what a principal may do."""

import json
import ssl
import urllib.request
from collections.abc import Mapping
from typing import Any

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from infra.local.parts.context import LocalContext
from queries.engine.aws_session import aws_session


def pool_keys(context: LocalContext, pool: str) -> Mapping[str, Any]:
    """The JWKS of a user pool. Raises OSError."""
    url = f"{context.endpoint_url}/{pool}/.well-known/jwks.json"
    signed = AWSRequest("GET", url)
    keys = context.keys
    held = Credentials(keys.access_key_id, keys.secret_access_key)
    SigV4Auth(held, "cognito-idp", context.region).add_auth(signed)
    trust = ssl.create_default_context(cafile=str(context.ca_bundle)) if context.ca_bundle else None
    request = urllib.request.Request(url, headers=dict(signed.headers))  # noqa: S310 - loopback
    with urllib.request.urlopen(request, timeout=10, context=trust) as answer:  # noqa: S310
        found: dict[str, Any] = json.load(answer)
        return found


class EmulatorPrincipals:
    """Asks MiniStack's STS and IAM."""

    def __init__(self, context: LocalContext) -> None:
        self._context = context

    def arn(self, access_key_id: str, secret: str, token: str) -> str:
        """The principal's ARN. Raises ClientError."""
        session: Any = aws_session(
            aws_access_key_id=access_key_id, aws_secret_access_key=secret, aws_session_token=token or None,
            region_name=self._context.region,
        )  # fmt: skip
        sts = session.client(
            "sts",
            endpoint_url=self._context.endpoint_url,
            verify=str(self._context.ca_bundle) if self._context.ca_bundle else None,
        )
        return str(sts.get_caller_identity()["Arn"])

    def allows(self, principal: str, action: str, resource: str) -> bool:
        """Whether IAM would allow it. Raises ClientError."""
        if principal.endswith(":root"):
            return True
        answer = self._context.client("iam").simulate_principal_policy(
            PolicySourceArn=_source(principal), ActionNames=[action], ResourceArns=[resource]
        )
        return bool(answer["EvaluationResults"][0]["EvalDecision"] == "allowed")


def _source(principal: str) -> str:
    """A session's role: `...:sts::1:assumed-role/NAME/SESSION` is `...:iam::1:role/NAME`."""
    head, found, rest = principal.partition(":assumed-role/")
    return f"{head.replace(':sts:', ':iam:')}:role/{rest.partition('/')[0]}" if found else principal
