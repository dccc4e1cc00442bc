"""A program that uses the producer library, made to be killed: it notes every event whose `put` returned.

`python -m benchmarks.chaos_producer` is started by `benchmarks.chaos_actions`. A process that follows one
that was killed goes on behind the last note, on the same spool. Event ids follow from the numbers, so the one
event that a kill leaves in doubt has the same id when it is put again.
"""

import argparse
import os
import time
import uuid
from datetime import datetime, timedelta
from pathlib import Path

import msgspec

from benchmarks.chaos_traffic import Happening, happenings
from producers.contracts.shop.web import CartUpdated, OrderPlaced, PageViewed, ProductViewed
from producers.errors import ProducerError
from producers.producer import Producer
from producers.spool.folder import Spool

PAYLOADS = {
    "page_viewed": PageViewed,
    "product_viewed": ProductViewed,
    "cart_updated": CartUpdated,
    "order_placed": OrderPlaced,
}
SEGMENT_BYTES = 1 << 20  # small, so that processes also die while segments change
_NAMESPACE = uuid.UUID("0b6a5f4e-1f0e-4d58-9a53-2f3c1d7b9c11")


def noted(path: Path) -> list[int]:
    """Numbers of the events that were accepted, as the notes say; a torn last line is none."""
    text = path.read_text() if path.exists() else ""
    return [int(line) for line in text[: text.rfind("\n") + 1].splitlines()]


def main() -> None:
    """Put what is not noted yet, note it, close."""
    parser = argparse.ArgumentParser()
    for name in ("stream", "spool", "notes", "seed", "start"):
        parser.add_argument(f"--{name}", required=True)
    parser.add_argument("--count", type=int, required=True)
    parser.add_argument("--span", type=float, required=True)
    parser.add_argument("--seconds", type=float, required=True)
    wanted = parser.parse_args()
    found = happenings(
        wanted.seed, wanted.count, datetime.fromisoformat(wanted.start), timedelta(seconds=wanted.span)
    )
    done = set(noted(Path(wanted.notes)))
    notes = os.open(wanted.notes, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    spool = Spool(wanted.spool, "always", segment_bytes=SEGMENT_BYTES)
    producer = Producer(wanted.stream, spool=spool, linger=0.02)
    pause = wanted.seconds / max(1, len(found)) * 100
    for happening in found:
        if happening.number in done:
            continue
        _put_until_taken(producer, wanted.seed, happening)
        os.write(notes, f"{happening.number}\n".encode())
        if happening.number % 100 == 0:
            time.sleep(pause)
    producer.close(20)


def _put_until_taken(producer: Producer, seed: str, happening: Happening) -> None:
    payload = msgspec.convert(happening.payload, PAYLOADS[happening.kind])
    event_id = str(uuid.uuid5(_NAMESPACE, f"{seed}/{happening.number}"))
    while True:
        try:
            producer.put(payload, happening.time, event_id=event_id)
            return
        except ProducerError:  # refused, and said so: a full disk, for example
            time.sleep(0.05)


if __name__ == "__main__":
    main()
