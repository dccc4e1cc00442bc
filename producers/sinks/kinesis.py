"""The Kinesis adapter of the sink: PutRecords through boto3, with a request body of our own.

botocore keeps what is its own: credentials, signatures, TLS, endpoints, proxies. Only the bytes of the body
are replaced, after it has made its own and before it signs.
"""

import re
import threading
from collections.abc import Callable, Iterator, Sequence
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
from producers.sinks.body import put_records_body
from producers.sinks.port import DEFAULT_RECORD_BYTES, Answer, NotTaken, SinkRecord, StreamFacts, Taken
from producers.sinks.shard_map import Shard, ShardMap

_RETRYABLE = frozenset(
    {
        "InternalFailure",
        "InternalServerError",
        "KMSThrottlingException",
        "LimitExceededException",
        "ProvisionedThroughputExceededException",
        "RequestTimeout",
        "ResourceInUseException",  # the stream is being made or changed
        "ServiceUnavailable",
        "SlowDown",
        "Throttling",
        "ThrottlingException",
    }
)
_SKEWED = frozenset({"RequestExpired", "RequestInTheFuture", "RequestTimeTooSkewed"})
_SIGNATURE = frozenset({"InvalidSignatureException", "SignatureDoesNotMatch"})
_CREDENTIALS = _SIGNATURE | {
    "ExpiredToken",
    "ExpiredTokenException",
    "IncompleteSignature",
    "InvalidClientTokenId",
    "MissingAuthenticationToken",
    "MissingAuthenticationTokenException",
    "UnrecognizedClientException",
}
_TRANSPORT = (HTTPClientError, ConnectionError, IncompleteReadError, ResponseParserError)
_CONTENT = frozenset(
    {"InvalidArgumentException", "RequestEntityTooLarge", "SerializationException", "ValidationException"}
)
_DENIED = frozenset({"AccessDenied", "AccessDeniedException", "UnauthorizedOperation"})
CLOCK_SECONDS = 60.0  # more than this is worth a word; AWS refuses from five minutes on
_NOBODY = [{"Data": b"", "PartitionKey": "-"}]


def kinesis_client(**settings: Any) -> Any:
    """A boto3 client whose only retries are ours: one attempt per call, so that back-off has one owner."""
    import boto3

    return boto3.client("kinesis", config=_config(), **settings)


def renewed_client() -> Any:
    """As `kinesis_client`, with credentials that are read anew: a client keeps those that it began with."""
    import boto3

    default = boto3.DEFAULT_SESSION
    profile = default.profile_name if default is not None else None
    session = boto3.session.Session(
        profile_name=None if profile == "default" else profile,
        region_name=default.region_name if default is not None else None,
    )
    return session.client("kinesis", config=_config())


def _config() -> Any:
    from botocore.config import Config

    return Config(
        retries={"total_max_attempts": 1, "mode": "standard"},
        connect_timeout=5,
        read_timeout=30,
        max_pool_connections=16,
    )


class KinesisSink:
    """Puts records on one Kinesis stream. See `producers.sinks.port.RecordSink`."""

    def __init__(self, stream: str, client: Any, renew: Callable[[], Any] | None = None) -> None:
        """`stream` is the stream's name or ARN. `renew` makes a client with fresh credentials, for when those
        of `client` are refused.
        """
        self._renew = renew
        self._is_worn = False
        self._stream = ("StreamARN" if stream.startswith("arn:") else "StreamName", stream)
        self._named = {self._stream[0]: stream}
        self._waiting = threading.local()
        self._bodies: list[bytearray] = []
        self._use(client)

    def _use(self, client: Any) -> None:
        self._client = client
        events = getattr(getattr(client, "meta", None), "events", None)
        # Without botocore's events the body cannot be put in place; the empty record would be sent instead.
        self._swaps = events is not None
        if events is not None:
            events.register("before-call.kinesis.PutRecords", self._swap_body)

    def describe(self) -> StreamFacts:
        """The open shards, the record size and who distributes the records."""
        with self._translated():
            shards = self._shards()
        summary = self._summary()
        return StreamFacts(
            shards=shards,
            max_record_bytes=summary.get("MaxRecordSizeInKiB", DEFAULT_RECORD_BYTES // 1024) * 1024,
            ignores_keys=summary.get("RecordDistributionStrategy") == "AUTO",
        )

    def put_records(self, records: Sequence[SinkRecord]) -> Sequence[Answer]:
        """One PutRecords call."""
        with self._translated():
            answer = self._put_swapped(records) if self._swaps else self._put_plainly(records)
        entries = answer["Records"]
        if len(entries) != len(records):
            raise StreamUnavailableError(f"PutRecords answered {len(entries)} of {len(records)} records.")
        return [
            NotTaken(entry["ErrorCode"], entry.get("ErrorMessage", ""))
            if "ErrorCode" in entry
            else Taken(entry["ShardId"], entry["SequenceNumber"])
            for entry in entries
        ]

    def reopen(self) -> None:
        """Forgets pooled connections, for a process that was forked."""
        self._waiting = threading.local()
        self._bodies = []
        close = getattr(self._client, "close", None)
        if close is not None:
            close()

    @contextmanager
    def _translated(self) -> Iterator[None]:
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
            if _code(error) in _CREDENTIALS and not _is_skewed(error):
                self._is_worn = True
            raise _meaning(error, self._stream[1]) from error

    def _put_swapped(self, records: Sequence[SinkRecord]) -> Any:
        body = self._body()
        put_records_body(self._stream, records, body)
        self._waiting.body = body
        try:
            answer = self._client.put_records(Records=_NOBODY, **self._named)
        finally:
            unsent = self._waiting.__dict__.pop("body", None)
        if unsent is not None:
            raise RuntimeError("botocore did not call the before-call hook; the request carried no records.")
        self._bodies.append(body)
        return answer

    def _body(self) -> bytearray:
        """One that served before: of those the last, so that no more are kept than are used at a time."""
        try:
            return self._bodies.pop()
        except IndexError:
            return bytearray()

    def _swap_body(self, params: dict[str, Any], **_: object) -> None:
        # Popped, so that another call through the same client keeps its own. Returns None: botocore would
        # take anything else for the answer.
        body = self._waiting.__dict__.pop("body", None)
        if body is not None:
            params["body"] = body

    def _put_plainly(self, records: Sequence[SinkRecord]) -> Any:
        entries = [
            {"Data": record.data, "PartitionKey": record.partition_key}
            | ({"ExplicitHashKey": record.explicit_hash_key} if record.explicit_hash_key is not None else {})
            for record in records
        ]
        return self._client.put_records(Records=entries, **self._named)

    def _shards(self) -> ShardMap | None:
        found: list[Shard] = []
        asked: dict[str, Any] = {**self._named, "ShardFilter": {"Type": "AT_LATEST"}}
        try:
            while True:
                page = self._client.list_shards(**asked)
                found += map(_shard, page["Shards"])
                if "NextToken" not in page:
                    return ShardMap(found)
                asked = {"NextToken": page["NextToken"]}
        except ClientError as error:
            if _code(error) in _DENIED:
                return None
            raise

    def _summary(self) -> dict[str, Any]:
        # A permission that producers can do without; AWS's defaults hold then.
        try:
            summary: dict[str, Any] = self._client.describe_stream_summary(**self._named)[
                "StreamDescriptionSummary"
            ]
        except (ClientError, BotoCoreError):
            return {}
        return summary


def _shard(entry: dict[str, Any]) -> Shard:
    span = entry["HashKeyRange"]
    return Shard(entry["ShardId"], int(span["StartingHashKey"]), int(span["EndingHashKey"]))


def _meaning(error: ClientError, stream: str) -> ProducerError:
    code = _code(error)
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    if code in _RETRYABLE or status >= 500 or status == 429:
        return StreamUnavailableError(f"Stream {stream}: {error}")
    if _is_skewed(error):
        # Every attempt is signed anew. What was on its way while the machine slept is accepted then.
        return StreamUnavailableError(f"Stream {stream}: {error} {_clock_difference(error)}".rstrip())
    if code in _CONTENT or status == 413:
        return RequestRefusedError(str(error))
    if code == "ResourceNotFoundException":
        return StreamRefusedError(
            f"There is no stream {stream}. Deploy it, or name another one with --stream-name."
        )
    return StreamRefusedError(f"Stream {stream}: {error}")


def _is_skewed(error: ClientError) -> bool:
    """Whether the request was signed too long ago or too early, and not with a wrong key."""
    said = str(error.response.get("Error", {}).get("Message", ""))
    is_about_time = re.search("expired|not yet current", said, re.IGNORECASE) is not None
    return _code(error) in _SKEWED or (_code(error) in _SIGNATURE and is_about_time)


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


def _code(error: ClientError) -> str:
    return str(error.response.get("Error", {}).get("Code", ""))
