"""Programs that sign their calls: is the signature right, and does IAM allow what they ask for?"""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from infra.local.access.signatures import RefusedError as SignatureError
from infra.local.access.signatures import SecretOf, claim
from infra.local.graphql.errors import RefusedError, unauthorized
from infra.local.graphql.rules import IAM, Caller

SERVICE, ACTION = "appsync", "appsync:GraphQL"
_REMEMBERED_SECONDS = 30.0


class Principals(Protocol):
    """What IAM says of a key and its principal."""

    def arn(self, access_key_id: str, secret: str, token: str) -> str:
        """The principal's ARN."""
        ...

    def allows(self, principal: str, action: str, resource: str) -> bool:
        """Whether the principal may do this."""
        ...


@dataclass(frozen=True)
class Signed:
    """A request that may be signed, whatever carries it: HTTP, or a message of a socket."""

    path: str
    headers: Mapping[str, str]
    body: bytes
    query: bytes = b""

    @property
    def scope(self) -> dict[str, Any]:
        """The same as an ASGI request, which is what signatures are read from."""
        return {
            "type": "http",
            "method": "POST",
            "path": self.path,
            "raw_path": self.path.encode(),
            "query_string": self.query,
            "headers": [(name.lower().encode(), value.encode()) for name, value in self.headers.items()],
        }


class Programs:
    """Knows programs by their signatures, and asks IAM about them where it is enforced.

    Without `principals` whoever holds a key of this cloud may use what the schema opens to IAM.
    """

    def __init__(
        self,
        secret_of: SecretOf,
        account: str,
        principals: Principals | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._secret_of, self._account = secret_of, account
        self._principals, self._clock = principals, clock
        self._decided: dict[tuple[str, str], tuple[float, bool]] = {}

    def caller(self, signed: Signed) -> Caller:
        """Who has signed the request. Raises RefusedError."""
        try:
            claimed = claim(signed.scope, self._secret_of)
            claimed.verify(signed.body)
        except SignatureError as error:
            kind = "BadRequestException" if error.code == "SignatureDoesNotMatch" else error.code
            raise RefusedError(kind, error.message, 403 if kind == error.code else 400) from None
        if getattr(claimed.signature, "service", "") != SERVICE:
            raise unauthorized(f"Sign the request for {SERVICE}.")
        key = claimed.signature.access_key_id
        arn = f"arn:aws:iam::{self._account}:root"
        if self._principals is not None:
            token = claimed.request.headers.get("x-amz-security-token", "")
            arn = self._principals.arn(key, claimed.secret, token)
        identity = {
            "accountId": self._account,
            "sourceIp": ["127.0.0.1"],
            "userArn": arn,
            "username": arn.rpartition("/")[2],
        }
        return Caller(IAM, arn, identity=identity)

    def asks_iam(self, caller: Caller) -> bool:
        """Whether IAM has a say in what this caller may do."""
        return self._principals is not None and caller.mode == IAM

    def allows(self, caller: Caller, resource: str) -> bool:
        """Whether IAM lets this caller use the field with this ARN."""
        if self._principals is None:
            return True
        key, now = (caller.name, resource), self._clock()
        until, allowed = self._decided.get(key, (0.0, False))
        if now >= until:
            allowed = self._principals.allows(caller.name, ACTION, resource)
            self._decided = {each: kept for each, kept in self._decided.items() if kept[0] > now}
            self._decided[key] = (now + _REMEMBERED_SECONDS, allowed)
        return allowed
