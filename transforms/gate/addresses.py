"""What of an address the lake keeps: no user, no fragment, and of the query the declared parameters only.

An address carries more than a place: tokens that open an account, e-mail addresses of newsletters, what
somebody searched for. Which parameters are harmless only the contract knows, so what it does not name is
removed. Paths stay as they are. No regular expressions: each would be compiled at every cold start.
"""

from collections.abc import Collection
from typing import Any

import msgspec

from transforms.contracts import LakeTable, field_extra, payload_column, payload_hints

_IN_SCHEMES = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+.-"
_WITH_PLACES = frozenset({"http", "https", "ws", "wss", "ftp", "android-app", "ios-app"})
"""Schemes whose addresses lead to a host. Behind others stands what is somebody's: a file, a document."""


def cleaned(address: str, kept: Collection[str]) -> str:
    """The address as the lake holds it; `kept` names query parameters. Never longer than it was."""
    head, mark, query = address.partition("?")
    return head_of(head) + (query_of(query, kept) if mark and "#" not in head else "")


def head_of(head: str) -> str:
    """What stands before the query, without user name, password and fragment."""
    head = head.partition("#")[0]
    scheme, mark, rest = head.partition("://")
    if mark and _is_scheme(scheme):
        if scheme.lower() not in _WITH_PLACES:
            return f"{scheme}:"
        beginning = f"{scheme}://"
    elif head.startswith("//"):
        beginning, rest = "//", head[2:]
    elif head.startswith("/"):
        return head
    else:
        return _without_beginning(head)
    host, slash, path = rest.partition("/")
    return f"{beginning}{host.rpartition('@')[2]}{slash}{path}"


def _without_beginning(head: str) -> str:
    first, slash, path = head.partition("/")
    if "@" in first:
        return f"{first.rpartition('@')[2]}{slash}{path}"
    scheme, colon, rest = head.partition(":")
    if colon and _is_scheme(scheme) and not rest.partition("/")[0].isdigit():  # `example.com:443` has a port
        return f"{scheme}:"
    return head


def _is_scheme(text: str) -> bool:
    return text[:1].isalpha() and not text.strip(_IN_SCHEMES)


def query_of(query: str, kept: Collection[str]) -> str:
    """`?` with those parameters of the query that are kept, in their order; empty when there are none."""
    members = query.partition("#")[0].replace(";", "&").split("&")
    found = [each for each in members if each.partition("=")[0] in kept]
    return f"?{'&'.join(found)}" if found else ""


def json_size(text: str) -> int:
    """Bytes of the text in JSON, without its quotes."""
    return len(msgspec.json.encode(text)) - len('""')


def cleaned_row(table: LakeTable, row: bytes) -> bytes:
    """A row that was made before its contract said what is kept, as it would be made now."""
    members: dict[str, Any] = msgspec.json.decode(row)
    for event_type in table.delivered:
        payload = members.get(payload_column(event_type))
        if isinstance(payload, dict):
            for name, hint in payload_hints(event_type):
                kept = field_extra(hint).get("query")
                if kept is not None and isinstance(payload.get(name), str):
                    payload[name] = cleaned(payload[name], kept)
    return msgspec.json.encode(members)
