"""The names of the events in a record's bytes, also when the bytes are broken (pure)."""

import json
import re
from typing import Any

from infra.accounting.reconcile import ProducerEpoch

Name = tuple[ProducerEpoch, int]
"""(producer run, seq)."""

# A number counts only with what stops it behind it: bytes that were cut off may have lost its last digits.
# Writers put the envelope before the payload, so the first match of a broken record is the envelope's own.
_PRODUCER = re.compile(rb"""["']producer_id["']\s*:\s*["']([A-Za-z0-9][A-Za-z0-9._:-]{0,63})["']""")
_EPOCH = re.compile(rb"""["']epoch["']\s*:\s*["']?(\d{1,16})["']?\s*[,}]""")
_SEQ = re.compile(rb"""["']seq["']\s*:\s*["']?(\d{1,16})["']?\s*[,}]""")


def names_in(raw: bytes) -> list[Name]:
    """The names of the events that the record holds; empty when none can be read.

    A record is one event, or has one event on each of its lines.
    """
    whole = _decoded(raw)
    if whole:
        return [whole]
    found = (_decoded(line) or _salvaged(line) for line in raw.split(b"\n"))
    return [name for name in found if name]


def _decoded(raw: bytes) -> Name | None:
    try:
        document: Any = json.loads(raw)
    except (ValueError, RecursionError):
        return None
    if not isinstance(document, dict):
        return None
    found = document.get("producer_id"), document.get("epoch"), document.get("seq")
    if type(found[0]) is str and type(found[1]) is int and type(found[2]) is int:
        return ProducerEpoch(found[0], found[1]), found[2]
    return None


def _salvaged(raw: bytes) -> Name | None:
    producer, epoch, seq = _PRODUCER.search(raw), _EPOCH.search(raw), _SEQ.search(raw)
    if producer and epoch and seq:
        return ProducerEpoch(producer[1].decode(), int(epoch[1])), int(seq[1])
    return None
