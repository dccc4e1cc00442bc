"""Schedules in a project's file: what they give, and what is refused with its line."""

from pathlib import Path

import pytest

from infra.project.loading import ProjectError, load
from infra.project.schedules import Schedule, unknown_names
from queries.jobs.scheduled import DatedImport, NewestBackfill
from tests.infra.project.rides import write

HEAD = '[project]\nname = "rides"\n[deployments.production]\njobs = true\n[schedules.nightly]\n'
BACKFILL = 'kind = "backfill"\nreport = "rides_by_hour"\npartitions = 48\n'


def read(folder: Path, text: str) -> dict[str, Schedule]:
    write(folder)
    (folder / "penstock.toml").write_text(text)
    return dict(load(folder).schedules)


@pytest.mark.parametrize(
    "expression",
    [
        "rate(1 hour)",
        "rate(2 minutes)",
        "rate(10 days)",
        "cron(0 3 * * ? *)",
        "cron(0/15 * ? * MON-FRI *)",
        "cron(0 0 L * ? 2027)",
    ],
)
def test_a_schedule_has_a_rate_or_a_cron_expression(tmp_path: Path, expression: str) -> None:
    found = read(tmp_path, f'{HEAD}schedule = "{expression}"\n{BACKFILL}')
    wanted = NewestBackfill(report="rides_by_hour", partitions=48)
    assert found == {"nightly": Schedule("nightly", expression, wanted)}


def test_a_schedule_may_import(tmp_path: Path) -> None:
    text = f'{HEAD}schedule = "rate(1 day)"\nkind = "import"\nprefix = "rides/%Y/"\nsource = "rentals"\n'
    assert read(tmp_path, text)["nightly"].request == DatedImport(prefix="rides/%Y/", source="rentals")


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        (f'{HEAD}schedule = "rate(1 hours)"\n{BACKFILL}', 6, "is not a schedule. Write rate"),
        (f'{HEAD}schedule = "rate(0 hours)"\n{BACKFILL}', 6, "is not a schedule"),
        (f'{HEAD}schedule = "cron(0 3 * * * *)"\n{BACKFILL}', 6, "one of the two days is ?"),
        (f'{HEAD}schedule = "cron(0 3 * ?)"\n{BACKFILL}', 6, "is not a schedule"),
        (f'{HEAD}schedule = "at(2026-11-30T03:00:00)"\n{BACKFILL}', 6, "is not a schedule"),
        (f'{HEAD}{BACKFILL}', 5, "'schedule' is missing"),
        (f'{HEAD}schedule = "rate(1 day)"\nkind = "erase"\n', 7, "Unknown kind 'erase'"),
        (f'{HEAD}schedule = "rate(1 day)"\nkind = "import"\nreport = "a"\n', 8, "Unknown key 'report'"),
        (f'{HEAD}schedule = "rate(1 day)"\nkind = "import"\nprefix = "a"\n', 5, "missing required field `source`"),
        (f'{HEAD}schedule = "rate(1 day)"\nkind = "backfill"\nreport = "a"\npartitions = 0\n', 5, ">= 1"),
        (HEAD.replace("nightly", "Night") + 'schedule = "rate(1 day)"\n', 5, "not a valid name of a schedule"),
        (f'{HEAD.replace("true", "false")}schedule = "rate(1 day)"\n{BACKFILL}', 1, "none of its deployments has jobs"),
    ],
)  # fmt: skip
def test_what_is_not_a_schedule_is_refused_at_its_line(
    tmp_path: Path, text: str, line: int, words: str
) -> None:
    with pytest.raises(ProjectError) as refused:
        read(tmp_path, text)
    assert words in str(refused.value)
    assert f":{line}: " in str(refused.value)


def test_names_that_the_project_does_not_have_are_found() -> None:
    schedules = {
        "a": Schedule("a", "rate(1 day)", NewestBackfill(report="there", partitions=1)),
        "b": Schedule("b", "rate(1 day)", NewestBackfill(report="gone", partitions=1)),
        "c": Schedule("c", "rate(1 day)", DatedImport(prefix="", source="gone")),
    }
    assert unknown_names(schedules, ["there"], []) == [
        "The schedule 'b' names the report 'gone'. There are: there.",
        "The schedule 'c' names the source 'gone'. There are: none.",
    ]
