"""Whom the local server answers."""

import pytest
from starlette.datastructures import Headers

from infra.local.own_machine import refused

HOST = "127.0.0.1:4711"


@pytest.mark.parametrize("host", [HOST, "localhost:4711", "[::1]:4711", "localhost"])
def test_programs_of_this_machine_are_answered(host: str) -> None:
    assert refused(Headers({"host": host})) is None


def test_the_servers_own_page_is_answered() -> None:
    own = {"host": HOST, "origin": f"http://{HOST}", "sec-fetch-site": "same-origin"}
    assert refused(Headers(own)) is None


def test_a_link_from_elsewhere_may_open_the_page() -> None:
    link = {"host": HOST, "sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate"}
    assert refused(Headers(link)) is None


@pytest.mark.parametrize("host", ["", "evil.example", "127.0.0.1.evil.example:4711", "169.254.169.254"])
def test_a_name_that_only_points_here_is_refused(host: str) -> None:
    assert refused(Headers({"host": host}))


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "https://evil.example"},
        {"origin": "null"},
        {"origin": "http://127.0.0.1:8000"},
        {"sec-fetch-site": "cross-site", "sec-fetch-mode": "no-cors"},
    ],
)
def test_a_page_of_another_site_is_refused(headers: dict[str, str]) -> None:
    assert refused(Headers({"host": HOST, **headers}))
