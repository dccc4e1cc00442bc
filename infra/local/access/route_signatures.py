"""Routes of an HTTP API that ask for a signature. MiniStack itself takes any Authorization header there.

A client signs the address that it knows. MiniStack has the route under an address of its own, and with
enforced IAM looks at the signature once more: so a request whose signature is right is signed anew for that
address, with the same key.
"""

from collections.abc import Callable
from typing import Any

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from ministack.core.sigv4 import HeaderSignature

from infra.local.access.signatures import Claim, RefusedError, SecretOf, claim

SERVICE = "execute-api"
_SIGNING = frozenset({b"authorization", b"x-amz-date", b"x-amz-security-token", b"x-amz-content-sha256"})

IsSigned = Callable[[str, str, str], bool]
"""(id of the API, method, path) -> whether the route asks for a signature."""
RawHeaders = list[tuple[bytes, bytes]]


class RouteSignatures:
    """Who may use the routes that ask for a signature: programs that hold a key of this cloud."""

    def __init__(self, is_signed: IsSigned, secret_of: SecretOf) -> None:
        self._is_signed, self._secret_of = is_signed, secret_of

    def headers(self, scope: Any, api: str, address: str, body: bytes) -> RawHeaders:
        """What is handed on as the request's headers; `address` is MiniStack's path of the route.

        Raises RefusedError where a signature is asked for and there is no right one.
        """
        if not self._is_signed(api, scope["method"], scope["path"]):
            return [each for each in scope["headers"] if each[0] not in (b"x-amz-target", b"x-amz-date")]
        claimed = claim(scope, self._secret_of)
        if not isinstance(claimed.signature, HeaderSignature) or claimed.presigned:
            raise RefusedError("MissingAuthenticationToken", "Sign the request in its Authorization header.")
        if claimed.signature.service != SERVICE:
            raise RefusedError("InvalidSignatureException", f"Sign the request for {SERVICE}.")
        claimed.verify(body)
        return _signed_anew(scope, claimed, claimed.signature, address, body)


def _signed_anew(
    scope: Any, claimed: Claim, signature: HeaderSignature, address: str, body: bytes
) -> RawHeaders:
    asked = claimed.request.headers
    query = scope.get("query_string", b"").decode("latin-1")
    request = AWSRequest(
        scope["method"],
        f"http://{asked['host']}{address}{'?' if query else ''}{query}",
        {"host": asked["host"]},
        body,
    )
    held = Credentials(signature.access_key_id, claimed.secret, asked.get("x-amz-security-token"))
    SigV4Auth(held, SERVICE, signature.region).add_auth(request)
    made = {name.lower().encode(): value.encode() for name, value in request.headers.items()}
    kept = [each for each in scope["headers"] if each[0] not in _SIGNING]
    return [*kept, *((name, value) for name, value in made.items() if name in _SIGNING)]


def asks_for_signature(api: str, method: str, path: str) -> bool:
    """Whether MiniStack knows the route as one with AWS_IAM."""
    from ministack.services import apigateway

    found = apigateway.route_authorization_type(api, "$default", method, path)
    return bool(found == "AWS_IAM")
