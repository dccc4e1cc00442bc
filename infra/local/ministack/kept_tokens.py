"""MiniStack keeps whole transactions for ten minutes, to know one again by its token. A digest will do."""

import hashlib
import json
from typing import Any


class Digest:
    """Equal to the request that it was made of, and to no other."""

    __slots__ = ("_digest",)

    def __init__(self, request: Any) -> None:
        self._digest = _digest(request)

    def __eq__(self, other: object) -> bool:
        return self._digest == _digest(other)

    __hash__ = None  # type: ignore[assignment]  # what it is equal to has none


def _digest(request: Any) -> bytes:
    text = json.dumps(request, sort_keys=True, default=repr)
    return hashlib.sha256(text.encode()).digest()


def install() -> None:
    """Make MiniStack's DynamoDB keep them so. `expire.install` has checked the version."""
    from ministack.services import dynamodb

    store = dynamodb._txn_token_store

    def keep(token: str, entry: dict[str, Any]) -> None:
        store(token, {**entry, "signature": Digest(entry["signature"])})

    dynamodb._txn_token_store = keep
