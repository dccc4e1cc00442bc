"""Names for events and producers: UUIDv7 ids, producer ids, epochs."""

import os
import re
from collections.abc import Callable
from contextlib import suppress
from hashlib import blake2b
from pathlib import Path
from random import Random

from producers.errors import StateError

_UNSAFE = re.compile(r"[^A-Za-z0-9._:-]+")


def event_id(time_ms: int, chance: int) -> str:
    """A UUIDv7 (RFC 9562): 48 bits of milliseconds since 1970, then 74 bits from `chance`."""
    return _with_chance(_time_part(time_ms), chance)


def _time_part(time_ms: int) -> str:
    text = f"{time_ms & 0xFFFF_FFFF_FFFF:012x}"
    return f"{text[:8]}-{text[8:]}-7"  # the version


def _with_chance(time_part: str, chance: int) -> str:
    text = f"{chance & 0x3FFF_FFFF_FFFF_FFFF | 0x8000_0000_0000_0000:016x}"  # the variant
    return f"{time_part}{chance >> 62 & 0xFFF:03x}-{text[:4]}-{text[4:]}"


def derived_event_id(time_ms: int, *identity: bytes) -> str:
    """The UUIDv7-shaped id that follows from the event's time and what identifies it; always the same."""
    digest = blake2b(digest_size=10)
    for part in identity:
        digest.update(len(part).to_bytes(4, "big"))
        digest.update(part)
    return event_id(time_ms, int.from_bytes(digest.digest(), "big"))


class KeyedIds:
    """UUIDv8 (RFC 9562) that follow from keys alone, whatever else is said of what they name."""

    def __init__(self, *space: bytes) -> None:
        """`space`: what keys are unique in."""
        self._space = blake2b(digest_size=16)
        for part in space:
            self._space.update(len(part).to_bytes(4, "big"))
            self._space.update(part)

    def of(self, key: bytes) -> str:
        """The id of a key; always the same."""
        digest = self._space.copy()
        digest.update(key)
        text = digest.hexdigest()
        return f"{text[:8]}-{text[8:12]}-8{text[13:16]}-{_VARIANT[text[16]]}{text[17:20]}-{text[20:]}"


_VARIANT = {digit: "89ab"[int(digit, 16) & 3] for digit in "0123456789abcdef"}


class EventIds:
    """UUIDv7 for new events, rising within one process also inside a millisecond."""

    def __init__(self, clock_ms: Callable[[], int], random: Random) -> None:
        self._clock_ms = clock_ms
        self._random = random
        self._time_ms, self._time_part = 0, ""
        self._chance = 0

    def next(self) -> str:
        """A new id. Not thread-safe: the caller holds a lock."""
        now = self._clock_ms()
        if now > self._time_ms:
            self._time_ms, self._time_part = now, _time_part(now)
            # The top bit stays free, so that counting up within the millisecond cannot run over.
            self._chance = self._random.getrandbits(73)
        else:
            self._chance += 1 + self._random.getrandbits(32)
        return _with_chance(self._time_part, self._chance)


def producer_id(*parts: object) -> str:
    """Parts joined to an identifier that contracts accept: at most 64 of the safe characters."""
    joined = _UNSAFE.sub("-", "-".join(str(part) for part in parts)).strip("-._:")
    return joined[:64] or "producer"


def next_epoch(now_ms: int, state: Path | None) -> int:
    """The epoch of a producer that starts now: `now_ms`, or later than the last one that `state` remembers.

    With a state folder the number is on the disk before it is used, so that no epoch is used twice, whatever
    the clock does. Raises StateError when the folder cannot be used.
    """
    if state is None:
        return now_ms
    try:
        return _remembered_epoch(now_ms, state)
    except OSError as error:
        raise StateError(
            f"The state folder {state} cannot be used: {error.strerror or error}. "
            "Make room or name another folder: without it an epoch might be used twice."
        ) from error


def _remembered_epoch(now_ms: int, state: Path) -> int:
    state.mkdir(parents=True, exist_ok=True)
    path = state / "epoch"
    last = 0
    with suppress(FileNotFoundError, ValueError):
        last = int(path.read_text())
    epoch = max(now_ms, last + 1)
    draft = path.with_suffix(".new")
    with draft.open("w") as file:
        file.write(f"{epoch}\n")
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)
    folder = os.open(state, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
    return epoch
