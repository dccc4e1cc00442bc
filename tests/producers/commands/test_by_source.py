"""`penstock produce replay --source`, dry: what is counted, what is refused before anything is sent."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from producers.commands.cli import app
from producers.commands.hour_pacing import Delivery
from producers.contracts import Stream
from producers.sources.definition import (
    SourceDefinition,
    SourceDefinitionError,
    UnknownSourceError,
    parse_source,
)
from producers.sources.keys import NotUniqueError
from tests.producers.sources.flights import FLIGHTS
from tests.producers.sources.malformed import COLUMNS, REFUSING, content, rows
from tests.shop import WEB


class Console:
    """A target with one source and no cloud."""

    json = True
    stream_name = "unused"
    delivery = Delivery()
    streams: Mapping[str, Stream] = {FLIGHTS.name: FLIGHTS, WEB.name: WEB}

    def __init__(self, text: str = REFUSING) -> None:
        self.sources: Mapping[str, SourceDefinition] = {
            "visits": parse_source(text, "sources/visits.sql"),
        }

    def client(self, service: str) -> Any:
        """Nothing is sent."""
        raise AssertionError(service)

    def run(self, *arguments: str) -> Result:
        """Runs `penstock produce`."""
        return CliRunner().invoke(app, arguments, obj=self)


def _file(folder: Path, name: str = "visits.csv", text: str | None = None) -> str:
    (folder / name).write_text(content() if text is None else text)
    return str(folder / name)


def test_a_dry_run_lists_the_most_frequent_reasons_with_their_rows(tmp_path: Path) -> None:
    ran = Console().run("replay", _file(tmp_path), "--source", "visits", "--dry-run")
    assert ran.exit_code == 3
    told = json.loads(ran.stdout)
    assert (told["put"], told["unreadable"], told["source"]) == (400, 200, "visits")
    reasons = told["unreadable_reasons"]
    assert sum(each["count"] for each in reasons) + told["unreadable_for_others"] == 200
    malformed = {number for number, (kind, _) in enumerate(rows(), start=1) if kind}
    assert all(set(each["lines"]) <= malformed for each in reasons)


def test_a_key_that_is_not_unique_is_refused_before_anything_is_sent(tmp_path: Path) -> None:
    good = [cells for kind, cells in rows() if not kind]
    lines = [COLUMNS, *good[:3], [good[0][0], *good[1][1:]]]
    path = _file(tmp_path, text="".join(f"{','.join(cells)}\n" for cells in lines))
    ran = Console().run("replay", path, "--source", "visits")
    assert isinstance(ran.exception, NotUniqueError)
    assert "visits.csv rows 1 and 4" in str(ran.exception)


def test_rows_that_two_files_share_are_counted(tmp_path: Path) -> None:
    good = [cells for kind, cells in rows() if not kind][:5]
    first = _file(tmp_path, "a.csv", "".join(f"{','.join(cells)}\n" for cells in [COLUMNS, *good]))
    second = _file(tmp_path, "b.csv", "".join(f"{','.join(cells)}\n" for cells in [COLUMNS, *good[2:]]))
    ran = Console().run("replay", first, second, "--source", "visits", "--dry-run")
    assert ran.exit_code == 0
    assert [json.loads(line)["repeated"] for line in ran.stdout.splitlines()] == [3, 3]


def test_a_source_without_a_key_warns(tmp_path: Path) -> None:
    path = _file(tmp_path)
    ran = Console(REFUSING.replace("-- key:         visit\n", "")).run(
        "replay", path, "--source", "visits", "--dry-run"
    )
    assert "sources/visits.sql declares no key" in ran.stderr


@pytest.mark.parametrize(
    ("arguments", "error"),
    [(("--source", "visit"), UnknownSourceError), (("--source", "visits"), SystemExit)],
)
def test_unknown_sources_and_a_format_beside_a_source_are_refused(
    tmp_path: Path, arguments: tuple[str, ...], error: type[BaseException]
) -> None:
    more = () if error is UnknownSourceError else ("--format", "csv")
    ran = Console().run("replay", _file(tmp_path), *arguments, *more)
    assert ran.exit_code != 0
    assert isinstance(ran.exception, error)


def test_a_source_is_sent_to_its_own_stream_and_to_no_other(tmp_path: Path) -> None:
    path = _file(tmp_path)
    ran = Console().run("replay", path, "--source", "visits", "--stream", "flights", "--dry-run")
    assert isinstance(ran.exception, SourceDefinitionError)
    assert "--stream names 'flights'" in str(ran.exception)
    same = Console().run("replay", path, "--source", "visits", "--stream", "web", "--dry-run")
    assert json.loads(same.stdout)["put"] == 400
