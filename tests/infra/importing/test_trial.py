"""A dry run finds what an import would find, with files and rows, and leaves nothing behind."""

from pathlib import Path

import pytest

from infra.importing.session import NotUniqueError
from infra.importing.trial import Trial, try_files
from producers.sources.definition import parse_source
from producers.sources.reader import SourceReader
from tests.infra.importing.world import VIEWS, row, write
from tests.shop import TABLE

GOOD = [row(number) for number in range(1, 101)]
BAD = [row(200, status="many"), row(201, status="99"), row(202, status="few")]


def tried(tmp_path: Path, *files: str) -> Trial:
    with SourceReader(parse_source(VIEWS, "sources/views.sql"), TABLE.stream) as reader:
        return try_files(reader, files, tmp_path / "scratch", lambda _: None)


def test_a_dry_run_counts_rows_and_says_why_some_are_not_events(tmp_path: Path) -> None:
    trial = tried(tmp_path, write(tmp_path / "a.csv", [*GOOD, *BAD]), write(tmp_path / "b.csv", GOOD))
    assert (trial.events, trial.failures, trial.hours) == (200, 3, 3)
    first, second = (each.as_dict() for each in trial.files)
    assert (second["events"], second["failed"], "unreadable_reasons" in second) == (100, 0, False)
    reasons = first["unreadable_reasons"]
    assert [(each["count"], each["lines"]) for each in reasons] == [(2, [101, 103]), (1, [102])]
    assert all(each["reason"].startswith("status: ") for each in reasons)
    assert list((tmp_path / "scratch").iterdir()) == []


def test_a_dry_run_refuses_a_key_that_is_not_unique_with_the_rows(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", [*GOOD, row(7, url="/b")])
    with pytest.raises(NotUniqueError, match="rows 7 and 101"):
        tried(tmp_path, path)
