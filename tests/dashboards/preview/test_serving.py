"""The preview says where it is when it is there."""

import contextlib
import os
import signal
import socket
import threading
import urllib.request
from collections.abc import AsyncIterator

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from dashboards.preview.server import HOST, PortTakenError, serve


async def answer(_: Request) -> PlainTextResponse:
    return PlainTextResponse("here")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


def test_the_address_is_said_when_it_is_answered_and_not_while_reports_are_read() -> None:
    port = free_port()
    said: list[str] = []

    @contextlib.asynccontextmanager
    async def reading(_: Starlette) -> AsyncIterator[None]:
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection((HOST, port), timeout=5)
        said.append("read")
        yield

    def ask() -> None:
        with urllib.request.urlopen(f"http://{HOST}:{port}/", timeout=30) as body:
            said.append(body.read().decode())
        os.kill(os.getpid(), signal.SIGINT)

    def listening() -> None:
        said.append("listening")
        threading.Thread(target=ask).start()

    before = signal.signal(signal.SIGINT, signal.default_int_handler)  # whatever other tests left there
    try:
        with pytest.raises(KeyboardInterrupt):
            serve(Starlette(routes=[Route("/", answer)], lifespan=reading), port, listening=listening)
    finally:
        signal.signal(signal.SIGINT, before)
    assert said == ["read", "listening", "here"]


def test_a_port_that_is_taken_is_reported_at_once_with_another() -> None:
    with socket.socket() as taken:
        taken.bind((HOST, 0))
        taken.listen()
        port = taken.getsockname()[1]
        app = Starlette(routes=[Route("/", answer)])
        with pytest.raises(PortTakenError, match=rf"Port {port} .*--port {port + 10}"):
            serve(app, port, listening=lambda: pytest.fail("it does not listen"))
