"""A follower of jobs misses no state: subscribed first, then asked for, and again after each break."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

import pytest

from queries.updates.rules import Newest
from queries.updates.watching.protocol import SubscriptionLostError, SubscriptionRefusedError
from queries.updates.watching.watching import (
    FETCH_SECONDS,
    FIRST_WAIT,
    LONGEST_WAIT,
    NoAnswerError,
    Watching,
    wait,
)


def job(revision: int, job_id: str = "one") -> dict[str, Any]:
    return {"jobId": job_id, "revision": revision, "state": "RUNNING", "done": 0, "total": None}


@dataclass
class Server:
    """Plays a script: for each connection what comes on it, an exception where it breaks.

    A number lets so many seconds pass without an update. `answers` are those to each question, in order.
    """

    script: list[list[Any]]
    answers: list[list[dict[str, Any]]]
    said: list[str] = field(default_factory=list)
    slept: list[float] = field(default_factory=list)
    lost: list[tuple[str, float]] = field(default_factory=list)
    now: float = 0.0

    @contextmanager
    def subscribe(self) -> Iterator["Server"]:
        self.said.append("subscribed")
        if self.script and self.script[0] and isinstance(self.script[0][0], BaseException):
            raise self.script.pop(0)[0]
        yield self
        self.script.pop(0)

    def next(self, seconds: float) -> Mapping[str, Any] | None:
        come = self.script[0].pop(0) if self.script and self.script[0] else SubscriptionLostError("over")
        if isinstance(come, BaseException):
            if not self.script[0]:
                self.script.pop(0)
            raise come
        if isinstance(come, int | float):
            self.now += min(come, seconds)
            return None
        return dict(come)

    def fetch(self) -> Sequence[Mapping[str, Any]]:
        self.said.append("asked")
        return self.answers.pop(0)

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds

    def revisions(self, count: int, patience: float = 1_000.0) -> list[int]:
        watching = Watching(
            self.subscribe,
            self.fetch,
            is_new=Newest().take,
            clock=lambda: self.now,
            sleep=self.sleep,
            chance=lambda: 0.5,
            lost=lambda why, seconds: self.lost.append((why, seconds)),
            patience=patience,
        )
        return [each["revision"] for each in islice(watching.changes(), count)]


def test_what_happened_before_the_subscription_is_asked_for_after_it() -> None:
    server = Server([[job(3), job(4)]], [[job(2)]])
    assert server.revisions(3) == [2, 3, 4]
    assert server.said == ["subscribed", "asked"]


def test_what_was_missed_while_the_connection_was_lost_is_asked_for() -> None:
    broken = SubscriptionLostError("it was killed")
    server = Server([[job(2), broken], [job(6)]], [[job(1)], [job(5)]])
    assert server.revisions(4) == [1, 2, 5, 6]
    assert server.said == ["subscribed", "asked"] * 2
    assert server.lost == [("it was killed", 0.25)]


def test_updates_that_come_late_or_twice_are_not_shown() -> None:
    server = Server([[job(3), job(2), job(3), job(1, "two"), job(4)]], [[job(2)]])
    assert server.revisions(4) == [2, 3, 1, 4]


def test_jobs_are_asked_for_again_while_nothing_comes() -> None:
    server = Server([[FETCH_SECONDS, job(9)]], [[job(1)], [job(4)]])
    assert server.revisions(3) == [1, 4, 9]
    assert server.said == ["subscribed", "asked", "asked"]


def test_a_refusal_is_not_tried_again() -> None:
    server = Server([[SubscriptionRefusedError("UnauthorizedException")]], [])
    with pytest.raises(SubscriptionRefusedError):
        server.revisions(1)
    assert server.slept == []


def test_attempts_lie_further_and_further_apart_until_one_succeeds() -> None:
    down = [[SubscriptionLostError("down")] for _ in range(9)]
    server = Server([*down, [job(2), SubscriptionLostError("again")], [job(3)]], [[job(1)], []])
    assert server.revisions(3) == [1, 2, 3]
    assert server.slept[:9] == [0.25, 0.5, 1, 2, 4, 8, 15, 15, 15]
    assert server.slept[9] == 0.25


def test_no_answer_for_as_long_as_one_would_wait_ends_with_the_reason() -> None:
    server = Server([[SubscriptionLostError("down")] for _ in range(9)], [])
    with pytest.raises(NoAnswerError, match=r"^No answer for 5 seconds\. down$"):
        server.revisions(1, patience=5.0)
    assert server.slept == [0.25, 0.5, 1, 2, 1.25]


def test_an_answer_makes_the_wait_for_the_next_one_begin_anew() -> None:
    down = [[SubscriptionLostError("down")] for _ in range(3)]
    quiet = [30, SubscriptionLostError("over")]
    assert Server([*down, quiet, *down, [job(2)]], [[job(1)], []]).revisions(2, patience=4.0) == [1, 2]


def test_a_wait_is_any_share_of_its_limit() -> None:
    assert (wait(0, 0.0), wait(0, 0.999) < FIRST_WAIT, wait(50, 0.999) < LONGEST_WAIT) == (0.0, True, True)
