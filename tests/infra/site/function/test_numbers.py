"""The command of a number: a shell reads it as it was meant, and nothing in it acts when it is pasted."""

import subprocess

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dashboards.board.cells import Behind
from infra.site.function.numbers import number_answer


def command(path: str) -> str:
    cell = {"partition": "2026-11-01", "keys": {"path": path}, "column": "views", "value": 3}
    [found] = number_answer(Behind("Views", "3", "page_views_by_day", (cell,), 1)).cells
    return found.command


def read(text: str) -> list[str]:
    """The words that bash makes of it."""
    printed = subprocess.run(["bash", "-c", f"printf '%s\\0' {text}"], capture_output=True, check=True).stdout
    return printed.decode().split("\0")[:-1]


def test_a_plain_value_is_plain() -> None:
    assert command("/a") == "penstock explain page_views_by_day 2026-11-01 path=/a views"


@pytest.mark.parametrize(
    "path",
    [
        "a b",
        "it's",
        "$(id)",
        "`id`",
        "a\nid\n",
        "\x1b[201~id\n",
        "\x85'\\\u202eid",
        "ü\t'",
        "\\x41\r",
        "\u200b",
    ],
)
def test_what_acts_in_a_terminal_stays_a_value(path: str) -> None:
    assert command(path).isprintable()
    assert read(command(path))[4] == f"path={path}"


@settings(max_examples=50, deadline=None)
@given(path=st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"])))
def test_every_value_comes_back_from_the_shell(path: str) -> None:
    assert command(path).isprintable()
    assert read(command(path)) == [
        "penstock", "explain", "page_views_by_day", "2026-11-01", f"path={path}", "views",
    ]  # fmt: skip
