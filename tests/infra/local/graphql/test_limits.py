"""What clients do that is wrong, or nothing at all: refused, closed, counted, and in nobody's way."""

import base64
import json
import os
import random
import socket
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus

from infra.local.graphql.limits import Limits
from tests.infra.local.graphql.rig import Rig, began, served, told

FRAMES = int(os.environ.get("PENSTOCK_TEST_FRAMES", "60"))
SOCKETS = int(os.environ.get("PENSTOCK_TEST_SOCKETS", "20"))
SEED = int(os.environ.get("PENSTOCK_TEST_SEED", "24"))


@pytest.fixture(scope="module")
def strict(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rig]:
    """A server that keeps little for anybody."""
    limits = Limits(keep_alive_seconds=0.2, queued_bytes=200_000)
    with served(tmp_path_factory.mktemp("strict"), limits) as running:
        yield running


def _malformed(chance: random.Random) -> str | bytes:
    """A frame that means nothing."""
    start: dict[str, Any] = {"id": "1", "type": "start", "payload": {
        "data": "{}", "extensions": {"authorization": {"host": "h"}}}}  # fmt: skip
    broken = [
        {**start, "id": chance.choice([None, 5, "", "x" * 200, ["1"]])},
        {**start, "type": chance.choice(["", None, 7, "subscribe", "data", "ka", "start\x00"])},
        {**start, "payload": chance.choice([None, [], "x", {}, {"data": {}}])},
        {**start, "payload": {"data": "{}", "extensions": chance.choice([None, 1, {"authorization": "x"}])}},
        {**start, "payload": {"data": "{}", "extensions": {"authorization": {"host": "a\r\nb: c"}}}},
        {**start, "payload": {"data": "{}", "extensions": {"authorization": {"host": 5}}}},
        [start], 5, "x", None,
    ]  # fmt: skip
    text = json.dumps(chance.choice(broken))
    frames: list[str | bytes] = [
        text, text[: chance.randrange(len(text))] + "\x00", chance.randbytes(chance.randrange(1, 200)),
        "[" * chance.randrange(2_000, 90_000), "",
    ]  # fmt: skip
    return chance.choice(frames)


def test_frames_without_meaning_are_refused_counted_and_at_the_tenth_the_socket_is_closed(rig: Rig) -> None:
    chance, sent = random.Random(SEED), 0
    before = rig.service.counts.malformed
    with began(rig.opened()) as listening:
        listening.send(rig.start("on", jobId="m"))
        assert told(listening)["type"] == "start_ack"
        while sent < FRAMES:
            with began(rig.opened()) as bad:
                for _ in range(10):
                    bad.send(_malformed(chance))
                    assert told(bad)["payload"]["errors"][0]["errorType"] == "BadRequestException"
                    sent += 1
                with pytest.raises(ConnectionClosed):
                    bad.recv(timeout=30)
        rig.change("m", 1)
        assert told(listening)["payload"]["data"]["jobChanged"]["revision"] == 1
        rig.counts(malformed=before + sent, connections=1)


@pytest.mark.parametrize(
    "sent",
    [
        b"\x81\x05hello",  # not masked
        b"\x83\x80\x00\x00\x00\x00",  # an opcode that is not defined
        b"\xf1\x80\x00\x00\x00\x00",  # reserved bits
        b"\x81\x84\x00\x00\x00\x00\xff\xfe\xfd\xfc",  # not UTF-8
        b"\x81\xff\x00\x00\x00\x00\x40\x00\x00\x00\x00\x00\x00\x00",  # a gigabyte is to come
    ],
)
def test_what_breaks_the_rules_of_websockets_ends_the_socket_and_is_counted(rig: Rig, sent: bytes) -> None:
    before = rig.service.counts.malformed
    with _upgraded(rig) as raw:
        raw.sendall(sent)
        assert _is_closed(raw)
    rig.counts(malformed=before + 1)


def test_sockets_with_nobody_at_the_other_end_are_closed_and_counted(tmp_path: Path) -> None:
    limits = Limits(
        request_seconds=0.5, begin_seconds=0.5, ping_seconds=0.5, close_seconds=0.5, connections=SOCKETS
    )
    opened = []
    with served(tmp_path, limits) as impatient:
        for number in range(SOCKETS):
            raw = _upgraded(impatient) if number % 4 > 1 else _connected(impatient)
            opened.append(raw)
            if number % 4 == 1:
                raw.sendall(b"GET /graphql HTTP/1.1\r\nHost: ")  # and then no more
            if number % 4 == 3:
                raw.sendall(_masked(b'{"type":"connection_init"}'))  # and then no answer to a ping
        for raw in opened:
            assert _is_closed(raw)
            raw.close()
        impatient.counts(connections=0, silent=sum(number % 4 > 1 for number in range(SOCKETS)))
        assert "errors" not in impatient.change("h", 1)


def test_a_socket_that_reads_nothing_is_closed_and_delays_nobody(strict: Rig) -> None:
    before = strict.service.counts.slow
    query = "subscription { jobChanged { jobId revision note } }"
    with _upgraded(strict) as slow, began(strict.opened(max_size=None)) as listening:
        slow.sendall(_masked(strict.start("s", query).encode()))
        _read_until(slow, b"start_ack")
        listening.send(strict.start("l", query))
        while (message := told(listening))["type"] != "start_ack":
            assert message["type"] == "ka"
        note = json.dumps("x" * 90_000)
        heard, revision = list[int](), 0
        while strict.service.counts.slow == before:
            revision += 1
            strict.change("slow", revision, note=note)
            assert revision < 200, "what is kept for one socket has no end"
        deadline = time.monotonic() + 60
        while len(heard) < revision:
            assert time.monotonic() < deadline, f"of {revision} changes only {heard} came"
            message = told(listening)
            if message["type"] == "data":
                heard.append(message["payload"]["data"]["jobChanged"]["revision"])
    assert heard == list(range(1, revision + 1))
    strict.counts(connections=0, subscriptions=0, slow=before + 1)


def test_keep_alives_come_without_being_asked_for(strict: Rig) -> None:
    with began(strict.opened()) as listening:
        assert [told(listening) for _ in range(2)] == [{"type": "ka"}, {"type": "ka"}]


def test_more_sockets_than_there_may_be_are_refused(tmp_path: Path) -> None:
    with served(tmp_path, Limits(connections=1)) as rig, began(rig.opened()):
        with pytest.raises(InvalidStatus, match="403"):
            rig.opened()
        assert rig.service.counts.crowded == 1


def _connected(rig: Rig) -> socket.socket:
    raw = socket.socket()
    raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    raw.settimeout(60)
    raw.connect(("127.0.0.1", rig.port))
    return raw


def _upgraded(rig: Rig) -> socket.socket:
    """A WebSocket without anything that reads it or answers its pings."""
    raw = _connected(rig)
    header = json.dumps({"host": rig.host, "Authorization": rig.token("viewers")}).encode()
    lines = [
        f"GET /graphql/realtime?header={_base64(header)} HTTP/1.1", f"Host: {rig.host}", "Upgrade: websocket",
        "Connection: Upgrade", "Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
        "Sec-WebSocket-Protocol: graphql-ws", "", "",
    ]  # fmt: skip
    raw.sendall("\r\n".join(lines).encode())
    assert _read_until(raw, b"\r\n\r\n").startswith(b"HTTP/1.1 101 ")
    return raw


def _read_until(raw: socket.socket, end: bytes) -> bytes:
    found = b""
    while end not in found:
        part = raw.recv(1)
        assert part, f"the connection was closed after {found!r}"
        found += part
    return found


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def _masked(data: bytes) -> bytes:
    """A text frame of a client, masked with zeros."""
    size = len(data)
    length = bytes([0x80 | size]) if size < 126 else b"\xfe" + size.to_bytes(2, "big")
    return b"\x81" + length + bytes(4) + data


def _is_closed(raw: socket.socket) -> bool:
    """Whether the server closes the connection; what it still sends is read."""
    try:
        while raw.recv(65536):
            pass
    except ConnectionResetError:
        pass
    return True
