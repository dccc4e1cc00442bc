"""MiniStack's web server: what counts as an end in order."""

import asyncio
import os
import signal
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest

from infra.local.ministack.web_server import serve

PLACE = SimpleNamespace(bind=["127.0.0.1:0"], certfile=None, keyfile=None)


@pytest.fixture(autouse=True)
def handlers() -> Iterator[None]:
    """`serve` changes the process's own."""
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


def ending(written: list[str], *, is_whole: bool) -> Any:
    """An application that is told to end as soon as it runs, and writes its state then, or fails to."""

    async def app(scope: dict[str, Any], receive: Any, send: Any) -> None:
        assert scope["type"] == "lifespan"
        await receive()
        await send({"type": "lifespan.startup.complete"})
        os.kill(os.getpid(), signal.SIGTERM)
        await receive()
        if not is_whole:
            raise OSError("no space left on device")
        written.append("state")
        await send({"type": "lifespan.shutdown.complete"})

    return app


def test_a_signal_stops_it_in_order_and_is_not_raised_again() -> None:
    written: list[str] = []
    asyncio.run(serve(ending(written, is_whole=True), PLACE))
    assert written == ["state"]


def test_an_end_in_which_the_state_could_not_be_written_is_none_in_order() -> None:
    with pytest.raises(RuntimeError, match="before it had written its state"):
        asyncio.run(serve(ending([], is_whole=False), PLACE))
