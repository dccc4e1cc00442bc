"""Whom a server on this machine answers."""

import asyncio
from typing import Any

import pytest

from dashboards.preview.own_machine import OwnMachineOnly, refused

HOST = "127.0.0.1:4711"


def raw(**headers: str) -> list[tuple[bytes, bytes]]:
    return [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]


@pytest.mark.parametrize(
    "host",
    [HOST, "localhost:4711", "LOCALHOST", "[::1]:4711", "localhost", "127.9.8.7", "bucket.s3.localhost:4710"],
)
def test_programs_of_this_machine_are_answered(host: str) -> None:
    assert refused(raw(host=host)) is None
    assert refused(raw(host=host), has_pages=False) is None


def test_the_servers_own_page_is_answered_where_there_is_one() -> None:
    own = raw(host=HOST, origin=f"http://{HOST}", sec_fetch_site="same-origin")
    assert refused(own) is None
    assert refused(own, has_pages=False)


def test_an_address_that_was_typed_is_answered() -> None:
    typed = raw(host=HOST, sec_fetch_site="none", sec_fetch_mode="navigate", sec_fetch_dest="document")
    assert refused(typed) is None
    assert refused(typed, has_pages=False) is None


@pytest.mark.parametrize(
    "host",
    [
        "", "evil.example", "127.0.0.1.evil.example:4711", "169.254.169.254", "localhost.evil.example", "notlocalhost",
        "evil.example@127.0.0.1", "127.0.0.1/evil.example", "[::1", "0.0.0.0", "[::ffff:10.0.0.1]", "2130706433",
    ],
)  # fmt: skip
def test_a_name_that_only_points_here_is_refused(host: str) -> None:
    assert refused(raw(host=host))


def test_two_names_at_once_are_refused() -> None:
    assert refused([*raw(host=HOST), *raw(host="evil.example")])
    assert refused([*raw(host=HOST), *raw(host=HOST)])


@pytest.mark.parametrize(
    "headers",
    [
        raw(origin="https://evil.example"),
        raw(origin="null"),
        raw(origin="http://127.0.0.1:8000"),
        raw(origin="http://[evil"),
        raw(sec_fetch_site="cross-site", sec_fetch_mode="no-cors"),
        raw(sec_fetch_site="same-site", sec_fetch_mode="no-cors"),
        raw(sec_fetch_site="cross-site", sec_fetch_mode="navigate", sec_fetch_dest="document"),
        raw(sec_fetch_site="anything new"),
    ],
)
def test_a_page_of_another_site_is_refused(headers: list[tuple[bytes, bytes]]) -> None:
    assert refused([*raw(host=HOST), *headers])


def answered(scope: dict[str, Any], *, has_pages: bool = True) -> list[dict[str, Any]]:
    """What goes out for a request, through an application that answers everybody."""
    sent: list[dict[str, Any]] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        headers = [(b"Access-Control-Allow-Origin", b"*"), (b"etag", b"1")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})

    async def receive() -> Any:
        return {"type": "websocket.connect"}

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    asyncio.run(OwnMachineOnly(app, has_pages=has_pages)(scope, receive, send))
    return sent


def test_no_answer_carries_a_cors_header() -> None:
    (start,) = answered({"type": "http", "method": "GET", "headers": raw(host=HOST)})
    assert start["headers"] == [(b"etag", b"1")]


def test_a_person_who_followed_a_link_is_asked_before_anything_is_done() -> None:
    link = raw(host=HOST, sec_fetch_site="cross-site", sec_fetch_mode="navigate", sec_fetch_dest="document")
    start, body = answered({"type": "http", "method": "GET", "headers": link})
    assert start["status"] == 403
    assert b'<a href="">' in body["body"]
    for scope in ({"method": "POST", "headers": link}, {"method": "GET", "headers": link[1:]}):
        start, body = answered({"type": "http", **scope})
        assert start["status"] == 403
        assert b"<a" not in body["body"]


def test_a_socket_of_a_foreign_page_is_closed_before_it_opens() -> None:
    (closed,) = answered({"type": "websocket", "headers": raw(host=HOST, origin="http://evil.example")})
    assert closed["type"] == "websocket.close"
