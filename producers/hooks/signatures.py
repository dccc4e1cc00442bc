"""Signatures of deliveries: HMAC over the body, as each provider writes it (pure)."""

import base64
import binascii
import hmac
from collections.abc import Iterable

from producers.sources.webhook import Webhook

TOLERANCE_SECONDS = 300
"""Between the time that Stripe signs with and the time that the gateway took the delivery. How long the
delivery waited in the queue does not count.
"""


def is_signed(
    webhook: Webhook, secrets: Iterable[str], body: bytes, signature: str, received_ms: int
) -> bool:
    """Whether one of the secrets signed this body."""
    if webhook.scheme == "stripe":
        timestamp, given = _stripe(signature)
        if timestamp is None or abs(received_ms / 1000 - timestamp) > TOLERANCE_SECONDS:
            return False
        signed = f"{timestamp}.".encode() + body
    else:
        signed, given = body, [_bytes(webhook, signature)]
    return any(
        hmac.compare_digest(hmac.digest(secret.encode(), signed, webhook.algorithm), each)
        for secret in secrets
        for each in given
        if secret and each
    )


def _bytes(webhook: Webhook, signature: str) -> bytes:
    """The signature's bytes; none for what is not one. `sha256=` may stand before it."""
    prefix = f"{webhook.algorithm}="
    if webhook.scheme == "github" and not signature.startswith(prefix):
        return b""
    return _decoded(signature.removeprefix(prefix).strip(), webhook.encoding)


def _decoded(text: str, encoding: str) -> bytes:
    try:
        return bytes.fromhex(text) if encoding == "hex" else base64.b64decode(text, validate=True)
    except (ValueError, binascii.Error):
        return b""


def _stripe(signature: str) -> tuple[int | None, list[bytes]]:
    """(time in epoch seconds, every v1 signature) of `t=1492774577,v1=5257a8...,v0=...`."""
    timestamp: int | None = None
    found = []
    for part in signature.split(","):
        name, _, value = part.strip().partition("=")
        if name == "t" and value.isascii() and value.isdigit() and len(value) < 12:
            timestamp = int(value)
        elif name == "v1":
            found.append(_decoded(value, "hex"))
    return timestamp, found
