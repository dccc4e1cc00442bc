"""Damaged input never ends a command with a defect, and no row of it is unaccounted for.

`make mutate-inputs` runs two hundred seeds; some are in every test run.
"""

import gzip
import io
import json
import os
import sys
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from dashboards.cli import app as dashboards_app
from infra.command.exits import Exit
from infra.command.failures import explain
from infra.command.target import Target as CommandTarget
from infra.demo.producing import require_readable
from producers.commands.cli import app as produce_app
from producers.commands.run import Run
from producers.packing.codec import encode
from producers.sources.files import SourceError
from producers.sources.read import NewEvent, read
from queries.commands.cli import reports_app
from tests.producers.sources.mutated_inputs import ROWS, Mutated, mutated, mutated_text
from tests.shop import CATALOG, WEB

SEEDS = range(int(os.environ.get("PENSTOCK_TEST_MUTATIONS", "12")))


class Target:
    """What verbs need that talk to nobody."""

    json = True

    def __getattr__(self, name: str) -> Any:
        raise AttributeError(name)


def code_of(app: typer.Typer, *words: str) -> tuple[int, str]:
    """(exit code as the command gives it, stdout) of a verb."""

    target = CommandTarget("local", {}, directory=Path.cwd())
    result = CliRunner().invoke(app, list(words), obj=target)
    if result.exception is None or isinstance(result.exception, SystemExit):
        return result.exit_code, result.stdout
    message, code = explain(result.exception)
    assert message.strip()
    return code, result.stdout


def accounted(given: Mutated) -> int | None:
    """How many items the file gives; None when it is refused as a whole. Every whole mark is in one."""
    found, seen, rows = 0, b"", 0
    try:
        for item in read(str(given.path), WEB):
            found += 1
            seen += encode(item.payload) if isinstance(item, NewEvent) else item.data
            rows = item.number
    except SourceError as error:
        assert str(error)
        return None
    if given.marks is not None:
        assert [mark for mark in given.marks if mark not in seen] == []
    if given.rows is not None and not _has_mark(given):
        assert found == given.rows
    if given.form == "a.parquet":
        assert found <= rows <= max(ROWS, found)
    return found


def _has_mark(given: Mutated) -> bool:
    """A byte-order mark that came in by chance makes another text of it."""
    data = given.path.read_bytes()
    return (gzip.decompress(data) if data[:2] == b"\x1f\x8b" else data)[:2] in (b"\xff\xfe", b"\xfe\xff")


@pytest.mark.parametrize("seed", SEEDS)
def test_damaged_input_is_read_or_refused_and_every_row_is_accounted_for(
    seed: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = mutated(seed, tmp_path)
    items = accounted(given)
    code, stdout = code_of(produce_app, "replay", "--dry-run", "--json", "--", str(given.path))
    assert code != Exit.UNEXPECTED, given
    if items is None:
        assert code == Exit.FAILED
    else:
        summary = json.loads(stdout)
        assert (summary["put"], summary["pending"]) == (items, 0)
        reasons = summary.get("unreadable_reasons", [])
        assert (
            sum(row["count"] for row in reasons) + summary.get("unreadable_for_others", 0)
            == summary["unreadable"]
        )
        assert code == (3 if summary["unreadable"] else 0)
    _through_a_pipe(given, monkeypatch)
    _for_the_demo(given)


def _through_a_pipe(given: Mutated, monkeypatch: pytest.MonkeyPatch) -> None:
    from producers.commands.target import own_target

    with given.path.open("rb") as file:
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(file))
        try:
            Run(own_target(), None, "kpl", "none", dry_run=True).replay("-", None, None, None, None)
        except Exception as error:  # noqa: BLE001 - as the command does
            assert explain(error)[1] != Exit.UNEXPECTED, (given, error)


def _for_the_demo(given: Mutated) -> None:
    try:
        require_readable(str(given.path), WEB)
    except Exception as error:  # noqa: BLE001 - as the command does
        assert explain(error)[1] != Exit.UNEXPECTED, (given, error)


@pytest.mark.parametrize("seed", SEEDS)
def test_damaged_reports_and_definitions_are_refused_in_a_sentence(seed: int, tmp_path: Path) -> None:
    from dashboards.cli import _foreign

    sql = (
        Path(__file__).parents[3] / "queries" / "sql" / f"{list(CATALOG)[seed % len(CATALOG)]}.sql"
    ).read_bytes()
    code, _ = code_of(reports_app, "lint", str(mutated_text(seed, sql, tmp_path / "r.sql")))
    assert code != Exit.UNEXPECTED
    code, stdout = code_of(dashboards_app, "emit")
    assert code == 0
    definitions = [
        each["Properties"]["Definition"]
        for each in json.loads(stdout).values()
        if "Definition" in each["Properties"]
    ]
    text = json.dumps(definitions[seed % len(definitions)]).encode()
    try:
        _foreign(mutated_text(seed, text, tmp_path / "d.json"))
    except Exception as error:  # noqa: BLE001 - as the command does
        assert explain(error)[1] != Exit.UNEXPECTED, error


def test_the_mutations_are_strong_enough_to_damage_rows_and_whole_files(tmp_path: Path) -> None:
    found = [accounted(mutated(seed, tmp_path)) for seed in range(40)]
    assert found.count(None) > 3
    assert found.count(ROWS) > 3
