"""Progress is told on a stream of its own, one line per step."""

import io
from itertools import count
from pathlib import Path

import pytest

from infra.command.progress import Steps
from infra.local.deploy.watching import changes


def test_a_step_ends_as_one_line_with_its_last_detail_and_its_seconds() -> None:
    told, seconds = io.StringIO(), count()
    with Steps(told, clock=lambda: float(next(seconds))).step("Delivering") as detail:
        detail("10 rows")
        detail("20 rows")
    assert told.getvalue() == "✓ Delivering: 20 rows 1.0 s\n"


def test_a_step_that_fails_says_so_and_lets_the_failure_through(capsys: pytest.CaptureFixture[str]) -> None:
    told = io.StringIO()
    with pytest.raises(OSError, match="full"), Steps(told).step("Writing"):
        raise OSError("full")
    assert told.getvalue() == "✗ Writing\n"
    assert capsys.readouterr().out == ""


def test_a_source_file_that_is_written_is_a_change(tmp_path: Path) -> None:
    source, other = tmp_path / "a.py", tmp_path / "a.txt"
    source.write_text("1")
    other.write_text("1")
    before = changes([tmp_path])
    other.write_text("2")
    assert changes([tmp_path]) == before
    source.unlink()
    assert changes([tmp_path]) != before
