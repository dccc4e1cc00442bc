"""The spool under any sequence of uses and accidents, beside a model of what it must still hold."""

import errno
import os
import shutil
import tempfile
from pathlib import Path
from unittest.mock import patch

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from producers.errors import SpoolFullError
from producers.spool.folder import Spool, SpooledEvent
from producers.spool.frames import HEADER_BYTES, frame_bytes

SEGMENT_BYTES = 2_048
MOST_BYTES = 6 * SEGMENT_BYTES


def no_room(*_: object) -> None:
    raise OSError(errno.ENOSPC, "No space left on device")


class SpoolMachine(RuleBasedStateMachine):
    """`unread` are the numbers that reading must give, in order; `held` the marks of those that were read, or
    never left memory, and are not settled; `places` the segment and end of everything that was written.
    """

    @initialize()
    def start(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="spool-"))
        self.spool = self._opened()
        self.last = 0
        self.unread: list[int] = []
        self.held: dict[int, int] = {}
        self.places: dict[int, tuple[int, int]] = {}
        self.flipped: set[str] = set()
        self.sizes: dict[int, int] = {}

    def teardown(self) -> None:
        self._die()
        shutil.rmtree(self.folder)

    @rule(size=st.integers(0, 700), stays_in_memory=st.booleans())
    def append(self, size: int, stays_in_memory: bool) -> None:
        is_unread = bool(self.unread) or not stays_in_memory
        number = self.last + 1
        try:
            mark = self.spool.append(_data(number, size), f"key-{number}", None, unread=is_unread)
        except SpoolFullError:
            assert self.spool.used_bytes + SEGMENT_BYTES > MOST_BYTES
            return
        self._appended(number, size, mark, is_unread)

    @rule(size=st.integers(0, 700))
    def append_on_a_full_disk(self, size: int) -> None:
        files = sorted(self.folder.glob("*.spool"))
        number = self.last + 1
        with patch.object(os, "posix_fallocate", no_room):
            try:
                mark = self.spool.append(_data(number, size), f"key-{number}", None, unread=True)
            except SpoolFullError:
                assert sorted(self.folder.glob("*.spool")) == files
                return
        self._appended(number, size, mark, is_unread=True)

    def _appended(self, number: int, size: int, mark: int, is_unread: bool) -> None:
        self.last = number
        self.sizes[number] = size
        segment = mark >> 32
        if not mark & 0xFFFF_FFFF:
            # The number of a segment that is gone is used again.
            self.places = {other: place for other, place in self.places.items() if place[0] != segment}
        before = max((end for other, end in self.places.values() if other == segment), default=HEADER_BYTES)
        frame = frame_bytes(_data(number, size), f"key-{number}".encode(), b"")
        self.places[number] = segment, before + frame
        if is_unread:
            self.unread.append(number)
        else:
            self.held[number] = mark

    @rule(most=st.integers(1, 20))
    def read(self, most: int) -> None:
        events = self.spool.read(most)
        assert list(map(_number, events)) == self.unread[:most]
        assert [event.key for event in events] == [f"key-{number}" for number in self.unread[:most]]
        del self.unread[:most]
        self.held |= {_number(event): event.mark for event in events}

    @precondition(lambda self: self.held)
    @rule(data=st.data())
    def settle(self, data: st.DataObject) -> None:
        numbers = data.draw(st.lists(st.sampled_from(sorted(self.held)), min_size=1, unique=True))
        self.spool.acknowledge([self.held.pop(number) for number in numbers])

    @rule()
    def die_and_come_back(self) -> None:
        self._die()
        self._come_back(self._unsettled())

    @rule()
    def close_and_come_back(self) -> None:
        self.spool.close()
        self._come_back(self._unsettled())

    @rule(place=st.integers(0, SEGMENT_BYTES - 1), flip=st.integers(0, 255))
    def die_and_be_damaged(self, place: int, flip: int) -> None:
        """`flip` 0: what was written from that place on never reached the disk."""
        self._die()
        newest = max(self.folder.glob("*.spool"), default=None)
        damaged = -1 if newest is None else int(newest.stem)
        # A header that is wrong and right again would be two damages.
        if newest is not None:
            content = bytearray(newest.read_bytes())
            flip = 0 if newest.stem in self.flipped else flip
            if flip:
                content[place] ^= flip
                self.flipped.add(newest.stem)
            else:
                content[place:] = bytes(len(content) - place)
            newest.write_bytes(content)
        self._come_back([n for n in self._unsettled() if not self._is_hit(n, damaged, place, flip)])

    def _is_hit(self, number: int, damaged: int, place: int, flip: int) -> bool:
        segment, end = self.places[number]
        start = end - frame_bytes(_data(number, self.sizes[number]), f"key-{number}".encode(), b"")
        return segment == damaged and (start <= place < end if flip else place < end)

    @invariant()
    def nothing_is_forgotten(self) -> None:
        if hasattr(self, "spool"):
            assert self.spool.unread == len(self.unread)
            assert self.spool.used_bytes <= MOST_BYTES

    def _unsettled(self) -> list[int]:
        return sorted([*self.held, *self.unread])

    def _come_back(self, expected: list[int]) -> None:
        self.spool = self._opened()
        self.unread, self.held = expected, {}

    def _opened(self) -> Spool:
        return Spool(self.folder, "always", max_bytes=MOST_BYTES, segment_bytes=SEGMENT_BYTES)

    def _die(self) -> None:
        """As SIGKILL does: the files are let go of, and nothing else happens."""
        for segment in self.spool._segments.values():
            segment.close()
        os.close(self.spool._lock)


def _data(number: int, size: int) -> bytes:
    return b"%d " % number + b"x" * size


def _number(event: SpooledEvent) -> int:
    number, padding = event.data.split(b" ")
    assert padding == b"x" * len(padding)
    return int(number)


SpoolMachine.TestCase.settings = settings(
    max_examples=40, stateful_step_count=40, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
TestSpoolMachine = SpoolMachine.TestCase
