"""The collector: a request in, an answer out, with every port passed in (pure)."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Any

import msgspec

from producers.collector.body import read_events
from producers.collector.delivery import Delivery, NotSafeError
from producers.collector.events import Preparing
from producers.collector.keys import Keys, WriteKey
from producers.collector.messages import Answer, Request, refusal
from producers.collector.prepared import At, Prepared, faults_of, sender_of
from producers.collector.problems import ProblemError
from producers.collector.quota import Quotas
from producers.collector.records import MESSAGE_BYTES, RECORD_BYTES, records
from producers.collector.sequence import Sequence as Places
from producers.contracts import AUDIT_TYPE, Stream
from producers.identity import EventIds

RETRY_SECONDS = 5


@dataclass
class Outcome:
    """What one request came to, for the log: no value of it is from a body.

    Attributes:
        source: the key's; empty when there was none.
        code: of the problem; empty when there was none.
        taken, kept, spilled: events that are safe; those of them that break the contract; those in the queue.
    """

    source: str = ""
    code: str = ""
    taken: int = 0
    kept: int = 0
    spilled: int = 0


@dataclass
class Collector:
    """One execution environment. It serves one request at a time.

    `clock` gives epoch seconds, `hash_key` a random 128-bit number in decimal; `is_ready` asks the stream.
    """

    streams: Mapping[str, Stream]
    keys: Keys
    quotas: Quotas
    delivery: Delivery
    places: Places
    ids: EventIds
    clock: Callable[[], float]
    monotonic: Callable[[], float]
    hash_key: Callable[[], str]
    is_ready: Callable[[], bool]

    def __post_init__(self) -> None:
        self._preparing = {name: Preparing(stream) for name, stream in self.streams.items()}

    def answer(self, request: Request) -> tuple[Answer, Outcome]:
        """The answer to one request, and what it came to."""
        outcome = Outcome()
        try:
            return self._routed(request, outcome), outcome
        except ProblemError as problem:
            outcome.code = problem.code
            return refusal(problem, request.request_id), outcome

    def _routed(self, request: Request, outcome: Outcome) -> Answer:
        method = {"/v1/batch": "POST", "/v1/health": "GET", "/v1/ready": "GET"}.get(request.path)
        if method is None:
            raise ProblemError("not_found", "There are POST /v1/batch, GET /v1/health and GET /v1/ready.")
        if request.method != method:
            raise ProblemError("method_not_allowed", f"{request.path} answers {method}.")
        if request.path == "/v1/health":
            return Answer(200, b'{"status":"ok","time":%d}' % int(self.clock() * 1000))
        if request.path == "/v1/ready":
            if self.is_ready():
                return Answer(200, b'{"status":"ready"}')
            raise ProblemError("unavailable", "The stream does not answer.", retry_after=RETRY_SECONDS)
        return self._batch(request, outcome)

    def _batch(self, request: Request, outcome: Outcome) -> Answer:
        key = self.keys.allowed(request)
        outcome.source = key.source
        raw = read_events(request.body, request.headers.get("content-type", ""))
        stream = self._stream(request, key)
        events = self._prepared(raw, stream, key, request)
        self.quotas.check(key, len(events))
        try:
            outcome.spilled = self._put(stream, events)
        except NotSafeError as error:
            outcome.taken = error.safe
            self.quotas.took(key, error.safe)
            raise _unavailable(error.safe) from error
        self.quotas.took(key, len(events))
        faults = faults_of(events)
        outcome.taken, outcome.kept = len(events), len(faults)
        return _taken(len(events), faults, request.request_id)

    def _stream(self, request: Request, key: WriteKey) -> str:
        allowed = [name for name in key.streams if name in self.streams]
        wanted = request.query.get("stream") or (allowed[0] if len(allowed) == 1 else "")
        if wanted not in allowed:
            named = ", ".join(allowed) or "none that is deployed"
            raise ProblemError("no_stream", f"Name a stream of the key with ?stream=. It has: {named}.")
        return wanted

    def _prepared(self, raw: Sequence[bytes], stream: str, key: WriteKey, request: Request) -> list[Prepared]:
        preparing = self._preparing[stream]
        moment = preparing.moment(int(self.clock() * 1000))
        sender = sender_of(request.address, request.headers.get("user-agent", ""))
        return [
            preparing.prepare(each, key, sender, moment, self.ids.next(), At(request.request_id, index))
            for index, each in enumerate(raw)
        ]

    def _put(self, stream: str, events: list[Prepared]) -> int:
        """Make the events safe and take their places; how many went to the queue. Raises NotSafeError."""
        data, keys = self.places.place(events), [event.key for event in events]
        time = f"{datetime.fromtimestamp(self.clock(), UTC):%Y-%m-%dT%H:%M:%S.000Z}"
        audit = self.places.audit(events, self.ids.next(), time, self.monotonic())
        if audit:  # behind the events: it must not arrive before them
            data.append(audit)
            keys.append(AUDIT_TYPE)
        hash_key, safe, spilled = self.hash_key(), 0, 0
        for count, record in records(data, keys, hash_key, RECORD_BYTES):
            part = slice(safe, safe + count)
            try:
                messages = partial(records, data[part], keys[part], hash_key, MESSAGE_BYTES)
                on_stream = self.delivery.put(stream, record, messages)
            except NotSafeError as error:
                safe = min(safe + error.safe, len(events))
                self.places.took(events[:safe])
                self.places.audit_lost()
                if error.is_ambiguous:
                    self.places.lost_track(int(self.clock() * 1000))
                raise NotSafeError(safe, error.is_ambiguous) from error
            safe += count
            spilled += 0 if on_stream else count
        self.places.took(events)
        return min(spilled, len(events))


def _unavailable(safe: int) -> ProblemError:
    if not safe:
        return ProblemError(
            "unavailable", "Nothing was taken. Send it again later.", retry_after=RETRY_SECONDS
        )
    return ProblemError(
        "unavailable",
        f"The first {safe} events were taken. Send the others again later.",
        retry_after=RETRY_SECONDS,
        more={"accepted": safe},
    )


def _taken(count: int, faults: list[dict[str, Any]], request_id: str) -> Answer:
    if not faults:
        return Answer(200, b'{"accepted":%d}' % count)
    if len(faults) == count:
        problem = ProblemError(
            "nothing_valid",
            "Every event breaks its contract. All are kept as failed records: do not send them again.",
            more={"kept": faults},
        )
        return refusal(problem, request_id)
    return Answer(207, msgspec.json.encode({"accepted": count - len(faults), "kept": faults}))
