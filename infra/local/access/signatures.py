"""Whether a request carries a signature of somebody whose secret is known here.

The canonical forms of SigV4 are MiniStack's own functions. What it does not do by itself without enforced
IAM, and never for its root keys, is to ask for a signature at all.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs

from ministack.core import sigv4
from ministack.core.router import extract_access_key_id

from infra.local.access.old_presigned import OldPresigned

SecretOf = Callable[[str, str], str | None]
"""(access key id, session token) -> the secret, or None for a key that is not known."""

_HELP = 'Use: eval "$(penstock local env)"'


class RefusedError(Exception):
    """A request without a valid signature: AWS's error code and a sentence."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.code, self.message = code, message


@dataclass(frozen=True)
class Request:
    """What of a request can be signed, but for its body."""

    method: str
    raw_path: str
    query: Mapping[str, list[str]]
    headers: Mapping[str, str]

    @classmethod
    def of(cls, scope: Mapping[str, Any]) -> "Request":
        """An ASGI request."""
        query = parse_qs(scope.get("query_string", b"").decode("utf-8", "replace"), keep_blank_values=True)
        raw_path = scope.get("raw_path") or scope["path"].encode()
        return cls(scope["method"], raw_path.decode("latin-1"), query, joined(scope["headers"]))


@dataclass(frozen=True)
class Claim:
    """A signature that has been read and not yet verified; its key is known.

    Attributes:
        presigned: it is part of the address, not a header.
    """

    request: Request
    signature: sigv4.HeaderSignature | OldPresigned
    secret: str
    presigned: bool

    @property
    def needs_body(self) -> bool:
        """S3's clients send the digest of the body, or say that they left it out."""
        return not self.presigned and "x-amz-content-sha256" not in self.request.headers

    def verify(self, body: bytes) -> None:
        """Raises RefusedError."""
        r = self.request
        if isinstance(self.signature, OldPresigned):
            if not self.signature.is_right(self.secret, r.method, r.raw_path, r.query, r.headers):
                raise RefusedError("SignatureDoesNotMatch", sigv4.SIGNATURE_MISMATCH)
        elif failure := sigv4.header_signature_failure(
            self.signature, self.secret, r.method, r.raw_path, r.query, r.headers, body,
            presigned=self.presigned,
        ):  # fmt: skip
            raise RefusedError(*failure)


def claim(scope: Mapping[str, Any], secret_of: SecretOf) -> Claim:
    """Read the signature of an ASGI request, from its header or its address. Raises RefusedError."""
    request = Request.of(scope)
    headers, query = request.headers, request.query
    authorization = headers.get("authorization", "")
    read: sigv4.HeaderSignature | OldPresigned | tuple[str, str]
    if authorization.startswith("AWS4-HMAC-SHA256"):
        read, token = sigv4.parse_header_signature(headers), headers.get("x-amz-security-token", "")
        presigned = False
    elif not authorization and "X-Amz-Signature" in query:
        read, token = sigv4.parse_query_signature(query), query.get("X-Amz-Security-Token", [""])[0]
        presigned = True
    elif not authorization and (old := OldPresigned.of(query)):
        read, token, presigned = old, old.token, True
    else:
        raise RefusedError(
            "MissingAuthenticationToken",
            f"The request is not signed with a key of this local cloud. {_HELP}",
        )
    if isinstance(read, tuple):
        raise RefusedError(*read)
    # MiniStack looks the key up once more, in its own way; it must be the one that is verified here.
    if extract_access_key_id(dict(headers), query) != read.access_key_id:
        raise RefusedError("IncompleteSignature", "The request has more than one signature.")
    secret = secret_of(read.access_key_id, token)
    if secret is None:
        raise RefusedError(
            "InvalidAccessKeyId" if isinstance(read, OldPresigned) or read.service == "s3"
            else "UnrecognizedClientException",
            f"{read.access_key_id[:24]!r} is not a key of this local cloud. {_HELP}",
        )  # fmt: skip
    if presigned and _is_expired(read, query):
        raise RefusedError("AccessDenied", "Request has expired")
    return Claim(request, read, secret, presigned)


def joined(raw: list[tuple[bytes, bytes]]) -> dict[str, str]:
    """Headers by name; SigV4 signs one that is sent on several lines as its values joined by commas."""
    headers: dict[str, str] = {}
    for name, value in raw:
        key, text = name.decode("latin-1"), sigv4.decode_header_value(value)
        headers[key] = f"{headers[key]},{text}" if key in headers else text
    return headers


def _is_expired(read: sigv4.HeaderSignature | OldPresigned, query: Mapping[str, list[str]]) -> bool:
    if isinstance(read, OldPresigned):
        return read.is_expired
    try:
        expires = query.get("X-Amz-Expires", ["0"])[0]
        return bool(sigv4.presigned_request_is_expired(read.amz_date, expires))
    except ValueError:
        return True
