"""Takes deliveries from their queue to their stream, each counted once, with every port passed in (pure).

The order makes it so. A delivery is claimed in a table, under the time when it was first received; its event
goes onto the stream; then the claim is marked as done. A worker that dies before the last step leaves a claim
that is not done: whoever has the message next puts the same event again, with the same id and the same time,
and reports count it once. A delivery whose claim is done is a duplicate, and goes no further.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Protocol

import msgspec

from producers.hooks.mapping import Mapped, Members, Row
from producers.hooks.message import Message, Reason, RefusedError, read_message
from producers.hooks.secrets import AGAIN_SECONDS, Secrets, SecretsUnavailableError
from producers.hooks.signatures import is_signed
from producers.sources.chunks import json_text
from producers.sources.definition import SourceDefinitionError
from producers.sources.files import SourceError
from producers.sources.webhook import Webhook

LONGEST_DELIVERY_ID = 200
_MEMBERS = msgspec.json.Decoder(dict[str, msgspec.Raw])


class PortUnavailableError(Exception):
    """A table, a queue or a stream did not take what it was given; the same delivery is tried again later."""


class Claim(NamedTuple):
    """What is known of a delivery. `received_ms`: when the first of its copies was received."""

    is_done: bool
    received_ms: int


class Claims(Protocol):
    """The deliveries of the last month."""

    def claim(self, source: str, delivery: str, received_ms: int) -> Claim:
        """The delivery's claim, which is made unless there is one. Raises PortUnavailableError."""
        ...

    def done(self, claims: Mapping[tuple[str, str], int]) -> None:
        """Mark (source, delivery) -> received_ms as done. Raises PortUnavailableError."""
        ...


class Refusals(Protocol):
    """Where refused messages are kept."""

    def keep(self, message: Message, reason: Reason) -> None:
        """Keep it with the reason. Raises PortUnavailableError."""
        ...


class Putting(Protocol):
    """Puts events on streams."""

    def put(self, stream: str, source: str, events: list[Mapped]) -> int:
        """How many of the events are on the stream: all of them, or so many from the beginning."""
        ...


class HookMapping(Protocol):
    """A source's SQL."""

    stream: str

    def mapped(self, rows: list[Row]) -> list[Mapped | None]:
        """What becomes of each row."""
        ...


@dataclass(frozen=True)
class Hook:
    """One source that takes webhooks. `mapping` is made when the first delivery needs it."""

    webhook: Webhook
    mapping: Callable[[], HookMapping]


@dataclass
class Outcome:
    """What a batch came to, for the log.

    Attributes:
        retry: ids of messages that must be delivered again.
        counts: deliveries by what became of them.
        faults: what is wrong with the SQL of a source.
    """

    retry: list[str] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)
    faults: list[str] = field(default_factory=list)


class _Open(NamedTuple):
    """A delivery on its way. `message_ids` has its copies in this batch."""

    message_ids: list[str]
    row: Row


class Worker:
    """One execution environment."""

    def __init__(
        self,
        hooks: Mapping[str, Hook],
        secrets: Secrets,
        claims: Claims,
        refusals: Refusals,
        putting: Putting,
    ) -> None:
        self._hooks, self._secrets = hooks, secrets
        self._claims, self._refusals, self._putting = claims, refusals, putting

    def handle(self, records: Iterable[Mapping[str, Any]]) -> Outcome:
        """Take a batch of messages."""
        outcome = Outcome()
        opened: dict[tuple[str, str], _Open] = {}
        for record in records:
            message = read_message(record)
            try:
                self._open(message, opened, outcome)
            except RefusedError as refused:
                self._refuse(message, refused.reason, outcome)
            except (PortUnavailableError, SecretsUnavailableError) as error:
                _again(outcome, [message.message_id], type(error).__name__)
        for source in dict.fromkeys(source for source, _ in opened):
            own = {key: each for key, each in opened.items() if key[0] == source}
            try:
                self._put(source, own, outcome)
            except (SourceDefinitionError, SourceError) as error:
                # Its SQL does not fit: it waits for a person, and other sources do not wait with it.
                outcome.faults.append(str(error))
                _again(outcome, [one for each in own.values() for one in each.message_ids], "not_mapped")
        return outcome

    def _open(self, message: Message, opened: dict[tuple[str, str], _Open], outcome: Outcome) -> None:
        members, delivery = self._verified(message)
        key = message.source, delivery
        if key in opened:
            opened[key].message_ids.append(message.message_id)
            return
        claim = self._claims.claim(*key, message.received_ms)
        if claim.is_done:
            outcome.counts["duplicate"] += 1
            return
        opened[key] = _Open([message.message_id], Row(members, delivery, message.kind, claim.received_ms))

    def _verified(self, message: Message) -> tuple[Members, str]:
        """The body's members and the delivery id. Raises RefusedError, SecretsUnavailableError."""
        if not message.source:
            raise RefusedError("not_from_the_gateway")
        hook = self._hooks.get(message.source)
        if hook is None:
            raise RefusedError("unknown_source")
        if not self._is_signed(message, hook.webhook):
            raise RefusedError("bad_signature")
        try:
            members = _MEMBERS.decode(message.body)
            msgspec.json.decode(message.body)  # every text in it as well, which a member's bytes are not yet
        except (msgspec.MsgspecError, UnicodeError, RecursionError) as error:
            raise RefusedError("unreadable_body") from error
        delivery = message.delivery
        if hook.webhook.delivery_member:
            delivery = _member(members, hook.webhook.delivery_member)
        if not 0 < len(delivery) <= LONGEST_DELIVERY_ID:
            raise RefusedError("no_delivery_id")
        return members, delivery

    def _is_signed(self, message: Message, webhook: Webhook) -> bool:
        body = message.body.encode("utf-8", "surrogatepass")
        facts = (body, message.signature, message.received_ms)
        return is_signed(webhook, self._secrets.of(message.source), *facts) or is_signed(
            webhook, self._secrets.of(message.source, at_most=AGAIN_SECONDS), *facts
        )

    def _refuse(self, message: Message, reason: Reason, outcome: Outcome) -> None:
        try:
            self._refusals.keep(message, reason)
        except PortUnavailableError as error:
            _again(outcome, [message.message_id], type(error).__name__)
        else:
            outcome.counts[reason] += 1

    def _put(self, source: str, opened: Mapping[tuple[str, str], _Open], outcome: Outcome) -> None:
        mapping = self._hooks[source].mapping()
        mapped = list(
            zip(opened.items(), mapping.mapped([each.row for each in opened.values()]), strict=True)
        )
        events = [(key, each, event) for (key, each), event in mapped if event is not None]
        left_out = [(key, each) for (key, each), event in mapped if event is None]
        safe = self._putting.put(mapping.stream, source, [event for *_, event in events]) if events else 0
        for _, each, _ in events[safe:]:
            _again(outcome, each.message_ids, "not_put")
        settled = [*left_out, *((key, each) for key, each, _ in events[:safe])]
        outcome.counts["left_out"] += len(left_out)
        outcome.counts["failed"] += sum(event.is_failed for *_, event in events[:safe])
        outcome.counts["put"] += sum(not event.is_failed for *_, event in events[:safe])
        outcome.counts["duplicate"] += sum(len(each.message_ids) - 1 for _, each in settled)
        try:
            self._claims.done({key: each.row.received_ms for key, each in settled})
        except PortUnavailableError:
            # The events are on the stream. A later copy puts them again, and reports count one.
            outcome.counts["not_marked"] += len(settled)


def _again(outcome: Outcome, message_ids: list[str], why: str) -> None:
    outcome.retry += message_ids
    outcome.counts[f"again: {why}"] += len(message_ids)


def _member(members: Members, name: str) -> str:
    return json_text(members[name]) or "" if name in members else ""
