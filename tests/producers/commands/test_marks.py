"""What a resume file covers, and for which file and stream."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from benchmarks.stub_process import StubProcess
from producers.commands import run as command
from producers.errors import ResumeFileError
from producers.sources import read as sources
from producers.sources.read import SourceItem
from tests.producers.commands.running import _environment, ids, produced, whole_events


def test_a_mark_of_another_file_is_not_used(stub: StubProcess, tmp_path: Path) -> None:
    mark = tmp_path / "mark"
    produced("replay", str(whole_events(tmp_path / "one.ndjson", 50)), "--resume", str(mark))
    code, summary = produced("replay", str(whole_events(tmp_path / "two.ndjson", 60)), "--resume", str(mark))
    assert (code, summary["put"]) == (0, 60)
    for name in ("one.ndjson", "two.ndjson"):
        code, summary = produced("replay", str(tmp_path / name), "--resume", str(mark))
        assert (code, summary["put"]) == (0, 0)


def test_a_dry_run_marks_nothing_as_delivered(stub: StubProcess, tmp_path: Path) -> None:
    path, mark = whole_events(tmp_path / "one.ndjson", 50), tmp_path / "mark"
    code, summary = produced("replay", str(path), "--resume", str(mark), "--dry-run")
    assert (code, summary["put"], mark.exists()) == (0, 50, False)
    code, summary = produced("replay", str(path), "--resume", str(mark))
    assert (code, summary["put"]) == (0, 50)
    assert len(ids(stub.arrivals())) == 50


def test_a_mark_holds_for_the_stream_that_the_lines_went_to(stub: StubProcess, tmp_path: Path) -> None:
    path, mark = whole_events(tmp_path / "one.ndjson", 50), tmp_path / "mark"
    for name in ("one", "other"):
        words = ("replay", str(path), "--resume", str(mark), "--stream-name", name)
        assert [produced(*words)[1]["put"] for _ in range(2)] == [50, 0]


def test_a_file_that_is_not_a_mark_is_never_overwritten(stub: StubProcess, tmp_path: Path) -> None:
    path = whole_events(tmp_path / "one.ndjson", 5)
    content = path.read_bytes()
    with pytest.raises(ResumeFileError, match="not a resume file"):
        produced("replay", str(path), "--resume", str(path))
    assert path.read_bytes() == content
    assert "records" not in stub.control()


def test_lines_that_are_read_and_not_put_are_not_covered_by_the_mark(
    stub: StubProcess, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, mark = whole_events(tmp_path / "one.ndjson", 1_000), tmp_path / "mark"
    sources_read = sources.read

    def torn(*given: Any, **named: Any) -> Iterator[SourceItem]:
        for item in sources_read(*given, **named):
            if item.number == 700:
                os.kill(os.getpid(), signal.SIGTERM)
            yield item

    monkeypatch.setattr(command, "read", torn)
    code, summary = produced("replay", str(path), "--resume", str(mark))
    assert (code, summary["last_line"]) == (143, 500)
    monkeypatch.undo()
    for name, value in _environment(stub.url).items():
        monkeypatch.setenv(name, value)
    code, summary = produced("replay", str(path), "--resume", str(mark))
    assert (code, summary["put"]) == (0, 500)
    assert len(ids(stub.arrivals())) == 1_000
