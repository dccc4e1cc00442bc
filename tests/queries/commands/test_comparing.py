"""`reports refresh --wait` has the whole lake compared where it matters: at its beginning, and before it says so."""

import io
import json
from typing import Any

import pytest

from queries.commands.waiting import RefreshError, refresh_until_fresh


class Queue:
    """A queue with so many messages, each time it is asked."""

    def __init__(self, *depths: int) -> None:
        self._depths = list(depths)

    def get_queue_attributes(self, **_: Any) -> dict[str, Any]:
        return {
            "Attributes": {"ApproximateNumberOfMessages": str(self._depths.pop(0) if self._depths else 0)}
        }


class Function:
    """A query function that answers with these numbers of stale partitions, one after the other."""

    def __init__(self, *stale: int) -> None:
        self._stale = list(stale)
        self.compared: list[bool] = []

    def invoke(self, *, Payload: bytes, **_: Any) -> dict[str, Any]:  # noqa: N803 - boto3's name
        self.compared.append(json.loads(Payload)["everything"])
        figures = dict.fromkeys(("published", "unchanged", "statements", "bytes_scanned"), 0)
        answer = {**figures, "partitions": 9, "stale": self._stale.pop(0), "quarantined": {}, "held": []}
        return {"Payload": io.BytesIO(json.dumps(answer).encode())}


def compared(function: Function, queue: Queue, seconds: float = 60) -> list[bool]:
    """Whether each call had the whole lake compared."""
    ticks = iter(range(1_000))
    refresh_until_fresh(
        lambda_client=function,
        sqs=queue,
        query_function="queries",
        queue_url="",
        timeout_seconds=seconds,
        clock=lambda: float(next(ticks)),
        sleep=lambda _: None,
    )
    return function.compared


def test_what_is_fresh_at_once_is_compared_once() -> None:
    assert compared(Function(0), Queue()) == [True]


def test_a_long_refresh_compares_everything_at_its_beginning_and_at_its_end_only() -> None:
    assert compared(Function(900, 500, 100, 0, 0), Queue()) == [True, False, False, False, True]


def test_what_the_last_comparison_finds_is_waited_for_and_compared_again() -> None:
    assert compared(Function(9, 0, 3, 0, 0), Queue()) == [True, False, True, False, True]


def test_messages_that_are_queued_keep_it_waiting_without_another_comparison() -> None:
    assert compared(Function(0, 0, 0), Queue(5, 0)) == [True, False, True]


def test_giving_up_needs_no_comparison() -> None:
    function = Function(*[9] * 20)
    with pytest.raises(RefreshError, match="9 of 9 report partitions"):
        compared(function, Queue(), seconds=5)
    assert function.compared.count(True) == 1
