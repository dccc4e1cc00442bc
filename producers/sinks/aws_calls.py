"""What every sink on an AWS service has in common: clients, errors in the port's terms, a body of our own.

botocore keeps what is its own: credentials, signatures, TLS, endpoints, proxies. Only the bytes of the body
are replaced, after it has made its own and before it signs.
"""

import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectionError,  # noqa: A004 - botocore's, of which refused and reset connections are
    HTTPClientError,
    IncompleteReadError,
    NoCredentialsError,
)
from botocore.parsers import ResponseParserError

from producers.errors import ProducerError, RequestRefusedError, StreamRefusedError, StreamUnavailableError
from producers.sinks.aws_errors import SIGNATURE, SKEWED, is_content, is_retryable
from producers.sinks.inherited import leave_those_of

_CREDENTIALS = SIGNATURE | {
    "ExpiredToken",
    "ExpiredTokenException",
    "IncompleteSignature",
    "InvalidClientTokenId",
    "MissingAuthenticationToken",
    "MissingAuthenticationTokenException",
    "UnrecognizedClientException",
}
_TRANSPORT = (HTTPClientError, ConnectionError, IncompleteReadError, ResponseParserError)
CLOCK_SECONDS = 60.0  # more than this is worth a word; AWS refuses from five minutes on


def aws_client(service: str, **settings: Any) -> Any:
    """A boto3 client whose only retries are ours: one attempt per call, so that back-off has one owner."""
    import boto3

    return boto3.client(service, config=_config(), **settings)  # type: ignore[call-overload]


def renewed_client(service: str) -> Any:
    """As `aws_client`, with credentials that are read anew: a client keeps those that it began with."""
    import boto3

    default = boto3.DEFAULT_SESSION
    profile = default.profile_name if default is not None else None
    session = boto3.session.Session(
        profile_name=None if profile == "default" else profile,
        region_name=default.region_name if default is not None else None,
    )
    return session.client(service, config=_config())  # type: ignore[call-overload]


def _config() -> Any:
    from botocore.config import Config

    return Config(
        retries={"total_max_attempts": 1, "mode": "standard"},
        connect_timeout=5,
        read_timeout=30,
        max_pool_connections=16,
    )


class AwsCalls:
    """The calls of one sink. Used from several threads at once.

    Attributes:
        client: the client in use; another one once `renew` has replaced it.
    """

    def __init__(
        self, kind: str, name: str, put: str, client: Any, renew: Callable[[], Any] | None = None
    ) -> None:
        """`kind` and `name` say what is called, for messages. `put` is the operation whose body is ours, as
        botocore's events name it (`kinesis.PutRecords`). `renew` makes a client with fresh credentials, for
        when those of `client` are refused.
        """
        self._kind, self._name = kind, name
        self._event = f"before-call.{put}"
        self._renew = renew
        self._is_worn = False
        self._waiting = threading.local()
        self._bodies: list[bytearray] = []
        self._use(client)

    def _use(self, client: Any) -> None:
        self.client = client
        events = getattr(getattr(client, "meta", None), "events", None)
        # Without botocore's events the body cannot be put in place; the empty record would be sent instead.
        self.swaps = events is not None
        if events is not None:
            events.register(self._event, self.swap_body)

    @contextmanager
    def translated(self) -> Iterator[None]:
        """Around a call: exceptions of the AWS library as those of the port."""
        try:
            if self._is_worn and self._renew is not None:
                self._use(self._renew())
                self._is_worn = False
            yield
        except NoCredentialsError as error:
            self._is_worn = True
            raise StreamRefusedError(
                "No AWS credentials were found. Set AWS_PROFILE, or give the role to this host."
            ) from error
        except _TRANSPORT as error:
            raise StreamUnavailableError(f"{type(error).__name__}: {error}") from error
        except BotoCoreError as error:
            # Credentials that cannot be fetched, a name that is none: nothing that time heals.
            self._is_worn = True
            raise StreamRefusedError(f"{type(error).__name__}: {error}") from error
        except ClientError as error:
            if error_code(error) in _CREDENTIALS and not _is_skewed(error):
                self._is_worn = True
            raise self._meaning(error) from error

    def put(self, write: Callable[[bytearray], None], call: Callable[[], Any]) -> Any:
        """The answer of `call`, which puts a placeholder, with the body that `write` makes in its place."""
        body = self._body()
        write(body)
        self._waiting.body = body
        try:
            answer = call()
        finally:
            unsent = self._waiting.__dict__.pop("body", None)
        if unsent is not None:
            raise RuntimeError("botocore did not call the before-call hook; the request carried no records.")
        self._bodies.append(body)
        return answer

    def reopen(self) -> None:
        """Forgets pooled connections, for a process that was forked."""
        self._waiting = threading.local()
        self._bodies = []
        leave_those_of(self.client)

    def swap_body(self, params: dict[str, Any], **_: object) -> None:
        """The hook. Returns None: botocore would take anything else for the answer."""
        # Popped, so that another call through the same client keeps its own.
        body = self._waiting.__dict__.pop("body", None)
        if body is not None:
            params["body"] = body

    def _body(self) -> bytearray:
        """One that served before: of those the last, so that no more are kept than are used at a time."""
        try:
            return self._bodies.pop()
        except IndexError:
            return bytearray()

    def _meaning(self, error: ClientError) -> ProducerError:
        code = error_code(error)
        status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
        what = f"{self._kind} {self._name}"
        said = f"{what[0].upper()}{what[1:]}: {error}"
        if is_retryable(code, status):
            return StreamUnavailableError(said)
        if _is_skewed(error):
            # Every attempt is signed anew. What was on its way while the machine slept is accepted then.
            return StreamUnavailableError(f"{said} {_clock_difference(error)}".rstrip())
        if is_content(code, status):
            return RequestRefusedError(str(error))
        if code == "ResourceNotFoundException":
            return StreamRefusedError(
                f"There is no {what}. Deploy it, or name another one with --stream-name."
            )
        return StreamRefusedError(said)


def _is_skewed(error: ClientError) -> bool:
    """Whether the request was signed too long ago or too early, and not with a wrong key."""
    said = str(error.response.get("Error", {}).get("Message", ""))
    is_about_time = re.search("expired|not yet current", said, re.IGNORECASE) is not None
    return error_code(error) in SKEWED or (error_code(error) in SIGNATURE and is_about_time)


def _clock_difference(error: ClientError) -> str:
    """What the answer says of this machine's clock; botocore does not correct it."""
    headers = error.response.get("ResponseMetadata", {}).get("HTTPHeaders", {})
    try:
        theirs = parsedate_to_datetime(headers["date"])
    except (KeyError, ValueError):
        return ""
    seconds = (datetime.now(UTC) - theirs).total_seconds()
    if abs(seconds) < CLOCK_SECONDS:
        return ""
    return (
        f"The clock of this machine is {abs(seconds):,.0f} s {'ahead' if seconds > 0 else 'behind'}: set it."
    )


def error_code(error: ClientError) -> str:
    """The error's code, empty when the answer has none."""
    return str(error.response.get("Error", {}).get("Code", ""))
