"""A project of somebody's own, outside the checkout, through every stage by the command alone."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.end_to_end.conftest import Shell, shell_in
from tests.infra.project.rides import write

pytestmark = pytest.mark.cloud
RIDES = 300


@pytest.fixture(scope="module")
def rides(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shell]:
    with shell_in(write(tmp_path_factory.mktemp("rides"))) as shell:
        yield shell


def _file(folder: Path) -> Path:
    events: list[dict[str, Any]] = [
        {
            "event_type": "ride_ended",
            "event_time": f"2026-11-24T{10 + n % 2}:{n % 60:02d}:00Z",
            "payload": {"bicycle": f"b-{n % 7}", "station": f"s-{n % 3}", "metres": n, "seconds": 60},
        }
        for n in range(RIDES)
    ]
    events[7]["payload"]["metres"] = -1
    file = folder / "rides.ndjson"
    file.write_text("".join(json.dumps(event) + "\n" for event in events))
    return file


def test_a_project_of_ones_own_runs_through_every_stage(rides: Shell) -> None:
    rides.run("contracts", "release")
    assert "0 findings." in rides.run("contracts", "check").stderr
    assert rides.json("reports", "lint") == []
    rides.run("dashboards", "lint")
    rides.run("local", "up")
    assert (rides.directory / ".local" / "assembly").is_dir()
    # Every line is read against the project's own stream; the one that breaks its bounds is kept and counted.
    sent = rides.json("produce", "replay", str(_file(rides.directory)), code=3)
    assert (sent["unreadable"], sent["produced"]) == (1, RIDES)
    rides.run("reports", "refresh", "--wait")
    assert rides.rows("SELECT sum(rides) AS rides, sum(metres) AS metres FROM rides_by_hour") == [
        {"rides": RIDES - 1, "metres": sum(range(RIDES)) - 7}
    ]
    found = rides.json(
        "query", "SELECT count(*) AS n FROM rides_ride_ended WHERE event_hour = '2026-11-24-10'"
    )
    assert found["rows"] == [{"n": RIDES // 2}]
    accounting = rides.json("reconcile", "--wait", "60")
    assert (accounting["balanced"], accounting["landed"], accounting["failed"]) == (True, RIDES - 1, 1)
    assert rides.json("failed", "list")["by_type"] == {"unreadable_line": 1}
    status = rides.json("local", "status")
    assert [report["name"] for report in status["reports"]] == ["rides_by_hour"]


def test_a_stream_without_a_simulator_says_so(rides: Shell) -> None:
    for verb in (("produce", "simulate", "--dry-run"), ("demo",)):
        told = rides.run(*verb, code=1).stderr
        assert "rides" in told
        assert "FILE" in told
