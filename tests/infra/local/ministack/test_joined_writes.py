"""Headers and body of an answer leave together, and nothing that is written stays behind."""

import asyncio
from typing import Any

from infra.local.ministack.joined_writes import JoinedWrites


class Transport:
    """Records what reaches it."""

    def __init__(self) -> None:
        self.calls: list[Any] = []

    def write(self, data: bytes) -> None:
        self.calls.append(data)

    def writelines(self, parts: Any) -> None:
        self.calls.append(tuple(parts))

    def close(self) -> None:
        self.calls.append("closed")

    def is_closing(self) -> bool:
        return "closed" in self.calls


async def _turn() -> None:
    await asyncio.sleep(0)
    await asyncio.sleep(0)


def test_two_writes_in_one_turn_are_one() -> None:
    async def run() -> list[Any]:
        transport = Transport()
        joined = JoinedWrites(transport, asyncio.get_running_loop())
        joined.write(b"headers")
        joined.write(b"body")
        await _turn()
        return transport.calls

    assert asyncio.run(run()) == [(b"headers", b"body")]


def test_headers_without_a_body_leave_in_the_next_turn() -> None:
    async def run() -> tuple[list[Any], list[Any]]:
        transport = Transport()
        joined = JoinedWrites(transport, asyncio.get_running_loop())
        joined.write(b"headers")
        joined.write(b"")
        first = list(transport.calls)
        joined.write(b"more")
        await _turn()
        return first, transport.calls

    assert asyncio.run(run()) == ([(b"headers", b"")], [(b"headers", b""), b"more"])


def test_what_is_kept_leaves_before_the_end() -> None:
    async def run() -> list[Any]:
        transport = Transport()
        joined = JoinedWrites(transport, asyncio.get_running_loop())
        joined.write(b"last words")
        joined.close()
        await _turn()
        assert joined.is_closing()
        return transport.calls

    assert asyncio.run(run()) == [b"last words", "closed"]
