"""What a listing shows of a line that could not be read."""

import pytest

from transforms.failed_index import masked


@pytest.mark.parametrize("address", ["203.0.113.9", "2001:db8::1", "fe80::", "::1"])
def test_an_address_is_not_shown(address: str) -> None:
    assert masked(f'{address} - - "GET /"') == '[address] - - "GET /"'


@pytest.mark.parametrize("agent", ["Mozilla/5.0 (X11; Linux)", "curl/8.1", "Googlebot/2.1"])
def test_a_user_agent_is_not_shown(agent: str) -> None:
    assert masked(f'200 235 "-" "{agent}') == '200 235 "-" "[agent]'


def test_the_time_and_the_request_stay_readable() -> None:
    line = '[20/May/2015:12:05:17 +0000] "GET /a/b.py HTTP/1.1" 200 235'
    assert masked(line) == line


def test_control_characters_are_escaped() -> None:
    assert masked("a\nb\x1b[31m") == "a\\u000ab\\u001b[31m"
