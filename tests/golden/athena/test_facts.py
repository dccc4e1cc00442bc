"""The page about the endpoint says what the code does."""

import pytest

from tests.golden.athena import facts


def test_the_page_is_made_of_today_s_code() -> None:
    text = facts.PAGE.read_text(encoding="utf-8")
    assert facts.page(text) == text, "python -m tests.golden.athena.facts"


def test_a_page_without_marks_is_refused() -> None:
    with pytest.raises(ValueError, match="has no lines"):
        facts.page("# Athena on this machine\n")
