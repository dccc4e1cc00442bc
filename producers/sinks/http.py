"""The HTTP adapter of the sink: events through a collector, for programs without AWS credentials.

The collector takes whole envelopes by a key that allows them (`penstock keys create SOURCE --envelopes`), so
producer, epoch and places in the sequence stay this producer's own. One event is one record.
"""

import gzip
from collections.abc import Iterator, Sequence
from typing import Any
from urllib.parse import urlencode

import msgspec
import urllib3

from producers.errors import ProducerError, RequestRefusedError, StreamRefusedError, StreamUnavailableError
from producers.sinks.inherited import leave
from producers.sinks.port import Answer, NotTaken, SinkRecord, StreamFacts, Taken

MAX_EVENT_BYTES = 32 * 1024
MAX_EVENTS, MAX_BODY_BYTES = 500, 1 << 20
"""Of a request, unpacked: the collector's limits."""
_CONTENT = frozenset({400, 413, 415})
_KEY = frozenset({401, 403})


class HttpSink:
    """Puts records on a stream through the collector. See `producers.sinks.port.RecordSink`.

    An event that breaks its contract counts as taken: the collector keeps it as a failed record, and its
    answer's `sequence_number` says so (`kept: invalid`).
    """

    def __init__(self, url: str, key: str, stream: str = "", *, seconds: float = 10.0) -> None:
        """`url` is the collector's address without a path; `stream` is needed where the key allows several;
        an answer is waited for so many seconds.
        """
        query = f"?{urlencode({'stream': stream})}" if stream else ""
        self._url = f"{url.rstrip('/')}/v1/batch{query}"
        self._headers = {"content-type": "application/x-ndjson", "x-write-key": key}
        self._seconds = seconds
        self._pool = self._connections()

    def describe(self) -> StreamFacts:
        """What holds for every collector; nothing is asked."""
        return StreamFacts(shards=None, max_record_bytes=MAX_EVENT_BYTES, takes_aggregates=False)

    def put_records(self, records: Sequence[SinkRecord]) -> Sequence[Answer]:
        """One request, or several where the records are too many bytes for one."""
        answers: list[Answer] = []
        for part in _parts(records):
            try:
                answers += self._put(part)
            except ProducerError as error:
                if not answers:
                    raise
                # Those before are safe. Sent again alone, the others get this error, or are taken.
                left = len(records) - len(answers)
                return [*answers, *[NotTaken(type(error).__name__, str(error))] * left]
        return answers

    def reopen(self) -> None:
        """Forgets pooled connections, for a process that was forked."""
        leave(self._pool)
        self._pool = self._connections()

    def _connections(self) -> urllib3.PoolManager:
        return urllib3.PoolManager(timeout=self._seconds, retries=False, maxsize=16)

    def _put(self, records: Sequence[SinkRecord]) -> list[Answer]:
        body = gzip.compress(b"\n".join(record.data for record in records), compresslevel=1)
        try:
            answer = self._pool.request("POST", self._url, body=body, headers=self._headers)
        except urllib3.exceptions.HTTPError as error:
            raise StreamUnavailableError(f"The collector does not answer: {type(error).__name__}.") from error
        told = _document(answer.data)
        if answer.status in (200, 207, 422):
            return _taken(len(records), told.get("kept", []))
        code, detail = str(told.get("code", answer.status)), str(told.get("detail", "no reason was given"))
        said = f"The collector answers {answer.status}, {code}: {detail}"
        if answer.status in _CONTENT:
            raise RequestRefusedError(said)
        if answer.status in _KEY or answer.status == 404:
            raise StreamRefusedError(said)
        if "code" not in told:
            raise StreamUnavailableError(said)  # a gateway's: the function may have put them all the same
        safe = told.get("accepted", 0)
        return [*_taken(safe, []), *[NotTaken(code, detail)] * (len(records) - safe)]


def _parts(records: Sequence[SinkRecord]) -> Iterator[Sequence[SinkRecord]]:
    start, size = 0, 0
    for index, record in enumerate(records):
        size += len(record.data) + 1
        if index > start and (size > MAX_BODY_BYTES or index - start == MAX_EVENTS):
            yield records[start:index]
            start, size = index, len(record.data) + 1
    yield records[start:]


def _taken(count: int, kept: Sequence[dict[str, Any]]) -> list[Answer]:
    faults = {each["index"]: f"kept: {each['code']}" for each in kept}
    return [Taken("", faults.get(index, "")) for index in range(count)]


def _document(body: bytes) -> dict[str, Any]:
    try:
        found = msgspec.json.decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return {}
    return found if isinstance(found, dict) else {}
