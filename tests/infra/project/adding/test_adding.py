"""`penstock add stream`: what it writes is sound, reads its own sample, and overwrites nothing."""

import json
from pathlib import Path

import pytest

from infra.command.cli import main
from infra.project.loading import load
from producers.sources.reader import SourceReader
from tests.producers.inference.generated import FILES


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of a new project, which is the working directory."""
    monkeypatch.chdir(tmp_path)
    assert main(["init", "trial"]) == 0
    monkeypatch.chdir(tmp_path / "trial")
    return tmp_path / "trial"


def test_streams_of_all_samples_are_sound_and_refuse_no_row_of_their_sample(
    project: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, make in FILES.items():
        capsys.readouterr()
        assert main(["--json", "add", "stream", name, "--from", str(make(tmp_path))]) == 0
        said = json.loads(capsys.readouterr().out)
        assert (said["events"], said["failed"]) == (400, 0), name
        assert sorted(said["files"]) == sorted(
            file
            for file in said["files"]
            if (project / file).is_file()
            and file.split("/")[0] in ("streams", "sources", "reports", "dashboards")
        )
    assert main(["contracts", "release"]) == 0
    for verbs in (["contracts", "check"], ["reports", "lint"], ["dashboards", "lint"]):
        assert main(verbs) == 0, capsys.readouterr()


def test_what_a_field_was_inferred_from_stands_above_it(project: Path, tmp_path: Path) -> None:
    assert main(["add", "stream", "sensors", "--from", str(FILES["sensors"](tmp_path))]) == 0
    stream = (project / "streams/sensors.py").read_text(encoding="utf-8")
    assert "    # 0 to 100\n    battery: Annotated[int, Meta(ge=0, le=1_000)]\n" in stream
    assert (
        "missing in 24 of 400 rows\n    celsius: Annotated[float, Meta(ge=-50, le=500)] | None = None"
        in stream
    )
    source = (project / "sources/sensors.sql").read_text(encoding="utf-8")
    assert "-- key:         device_id, _time\n" in source
    assert "-- delimiter:   semicolon\n" in source


def test_personal_values_of_the_sample_are_in_no_file(project: Path, tmp_path: Path) -> None:
    sample = FILES["logins"](tmp_path)
    assert main(["add", "stream", "logins", "--from", str(sample)]) == 0
    written = "".join(
        file.read_text(encoding="utf-8") for file in project.rglob("*logins*") if file.is_file()
    )
    written += "".join(
        file.read_text(encoding="utf-8") for file in project.rglob("login_*") if file.is_file()
    )
    assert "missing_field" in "".join(file.name for file in project.rglob("login_*"))
    assert '"personal": "ip_address_key"' in written
    assert "203.0.113." not in written
    assert "curl/" not in written


def test_names_and_values_of_a_hostile_file_become_text_and_nothing_else(
    project: Path, tmp_path: Path
) -> None:
    columns = ["time", 'a"; import os #', "b' OR 1=1 --", "class", "select", "n\u00e4me \u2028 x", "int"]
    assert any(not column.isprintable() for column in columns)
    columns[5] = "n\u00e4me"
    values = ['"""', "\\", "'; DROP TABLE x; --", "{{x}}", "${y}", "\u00fc", "7"]
    sample = tmp_path / "x'); evil.csv"
    rows = [
        ",".join(['"' + cell.replace('"', '""') + '"' for cell in (f"2026-03-01T10:00:{n:02d}Z", *row)])
        for n in range(60)
        for row in [[values[(n + at) % 3] for at in range(6)]]
    ]
    header = ",".join('"' + column.replace('"', '""') + '"' for column in columns)
    sample.write_text("\n".join([header, *rows]) + "\n", encoding="utf-8")
    assert main(["add", "stream", "odd", "--from", str(sample)]) == 0
    assert main(["contracts", "release"]) == 0
    for verbs in (["contracts", "check"], ["reports", "lint"], ["dashboards", "lint"]):
        assert main(verbs) == 0
    found = load(project)
    with SourceReader(found.sources["odd"], found.streams["odd"]) as reader:
        batches = list(reader.batches(str(sample)))
    assert sum(len(batch.events) for batch in batches) == 60
    assert json.loads(batches[0].events[0].data)["class_value"] == values[2]


def test_rows_that_the_contract_would_refuse_are_said(
    project: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = [f"{'' if n == 5 else f'2026-03-01T10:00:{n:02d}Z'},{n}" for n in range(50)]
    (tmp_path / "s.csv").write_text("\n".join(["time,level", *rows]) + "\n", encoding="utf-8")
    assert main(["add", "stream", "levels", "--from", str(tmp_path / "s.csv")]) == 0
    said = capsys.readouterr().out
    assert "Unsure: 1 of 50 rows of the sample would become failed records." in said
    assert "time: is missing (1 rows, first 6)" in said


def test_files_that_are_there_stay_without_force(
    project: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    sample = str(FILES["hosts"](tmp_path))
    (project / "reports/hosts_by_day.sql").write_text("mine", encoding="utf-8")
    assert main(["add", "stream", "hosts", "--from", sample]) == 1
    assert "reports/hosts_by_day.sql. Nothing was written" in capsys.readouterr().err
    assert not (project / "streams/hosts.py").exists()
    assert main(["add", "stream", "hosts", "--from", sample, "--force"]) == 0
    assert (project / "reports/hosts_by_day.sql").read_text(encoding="utf-8") != "mine"


@pytest.mark.parametrize("name", ["Hosts", "2nd", "x" * 25, "a_", "../x"])
def test_a_name_that_no_stream_could_bear_is_refused(
    project: Path, tmp_path: Path, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["add", "stream", name, "--from", str(FILES["hosts"](tmp_path))]) == 1
    assert "is not a valid stream name" in capsys.readouterr().err


def test_the_shop_is_nobodys_to_add_to(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["add", "stream", "hosts", "--from", "x.csv"]) == 1
    assert "penstock init" in capsys.readouterr().err
