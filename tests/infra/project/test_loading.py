"""A project's file and folders: what they give, and what is refused with file, line and remedy."""

import os
from pathlib import Path

import pytest

from infra.project.loading import ProjectError, find, load
from queries.contracts import ReportDefinitionError
from tests.infra.project.rides import REPORT, write
from tests.shop import SHOP


def test_a_project_is_its_folder(tmp_path: Path) -> None:
    project = load(write(tmp_path))
    assert (project.name, project.prefix, project.root) == ("rides", "rides", tmp_path)
    assert list(project.streams) == ["rides"]
    assert list(project.tables) == ["rides_events"]
    assert list(project.reports) == ["rides_by_hour"]
    assert list(project.dashboards) == ["rides"]
    assert (list(project.deployments), project.default.prefix) == (["production"], "rides")


def test_it_is_found_from_any_folder_below_its_file(tmp_path: Path) -> None:
    write(tmp_path)
    assert find(tmp_path / "streams" / "examples").file == tmp_path / "penstock.toml"


def test_a_project_that_another_user_put_above_our_folder_is_not_run(tmp_path: Path) -> None:
    file, ours = tmp_path / "penstock.toml", tmp_path / "ours"
    write(tmp_path)
    ours.mkdir()
    if os.geteuid() != 0:
        pytest.skip("only root can give a file away")
    os.chown(file, 4711, -1)
    with pytest.raises(ProjectError, match=r"belongs to another user \(uid 4711\)"):
        find(ours)
    os.chown(ours, 4711, -1)
    assert find(ours).name == "rides"


def test_where_there_is_none_the_shop_is_meant(tmp_path: Path) -> None:
    assert find(tmp_path).file == SHOP.file
    assert SHOP.name == "shop"
    assert {name: each.prefix for name, each in SHOP.deployments.items()} == {
        "dev": "penstock-dev",
        "staging": "penstock-staging",
        "production": "penstock",
    }


def test_a_project_inside_a_project_is_refused(tmp_path: Path) -> None:
    write(tmp_path)
    inner = write(tmp_path / "reports" / "inner")
    with pytest.raises(ProjectError, match=r"lies inside another one.*move one of them out"):
        find(inner)


def test_settings_of_deployments_are_read_and_prefixes_follow_from_the_projects(tmp_path: Path) -> None:
    text = (
        '[project]\nname = "rides"\nprefix = "bikes"\n[deployments.dev]\nlog_days = 7\n'
        '[deployments.production]\nshards = 2\npseudonym_key_ids = ["k2", "k1"]\n'
    )
    found = load(write(tmp_path, penstock=text)).deployments
    assert (found["dev"].prefix, found["dev"].log_days) == ("bikes-dev", 7)
    assert (found["production"].prefix, found["production"].shards) == ("bikes", 2)
    assert found["production"].pseudonym_key_ids == ("k2", "k1")


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ('[project]\nname = "rides"\nowner = "me"\n', 3, "Unknown key 'owner'. Use one of: name, prefix."),
        ('[project]\nname = "rides"\n[folder]\n', 3, "Unknown key 'folder'"),
        ('[project]\nname = "rides"\n[folders]\nstreams = ""\n', 4, "is empty"),
        ('[project]\nname = "rides"\n[folders]\nevents = "x"\n', 4, "Unknown key 'events'"),
        ('[project]\nname = "Rides!"\n', 2, "is not a valid name"),
        ('[project]\nname = "rides"\n[deployments.dev]\nshrads = 2\n', 4, "Unknown key 'shrads'"),
        ('[project]\nname = "rides"\n[deployments.dev]\nlog_days = "7"\n', 4, "must be a whole number"),
        ('[project]\nname = "rides"\n[deployments.dev]\nshards = true\n', 4, "must be a whole number"),
        (
            '[project]\nname = "rides"\n[deployments.dev]\njobs_timeout_seconds = 29\n',
            4,
            "must be at least 30, not 29: a step",
        ),
        ('[project]\nname = "r1"\n[deployments.dev]\nprefix = "r1"\n', 3, "have one prefix"),
        ("[project]\n", 1, "'name' is missing. Add it."),
        ("[project\n", 1, "This is not TOML"),
    ],
)
def test_a_wrong_file_is_refused_at_its_line(tmp_path: Path, text: str, line: int, words: str) -> None:
    with pytest.raises(ProjectError) as told:
        load(write(tmp_path, penstock=text))
    assert str(told.value).startswith(f"{tmp_path / 'penstock.toml'}:{line}: ")
    assert words in str(told.value)


def test_a_report_on_a_table_that_is_not_there_is_refused_with_those_there_are(tmp_path: Path) -> None:
    project = load(write(tmp_path, rides_by_hour=REPORT.replace("rides_events", "trips_events")))
    with pytest.raises(ReportDefinitionError, match=r"rides_by_hour.sql:1: .*'trips_events'.*: rides_events"):
        _ = project.reports
