"""One way to write JSON, so that equal content is equal bytes and has an equal hash."""

import hashlib
import json
from typing import Any


def canonical(value: Any) -> str:
    """JSON with sorted keys and no spaces. Raises ValueError for NaN and infinities."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def content_hash(value: Any) -> str:
    """The first 32 hex digits of the SHA-256 of the canonical form."""
    return hashlib.sha256(canonical(value).encode()).hexdigest()[:32]
