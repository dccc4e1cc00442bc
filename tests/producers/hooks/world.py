"""Webhooks with ports in memory: a queue, a table, a stream, refusals; any call to a port can be the last one."""

import base64
import hashlib
import hmac
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache, partial
from pathlib import Path
from random import Random
from typing import Any

import msgspec

from producers.collector.sequence import Sequence as Places
from producers.errors import StreamUnavailableError
from producers.hooks.mapping import SourceMapping
from producers.hooks.message import Message, Reason
from producers.hooks.putting import StreamPutting
from producers.hooks.secrets import Secrets
from producers.hooks.worker import Claim, Hook, Outcome, PortUnavailableError, Worker
from producers.identity import EventIds
from producers.packing.aggregation import deaggregate, is_aggregate
from producers.sinks.port import Answer, NotTaken, SinkRecord, StreamFacts, Taken
from producers.sources.definition import SourceDefinition, parse_source
from tests.shop import SHOP, WEB

NOW_MS = 1_764_500_100_000
DELIVERIES = Path(__file__).parent / "deliveries"
GITHUB = """-- source:     github
-- stream:     web
-- event:      page_viewed
-- format:     ndjson
-- webhook:    github
-- event_time: coalesce(head_commit->>'$.timestamp', hook_received_at)
SELECT repository->>'$.html_url' AS url,
       '192.0.2.1' AS client_address,
       200 AS status
FROM file
WHERE hook_kind = 'push'
"""
PARTNER = """-- source:           partner
-- stream:           web
-- event:            page_viewed
-- format:           ndjson
-- webhook:          hmac
-- signature_header: X-Partner-Signature
-- signature:        sha512 base64
-- delivery_header:  X-Partner-Delivery
-- event_time:       at
SELECT url, '192.0.2.1' AS client_address, 200 AS status
FROM file
"""
SECRETS = {
    "stripe": {"first": "whsec_first", "second": "whsec_second"},
    "github": {"first": "It's a Secret to Everybody"},
    "partner": {"first": "shared"},
}


class KilledError(BaseException):
    """The process is gone: nothing behind this is run."""


@cache
def definitions() -> Mapping[str, SourceDefinition]:
    """The sources; the shop's own is among them."""
    return {
        "stripe": SHOP.sources["stripe"],
        "github": parse_source(GITHUB, "sources/github.sql"),
        "partner": parse_source(PARTNER, "sources/partner.sql"),
    }


@cache
def mapping(name: str, instead: str = "") -> SourceMapping:
    """Made once: it holds a DuckDB. `instead` is other SQL than the source's."""
    definition = definitions()[name]
    return SourceMapping(replace(definition, statement=instead) if instead else definition, WEB)


def text(name: str) -> str:
    """The body of a delivery of the folder, without the line's end behind it."""
    return (DELIVERIES / f"{name}.json").read_text(encoding="utf-8").strip()


def stripe(body: str, *, secret: str = "whsec_first", at: int = NOW_MS // 1000) -> str:
    """`Stripe-Signature`, by the formula that Stripe documents."""
    digest = hmac.new(secret.encode(), f"{at}.{body}".encode(), hashlib.sha256).hexdigest()
    return f"t={at},v1={digest},v0=6ffbb59b2300aae63f272406069a9788598b792a944a07aba816edb039989a39"


def github(body: str, *, secret: str = "It's a Secret to Everybody") -> str:
    """`X-Hub-Signature-256`, by the formula that GitHub documents."""
    return "sha256=" + hmac.new(secret.encode(), body.encode(), hashlib.sha256).hexdigest()


def partner(body: str) -> str:
    """The partner's own."""
    return base64.b64encode(hmac.new(b"shared", body.encode(), hashlib.sha512).digest()).decode()


def record(
    source: str, body: str, signature: str, *, message_id: str = "m1", received_ms: int = NOW_MS, **more: str
) -> dict[str, Any]:
    """A message as Lambda hands it on."""
    named = {"source": source, "signature": signature, "received_at": str(received_ms), **more}
    return {
        "messageId": message_id,
        "body": body,
        "attributes": {"SentTimestamp": str(received_ms)},
        "messageAttributes": {
            name: {"dataType": "String", "stringValue": f"={value}"} for name, value in named.items()
        },
    }


@dataclass
class World:
    """See the module. `script` says what the next calls of the stream do: `refuse`, `down`, or `lost`.

    `instead` has other SQL for a source. `left` counts the calls to ports that are still made before the process dies; None for never.
    """

    script: list[str] = field(default_factory=list)
    left: int | None = None
    claims: dict[tuple[str, str], Claim] = field(default_factory=dict)
    refused: list[tuple[Message, Reason]] = field(default_factory=list)
    taken: list[SinkRecord] = field(default_factory=list)
    secrets: dict[str, Mapping[str, str]] = field(default_factory=lambda: dict(SECRETS))
    is_table_down: bool = False
    is_queue_full: bool = False
    instead: dict[str, str] = field(default_factory=dict)
    now: float = NOW_MS / 1000
    started: int = 0

    def worker(self) -> Worker:
        """A new process: what it remembered is gone."""
        self.started += 1
        random = Random(self.started)
        places = Places(f"hooks-{self.started}", NOW_MS + self.started)
        return Worker(
            {
                name: Hook(_known(each), partial(mapping, name, self.instead.get(name, "")))
                for name, each in definitions().items()
            },
            Secrets(self, lambda: self.now),
            self,
            self,
            StreamPutting(
                lambda _: self,
                lambda _: places,
                clock=lambda: self.now,
                monotonic=lambda: self.now,
                hash_key=lambda: str(random.getrandbits(128)),
                new_id=EventIds(lambda: int(self.now * 1000), random).next,
            ),
        )

    def handle(self, *records: Mapping[str, Any]) -> Outcome:
        """A batch for a new process."""
        return self.worker().handle(records)

    def _step(self) -> None:
        if self.left is not None:
            if self.left == 0:
                raise KilledError
            self.left -= 1

    # The ports.

    def read(self, source: str) -> str:
        return msgspec.json.encode(self.secrets[source]).decode()

    def claim(self, source: str, delivery: str, received_ms: int) -> Claim:
        self._step()
        if self.is_table_down:
            raise PortUnavailableError("throttled")
        found = self.claims.setdefault((source, delivery), Claim(False, received_ms))
        self._step()
        return found

    def done(self, claims: Mapping[tuple[str, str], int]) -> None:
        self._step()
        if self.is_table_down:
            raise PortUnavailableError("throttled")
        for key, received_ms in claims.items():
            self.claims[key] = Claim(True, received_ms)
            self._step()

    def keep(self, message: Message, reason: Reason) -> None:
        self._step()
        if self.is_queue_full:
            raise PortUnavailableError("full")
        self.refused.append((message, reason))
        self._step()

    def put_records(self, records: Sequence[SinkRecord]) -> Sequence[Answer]:
        self._step()
        said = self.script.pop(0) if self.script else ""
        if said == "down":
            raise StreamUnavailableError("down")
        if said == "refuse":
            return [NotTaken("ProvisionedThroughputExceededException", "slow down") for _ in records]
        self.taken += records
        self._step()
        if said == "lost":
            raise StreamUnavailableError("the answer was lost")
        return [Taken("shardId-0", str(len(self.taken))) for _ in records]

    def describe(self) -> StreamFacts:
        return StreamFacts(None)

    def reopen(self) -> None:
        """Nothing is open."""

    # What came of it.

    def events(self) -> list[dict[str, Any]]:
        """What is on the stream, audits left out, in order."""
        return [each for each in self.sent() if each["event_type"] != "producer_audited"]

    def sent(self) -> list[dict[str, Any]]:
        """The same with audits."""
        found = []
        for each in self.taken:
            parts = [part.data for part in deaggregate(each.data)] if is_aggregate(each.data) else [each.data]
            found += [msgspec.json.decode(part) for part in parts]
        return found

    def reasons(self) -> list[str]:
        """Why messages were refused, in order."""
        return [reason for _, reason in self.refused]


def _known(definition: SourceDefinition) -> Any:
    assert definition.webhook is not None
    return definition.webhook
