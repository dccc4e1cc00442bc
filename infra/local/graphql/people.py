"""People of a user pool: is a token real, still valid, of this pool and of a client that may ask?"""

import re
import time
from collections.abc import Callable, Mapping
from typing import Any

import jwt

from infra.local.graphql.definitions import Pool
from infra.local.graphql.errors import unauthorized
from infra.local.graphql.rules import POOL, Caller

KeysOf = Callable[[str], Mapping[str, Any]]
"""Id of a user pool to its JWKS, as it is now."""

_ASK_AGAIN_SECONDS = 5.0
_ALGORITHM = "RS256"


class PoolKeys:
    """The public keys of user pools. A key that is not known is asked for, every few seconds at most."""

    def __init__(self, keys_of: KeysOf, clock: Callable[[], float] = time.monotonic) -> None:
        self._keys_of, self._clock = keys_of, clock
        self._known: dict[tuple[str, str], jwt.PyJWK] = {}
        self._asked: dict[str, float] = {}

    def known(self, pool: str, name: str) -> bool:
        """Whether `key` answers without asking anybody."""
        return (pool, name) in self._known or not self._is_due(pool)

    def key(self, pool: str, name: str) -> jwt.PyJWK | None:
        """The key of this name (`kid`), if the pool has one. Raises OSError."""
        if (pool, name) not in self._known and self._is_due(pool):
            self._asked[pool] = self._clock()
            for each in jwt.PyJWKSet.from_dict(dict(self._keys_of(pool))).keys:
                self._known[pool, str(each.key_id)] = each
        return self._known.get((pool, name))

    def _is_due(self, pool: str) -> bool:
        return self._clock() - self._asked.get(pool, -_ASK_AGAIN_SECONDS) >= _ASK_AGAIN_SECONDS


class People:
    """Reads the tokens of people."""

    def __init__(self, keys: PoolKeys) -> None:
        self._keys = keys

    def caller(self, pool: Pool, header: str) -> Caller:
        """Who sends this Authorization header. Raises RefusedError in AppSync's words."""
        token = header.removeprefix("Bearer ")
        try:
            name = str(jwt.get_unverified_header(token).get("kid", ""))
            key = self._keys.key(pool.pool_id, name)
            if key is None:
                raise unauthorized("Unable to verify the token: its key is none of the user pool.")
            options = {"require": ["exp", "iss", "sub", "token_use"], "verify_aud": False}
            claims: dict[str, Any] = jwt.decode(
                token, key, algorithms=[_ALGORITHM], issuer=pool.issuer, options=options,  # type: ignore[arg-type]
            )  # fmt: skip
        except jwt.ExpiredSignatureError:
            raise unauthorized("Token has expired.") from None
        except (jwt.PyJWTError, ValueError):
            raise unauthorized("Unable to parse JWT token.") from None
        return _caller(pool, claims)


def _caller(pool: Pool, claims: Mapping[str, Any]) -> Caller:
    client = {"access": claims.get("client_id"), "id": claims.get("aud")}.get(str(claims["token_use"]))
    if client is None or (pool.clients and not re.fullmatch(pool.clients, str(client))):
        raise unauthorized()
    listed = claims.get("cognito:groups")
    groups = [str(each) for each in listed] if isinstance(listed, list) else []
    identity = {
        "claims": dict(claims),
        "defaultAuthStrategy": "DENY" if pool.denies else "ALLOW",
        "groups": groups or None,
        "issuer": pool.issuer,
        "sourceIp": ["127.0.0.1"],
        "sub": claims["sub"],
        "username": claims.get("username") or claims.get("cognito:username") or claims["sub"],
    }
    return Caller(POOL, str(claims["sub"]), frozenset(groups), identity)
