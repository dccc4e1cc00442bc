"""The query function is told that time passed, while there is a reason to."""

import io
import json
from pathlib import Path
from typing import Any

from infra.local.parts.ticker import MOST_SKIPPED, TICK, Ticker
from infra.local.paths import LocalPaths


class _Function:
    def __init__(self) -> None:
        self.told: list[Any] = []
        self.stale = 0

    def invoke(self, **arguments: Any) -> dict[str, Any]:
        self.told.append((arguments["FunctionName"], json.loads(arguments["Payload"])))
        return {"Payload": io.BytesIO(json.dumps({"stale": self.stale}).encode())}


class _Context:
    def __init__(self, folder: Path, function: _Function) -> None:
        self.paths = LocalPaths(folder)
        self.paths.make()
        self._function = function

    def client(self, _: str) -> _Function:
        return self._function


def test_it_ticks_from_a_delivery_until_nothing_is_stale(tmp_path: Path) -> None:
    function, delivered = _Function(), [0]
    context: Any = _Context(tmp_path, function)
    ticker = Ticker(context, lambda: delivered[0], 1.0)
    delivered[0] = 1
    assert not ticker.tick()  # it has only just come
    assert not ticker.tick()  # nothing is deployed yet
    context.paths.outputs.write_text(json.dumps({"stacks": {"s": {"outputs": {"QueryFunction": "queries"}}}}))
    function.stale = 2
    assert ticker.tick()
    function.stale = 0
    assert ticker.tick()
    assert not ticker.tick()
    assert function.told == [("queries", TICK)] * 2
    delivered[0] = 2
    assert not ticker.tick()
    assert ticker.tick()


def test_it_leaves_ticks_out_while_objects_arrive_but_not_for_ever(tmp_path: Path) -> None:
    function, delivered = _Function(), [0]
    context: Any = _Context(tmp_path, function)
    context.paths.outputs.write_text(json.dumps({"stacks": {"s": {"outputs": {"QueryFunction": "queries"}}}}))
    ticker = Ticker(context, lambda: delivered[0], 1.0)
    told = []
    for _ in range(2 * (MOST_SKIPPED + 1)):
        delivered[0] += 1
        told.append(ticker.tick())
    assert told == ([False] * MOST_SKIPPED + [True]) * 2
