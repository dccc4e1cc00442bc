"""The log of an invocation is read up to its mark, and nothing waits for a line that will not come."""

import queue
from collections.abc import Iterator
from itertools import repeat

from infra.local.ministack.end_marks import MARK, lines_to_mark


def _queue(*lines: str) -> "queue.Queue[str]":
    filled: queue.Queue[str] = queue.Queue()
    for line in lines:
        filled.put(line)
    return filled


def _clock(*readings: float) -> Iterator[float]:
    yield from readings


def test_the_lines_before_the_mark_are_the_log_and_no_time_passes() -> None:
    lines = _queue("one", "", "three", MARK, "of the next invocation")
    readings = _clock(0.0)  # a second look at the clock would fail
    assert lines_to_mark(lines, lambda: True, monotonic=readings.__next__) == "one\n\nthree"
    assert lines.get_nowait() == "of the next invocation"


def test_an_invocation_that_logged_nothing_has_an_empty_log_at_once() -> None:
    assert lines_to_mark(_queue(MARK), lambda: True, monotonic=_clock(0.0).__next__) == ""


def test_a_last_line_without_its_newline_is_kept() -> None:
    assert lines_to_mark(_queue("one", f"two{MARK}"), lambda: True) == "one\ntwo"


def test_a_worker_that_died_leaves_what_it_wrote() -> None:
    assert lines_to_mark(_queue("one", "two"), lambda: False) == "one\ntwo"


def test_a_mark_that_never_comes_is_waited_for_two_seconds() -> None:
    readings = _clock(0.0, *repeat(1.9, 3), 2.0)
    assert lines_to_mark(_queue("one"), lambda: True, monotonic=readings.__next__) == "one"
