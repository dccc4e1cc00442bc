"""Calls of AWS's JSON services, signed and sent with the standard library alone.

boto3 takes a third of a second to load and a millisecond a call; a client of the collector waits for both.
Used from one thread: an execution environment serves one request at a time.
"""

import http.client
import select
import ssl
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from hmac import digest
from typing import Any
from urllib.parse import urlsplit

import msgspec

CONNECT_SECONDS, ANSWER_SECONDS = 1.0, 3.0
"""A call that takes longer is given up: the client waits for an answer."""
_ALGORITHM = "AWS4-HMAC-SHA256"
_CHINA = "cn-"


class CallError(Exception):
    """A call that did not succeed.

    Attributes:
        code: AWS's, as `ThrottlingException`; empty when no answer came: the call may have been served.
        status: of the answer; 0 when none came.
    """

    def __init__(self, code: str, status: int, message: str) -> None:
        super().__init__(message)
        self.code, self.status = code, status


@dataclass(frozen=True)
class Credentials:
    """Whose calls they are, and in which region."""

    access_key_id: str
    secret_access_key: str = field(repr=False)
    token: str = field(repr=False)
    region: str

    @classmethod
    def from_environ(cls, environ: Mapping[str, str]) -> "Credentials":
        """As Lambda gives them to a function, for as long as its execution environment lives."""
        return cls(
            environ["AWS_ACCESS_KEY_ID"],
            environ["AWS_SECRET_ACCESS_KEY"],
            environ.get("AWS_SESSION_TOKEN", ""),
            environ.get("AWS_REGION") or environ["AWS_DEFAULT_REGION"],
        )


class Signer:
    """Signs POST requests to `/` of one service at one host, by Signature Version 4."""

    def __init__(self, credentials: Credentials, service: str, host: str) -> None:
        self._credentials, self._service, self._host = credentials, service, host
        self._day, self._key, self._scope = "", b"", ""

    def headers(self, target: str, content_type: str, body: bytes | bytearray, now: float) -> dict[str, str]:
        """The request's headers but for its length. `now` is in epoch seconds."""
        stamp = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(now))
        if stamp[:8] != self._day:
            self._begin_day(stamp[:8])
        found = {"content-type": content_type, "host": self._host, "x-amz-date": stamp}
        if self._credentials.token:
            found["x-amz-security-token"] = self._credentials.token
        found["x-amz-target"] = target
        names = ";".join(found)  # in alphabetical order, as they stand above
        lines = "".join(f"{name}:{value}\n" for name, value in found.items())
        request = f"POST\n/\n\n{lines}\n{names}\n{sha256(body).hexdigest()}"
        text = f"{_ALGORITHM}\n{stamp}\n{self._scope}\n{sha256(request.encode()).hexdigest()}"
        signature = digest(self._key, text.encode(), "sha256").hex()
        found["authorization"] = (
            f"{_ALGORITHM} Credential={self._credentials.access_key_id}/{self._scope}, "
            f"SignedHeaders={names}, Signature={signature}"
        )
        return found

    def _begin_day(self, day: str) -> None:
        region = self._credentials.region
        key = f"AWS4{self._credentials.secret_access_key}".encode()
        for part in (day, region, self._service, "aws4_request"):
            key = digest(key, part.encode(), "sha256")
        self._day, self._key = day, key
        self._scope = f"{day}/{region}/{self._service}/aws4_request"


class SignedCalls:
    """Calls of one service over one connection, which is kept open between calls."""

    def __init__(
        self,
        service: str,
        version: str,
        protocol: str,
        *,
        environ: Mapping[str, str],
        clock: Callable[[], float],
    ) -> None:
        """`version` goes before an operation's name (`Kinesis_20131202`), `protocol` is the body's (`1.1`).

        `environ` has credentials and region, and where the service is when that is not AWS's own endpoint
        (`AWS_ENDPOINT_URL_<SERVICE>`, `AWS_ENDPOINT_URL`, `AWS_CA_BUNDLE`, as boto3 reads them).
        """
        credentials = Credentials.from_environ(environ)
        url = urlsplit(endpoint_of(service, credentials.region, environ))
        self._clock, self._version = clock, version
        self._media = f"application/x-amz-json-{protocol}"
        self._signer = Signer(credentials, service, url.netloc)
        self._connection = (
            http.client.HTTPSConnection(url.netloc, context=_trust(environ), timeout=CONNECT_SECONDS)
            if url.scheme == "https"
            else http.client.HTTPConnection(url.netloc, timeout=CONNECT_SECONDS)
        )

    def call(self, operation: str, body: bytes | bytearray) -> dict[str, Any]:
        """The answer to one call, tried once. Raises CallError."""
        headers = self._signer.headers(f"{self._version}.{operation}", self._media, body, self._clock())
        try:
            answer = self._sent(body, headers)
            status, text = answer.status, answer.read()
        except (OSError, http.client.HTTPException) as error:
            self._connection.close()
            raise CallError("", 0, f"{operation}: {type(error).__name__}: {error}") from error
        try:
            found = msgspec.json.decode(text) if text else {}
        except (msgspec.MsgspecError, UnicodeDecodeError):
            found = None
        if status == 200 and isinstance(found, dict):
            return found
        told = found if isinstance(found, dict) else {}
        code = str(told.get("__type", "")).rpartition("#")[2]
        message = told.get("message") or told.get("Message") or f"status {status}"
        raise CallError(code, status, f"{operation}: {code or status}: {message}")

    def close(self) -> None:
        """End the connection; the next call makes another."""
        self._connection.close()

    def _sent(self, body: bytes | bytearray, headers: dict[str, str]) -> http.client.HTTPResponse:
        idle: Any = self._connection.sock
        if idle is not None and _was_closed(idle):
            self._connection.close()
        if self._connection.sock is None:
            self._connection.connect()
            fresh: Any = self._connection.sock
            fresh.settimeout(ANSWER_SECONDS)
        self._connection.request("POST", "/", body, headers)
        return self._connection.getresponse()


def endpoint_of(service: str, region: str, environ: Mapping[str, str]) -> str:
    """Where a service is in a region."""
    given = environ.get(f"AWS_ENDPOINT_URL_{service.upper()}") or environ.get("AWS_ENDPOINT_URL")
    suffix = ".cn" if region.startswith(_CHINA) else ""
    return given or f"https://{service}.{region}.amazonaws.com{suffix}"


def _trust(environ: Mapping[str, str]) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=environ.get("AWS_CA_BUNDLE") or None)


def _was_closed(connection: Any) -> bool:
    """Whether the other side has closed an idle connection: nothing else makes it readable between calls."""
    waiting = select.poll()
    waiting.register(connection, select.POLLIN)
    return bool(waiting.poll(0))
