"""A report on the health of each stream."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from infra.command.target import Target
from infra.project.loading import load
from queries.commands.cli import reports_app
from queries.commands.health import UnknownStreamError
from queries.commands.lint import lint
from queries.refresh.catalog import parse_report
from tests import two_streams
from tests.shop import CATALOG, TABLES

HOURLY = "_by_hour"


def _health(folder: Path, *arguments: str, code: int = 0) -> tuple[str, str, BaseException | None]:
    ran = CliRunner().invoke(reports_app, ["health", *arguments], obj=Target("local", {}, directory=folder))
    assert ran.exit_code == code, (ran.output, ran.exception)
    return ran.stdout, ran.stderr, ran.exception


def test_each_stream_gets_a_sound_report_of_its_own_table(tmp_path: Path) -> None:
    project = two_streams.write(tmp_path)
    for name, stream in project.streams.items():
        sql, said, _ = _health(tmp_path, "--stream", name)
        file = f"{name}_health.sql"
        assert said.rstrip().endswith(f"reports/{file}")
        assert lint(sql, file, project.tables) == []
        report = parse_report(sql, file, project.tables).report
        assert (report.name, list(report.sources)) == (f"{name}_health", [stream.table])
        assert report.owner == stream.owner
        (project.folders.reports / file).write_text(sql)
    assert {f"{name}_health" for name in project.streams} < set(load(tmp_path).reports)


def test_the_only_stream_is_meant_and_its_report_says_what_the_one_that_ships_says(tmp_path: Path) -> None:
    sql, _, _ = _health(tmp_path)
    [table] = TABLES
    shipped = CATALOG[f"health{HOURLY}"]
    found = parse_report(sql, "health.sql", TABLES)
    assert (found.report.name, list(found.report.sources)) == ("health", [table])
    assert found.report.columns == shipped.report.columns
    assert found.sql.split() == shipped.sql.split()


@pytest.mark.parametrize(
    ("arguments", "says"), [((), "Name one with --stream"), (("--stream", "x"), "It has: ")]
)
def test_a_stream_that_is_not_named_or_not_there_is_refused(
    tmp_path: Path, arguments: tuple[str, ...], says: str
) -> None:
    two_streams.write(tmp_path)
    _, _, error = _health(tmp_path, *arguments, code=1)
    assert isinstance(error, UnknownStreamError)
    assert says in str(error)
