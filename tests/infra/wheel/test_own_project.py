"""A project of two hand-written streams, one of them straight to Firehose, from the wheel and outside the clone."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from infra.local import processes
from tests.infra.wheel.conftest import FOR_REAL, Environment

pytestmark = pytest.mark.cloud

OWN = Path(__file__).parent / "demo2"
EVENTS = 5_000 if FOR_REAL else 300
STREAMS = {"parcels", "sensors"}


class Project:
    """A project's folder, and the command in it."""

    def __init__(self, environment: Environment, folder: Path) -> None:
        self._environment, self._folder = environment, folder
        port, server_port = processes.free_ports(2)
        self._ports = {"PENSTOCK_LOCAL_PORT": str(port), "PENSTOCK_LOCAL_SERVER_PORT": str(server_port)}

    def run(self, *verbs: str, codes: tuple[int, ...] = (0,)) -> str:
        """Standard output of a command that must end with one of these codes."""
        done = self._environment.run(["-m", "penstock", *verbs], self._folder, timeout=600, **self._ports)
        assert done.returncode in codes, f"{' '.join(verbs)}: {done.stdout[-1500:]}{done.stderr[-3000:]}"
        return done.stdout

    def json(self, *verbs: str) -> Any:
        """The same, as JSON."""
        return json.loads(self.run(*verbs, "--json"))


@pytest.fixture(scope="module")
def project(installed: Environment, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    """The project `demo2`: the template's own stream, report and dashboard replaced by two of each."""
    folder = tmp_path_factory.mktemp("outside") / "demo2"
    done = installed.run(["-m", "penstock", "init", "demo2"], folder.parent)
    assert done.returncode == 0, done.stderr
    for name in ("streams", "reports", "dashboards"):
        shutil.rmtree(folder / name)
        shutil.copytree(OWN / name, folder / name)
    made = Project(installed, folder)
    try:
        yield made
    finally:
        made.run("local", "down")


@pytest.fixture(scope="module")
def outcome(project: Project) -> Any:
    """What the demo found: both streams simulated, delivered, reported and accounted for."""
    project.run("contracts", "release")
    for verbs in (("contracts", "check"), ("reports", "lint"), ("dashboards", "lint")):
        project.run(*verbs)
    return project.json("demo", "--enforce-iam", "--events", str(EVENTS))


def test_two_hand_written_streams_balance_with_permissions_enforced(outcome: Any) -> None:
    assert outcome["balanced"] is True
    assert (outcome["produced"], outcome["in_flight"]) == (2 * EVENTS, 0)
    assert outcome["streams"].keys() == STREAMS
    assert sum(each["landed"] for each in outcome["streams"].values()) == outcome["landed"]
    assert outcome["set_aside"] == {}


def test_the_reports_have_what_landed(project: Project, outcome: Any) -> None:
    for stream, measure, report in (
        ("parcels", "scans", "scans_by_hour"),
        ("sensors", "readings", "temperatures_by_hour"),
    ):
        answer = project.json("query", f"SELECT sum({measure}) AS n FROM {report}")
        assert int(answer["rows"][0]["n"]) == outcome["streams"][stream]["landed"]


@pytest.mark.usefixtures("outcome")
@pytest.mark.parametrize(
    ("verbs", "codes"),
    [
        ("reconcile --json", (0,)),
        ("local status", (0,)),
        ("local check --json", (0,)),
        ("cost --json", (0,)),
        ("capacity --json", (0,)),
        ("doctor --no-canary --json", (0, 1)),  # the emulator leaves out some of what the doctor asks about
        *(
            [("reconcile", (0,)), ("cost", (0,)), ("capacity", (0,)), ("local status --json", (0,))]
            * FOR_REAL
        ),
    ],
)
def test_what_describes_the_deployment_names_each_stream(
    project: Project, verbs: str, codes: tuple[int, ...]
) -> None:
    told = project.run(*verbs.split(), codes=codes)
    assert [stream for stream in sorted(STREAMS) if stream not in told] == []
