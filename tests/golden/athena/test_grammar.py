"""The offline grammar check says what it does, also where it can do nothing."""

import shutil

import pytest

from tests.golden.athena.grammar import __main__ as grammar
from tests.shop import REPORTS


def test_without_npm_it_says_so_and_fails_nothing(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PATH", "")
    assert grammar.main() == 0
    assert capsys.readouterr().out == "Grammar check skipped: it needs npm and Node.\n"


def test_it_reads_every_report_and_every_query_that_a_trino_answered() -> None:
    texts = grammar.statements()
    assert {name.removeprefix("report ") for name in texts if name.startswith("report ")} == set(REPORTS)
    assert sum(name.startswith("golden ") for name in texts) > 700


def test_a_parser_that_takes_a_broken_statement_fails_the_check(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(shutil, "which", lambda name: name)
    monkeypatch.setattr(grammar, "install", lambda _: True)
    monkeypatch.setattr(grammar, "check", lambda _, texts: {name: ["1:1: no"] for name in list(texts)[1:2]})
    assert grammar.main() == 1
    assert "is blind" in capsys.readouterr().out


def test_what_the_grammar_refuses_is_named_and_fails_the_check(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(shutil, "which", lambda name: name)
    monkeypatch.setattr(grammar, "install", lambda _: True)
    monkeypatch.setattr(grammar, "check", lambda _, texts: {name: ["1:1: no"] for name in list(texts)[:2]})
    assert grammar.main() == 1
    told = capsys.readouterr().out
    assert told.startswith("report ")
    assert "1:1: no" in told
