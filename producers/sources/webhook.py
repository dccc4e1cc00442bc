"""What the header of a source says about deliveries over HTTP that it reads (pure).

    -- webhook: github

or `stripe`, or `hmac` with the lines that say where signature and delivery id are.
"""

import re
from dataclasses import dataclass
from typing import Literal, cast, get_args

from producers.contracts import HeadedSql

Scheme = Literal["github", "stripe", "hmac"]
Algorithm = Literal["sha256", "sha512"]
Encoding = Literal["hex", "base64"]
HMAC_ONLY = ("signature_header", "signature", "delivery_header", "delivery_member")
NAMES = frozenset({"webhook", *HMAC_ONLY})
DELIVERY, KIND, RECEIVED_AT = "hook_delivery", "hook_kind", "hook_received_at"
"""Columns that every delivery has beside the members of its body: the provider's delivery id, its name for
the kind of event where it sends one as a header, and when the gateway took the delivery.
"""
_HEADER = re.compile(r"[A-Za-z0-9-]{1,64}")


@dataclass(frozen=True)
class Webhook:
    """How a provider signs and names its deliveries.

    Attributes:
        signature_header, delivery_header, kind_header: of the request, in lower case; empty for none.
        delivery_member: the member of the body that has the delivery id, where no header has it.
        algorithm, encoding: of the HMAC.
    """

    scheme: Scheme
    signature_header: str
    delivery_header: str = ""
    delivery_member: str = ""
    kind_header: str = ""
    algorithm: Algorithm = "sha256"
    encoding: Encoding = "hex"


_KNOWN = {
    "github": Webhook("github", "x-hub-signature-256", "x-github-delivery", kind_header="x-github-event"),
    "stripe": Webhook("stripe", "stripe-signature", delivery_member="id"),
}


def webhook_of(headed: HeadedSql) -> Webhook | None:
    """The webhook of a source; None for one that reads files only. Raises the header's error."""
    given = [name for name in HMAC_ONLY if name in headed.fields]
    scheme = headed.value("webhook", "")
    if not scheme:
        if given or "webhook" in headed.fields:
            raise headed.error(
                (given or ["webhook"])[0],
                f"Say whose webhook it is: '-- webhook:' and one of {', '.join(get_args(Scheme))}.",
            )
        return None
    if scheme not in get_args(Scheme):
        raise headed.error(
            "webhook", f"Unknown webhook {scheme!r}. Use one of: {', '.join(get_args(Scheme))}."
        )
    if headed.value("format") != "ndjson":
        raise headed.error("format", "A webhook's deliveries are JSON objects: its format is ndjson.")
    if scheme in _KNOWN:
        if given:
            raise headed.error(given[0], f"{given[0]} is for webhook hmac; {scheme} says it by itself.")
        return _KNOWN[scheme]
    return _hmac(headed)


def _hmac(headed: HeadedSql) -> Webhook:
    algorithm, _, encoding = headed.value("signature", "sha256 hex").partition(" ")
    encoding = encoding.strip()
    if algorithm not in get_args(Algorithm) or encoding not in get_args(Encoding):
        raise headed.error(
            "signature",
            f"A signature is one of {', '.join(get_args(Algorithm))}, then one of "
            f"{', '.join(get_args(Encoding))}: sha256 hex.",
        )
    member = headed.value("delivery_member", "")
    if bool(member) == ("delivery_header" in headed.fields):
        raise headed.error(
            "webhook",
            "Say where the delivery id is: '-- delivery_header: NAME' for a header of the request, or "
            "'-- delivery_member: NAME' for a member of the body.",
        )
    return Webhook(
        "hmac",
        _header(headed, "signature_header"),
        "" if member else _header(headed, "delivery_header"),
        member,
        algorithm=cast("Algorithm", algorithm),
        encoding=cast("Encoding", encoding),
    )


def _header(headed: HeadedSql, name: str) -> str:
    value = headed.value(name)
    if not _HEADER.fullmatch(value):
        raise headed.error(name, f"{value!r} is not a name of a header: letters, digits and -.")
    return value.lower()
