"""`penstock init`: a project that is sound from the start, and nobody's files overwritten."""

from pathlib import Path
from random import Random

import pytest

from infra.command.cli import main
from infra.project.loading import load
from producers.simulation.traffic import traffic_of


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working directory."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_a_new_project_has_its_name_and_nothing_to_find_fault_with(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["init", "helpdesk"]) == 0
    written = sorted(line for line in capsys.readouterr().out.splitlines() if line.startswith("helpdesk/"))
    assert written == sorted(
        file.relative_to(folder).as_posix() for file in (folder / "helpdesk").rglob("*") if file.is_file()
    )
    project = load(folder / "helpdesk")
    assert (project.name, project.prefix) == ("helpdesk", "helpdesk")
    assert "my-project" not in "".join(
        file.read_text() for file in (folder / "helpdesk").rglob("*") if file.is_file()
    )
    monkeypatch.chdir(folder / "helpdesk")
    for verbs in (["contracts", "check"], ["reports", "lint"], ["dashboards", "lint"]):
        assert main(verbs) == 0, capsys.readouterr()


def test_its_stream_is_simulated_by_a_file_beside_it_and_equal_for_equal_chance(folder: Path) -> None:
    assert main(["init", "helpdesk"]) == 0
    traffic = traffic_of(load(folder / "helpdesk").streams["support"])
    first, again = ([*traffic(Random(7), 50, 1_800_000_000_000, 3_600_000)] for _ in range(2))
    assert first == again
    assert len(first) == 50
    assert [happening.time_ms for happening in first] == sorted(happening.time_ms for happening in first)


def test_files_that_are_there_stay_as_they_are_without_force(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "helpdesk/streams").mkdir(parents=True)
    own = folder / "helpdesk/streams/support.py"
    own.write_text("mine")
    assert main(["init", "helpdesk"]) == 1
    refused = capsys.readouterr().err
    assert "streams/support.py" in refused
    assert "--force" in refused
    assert [file for file in (folder / "helpdesk").rglob("*") if file.is_file()] == [own]
    assert own.read_text() == "mine"
    assert main(["init", "helpdesk", "--force"]) == 0
    assert "STREAM = Stream(" in own.read_text()


def test_other_files_of_the_folder_are_left_alone(folder: Path) -> None:
    (folder / "helpdesk").mkdir()
    (folder / "helpdesk/notes.txt").write_text("mine")
    assert main(["init", "helpdesk"]) == 0
    assert (folder / "helpdesk/notes.txt").read_text() == "mine"


def test_no_project_is_made_inside_another(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["init", "outer"]) == 0
    assert main(["init", "outer/inner"]) == 1
    assert "lies inside the project" in capsys.readouterr().err
    assert not (folder / "outer/inner").exists()


@pytest.mark.parametrize("name", ["Help", "a", "-x.y", "helpdesk_2", "2nd", "x" * 33])
def test_a_name_that_no_resource_could_bear_is_refused(
    folder: Path, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["init", "--", name]) == 1
    assert f"{name!r} is not a valid project name. Use 2 to 32" in capsys.readouterr().err
    assert not (folder / name).exists()
