"""Simulated traffic of which a known share is poison, and another share is broken but can be fixed."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from random import Random

import msgspec
from msgspec.structs import replace

from infra.accounting.names import names_in
from producers.simulation.damage import DAMAGES
from producers.simulation.simulator import SimulatedRecord, Simulation
from tests.end_to_end.mending import mend
from tests.golden.poison.corpus import corpus
from transforms.gate.gate import Gate
from transforms.gate.outcome import Failed

LARGEST_PAYLOAD = 50_000
"""Bytes. What is larger belongs to the tests of the gate; a stream of it would only be slow."""

_NAME = re.compile(rb'"producer_id":"[^"]*","epoch":[0-9]+,"seq":[0-9]+')
_PAYLOADS_NAME = b'"producer_id":"p-1","epoch":1732444800000,"seq":123'


@dataclass(frozen=True)
class PoisonedSimulation(Simulation):
    """The same traffic, with `poison` and `repairable` shares of the events that are sent once broken.

    Half of the poison is `payloads`, each in an event's place and each used once, as far as they go.
    """

    poison: float = 0.05
    repairable: float = 0.02
    payloads: tuple[bytes, ...] = ()

    @cached_property
    def sent(self) -> list[SimulatedRecord]:
        """What is sent, in order."""
        return [record for record, _ in self._broken]

    @cached_property
    def meant(self) -> dict[bytes, bytes]:
        """Sent bytes -> the event that was meant, for all that is sound or repairable."""
        return {
            record.data: sound
            for record, sound in self._broken
            if record.damage is None or record.is_repairable
        }

    def records(self) -> Iterator[SimulatedRecord]:
        """See Simulation."""
        return iter(self.sent)

    @cached_property
    def _broken(self) -> list[tuple[SimulatedRecord, bytes]]:
        random, payloads = Random(f"poison {self.seed}"), iter(self.payloads)
        records = list(super().records())
        copied = {record.data for record in records if record.is_copy}
        found = []
        for record in records:
            broken, chance = record, random.random()
            if record.data not in copied and chance < self.poison + self.repairable:
                payload = next(payloads, None) if chance < self.poison / 2 else None
                if payload is not None:
                    broken = replace(record, data=_named_as(record.data, payload), damage="payload")
                else:
                    broken = _damaged(record, random, repairable=chance >= self.poison)
            found.append((broken, record.data))
        return found


def _damaged(record: SimulatedRecord, random: Random, *, repairable: bool) -> SimulatedRecord:
    damage = random.choice([each for each in DAMAGES if each.repairable is repairable])
    data = damage.apply(record.data, msgspec.json.decode(record.data), random)
    return replace(record, data=data, damage=damage.name, is_repairable=repairable)


def _named_as(sound: bytes, payload: bytes) -> bytes:
    """The payload with the name of this event in the place of its own."""
    name = _NAME.search(sound)
    assert name is not None
    return payload.replace(_PAYLOADS_NAME, name[0])


def payloads(gate: Gate, now_ms: int) -> tuple[bytes, ...]:
    """The poison corpus, without what is too large, what the gate or the repair makes an event, and what
    would still have the name of some other event.
    """
    return tuple(
        raw
        for _, raw, _ in corpus()
        if 0 < len(raw) <= LARGEST_PAYLOAD
        and not names_in(raw.replace(_PAYLOADS_NAME, b""))
        and all(
            isinstance(outcome, Failed)
            for version in (raw, mend(raw) or raw)
            for _, outcome in gate.each(version, now_ms)
        )
    )
