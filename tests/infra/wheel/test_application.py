"""A service that has packages named `producers`, `queries` and `infra` uses Penstock from its wheel."""

import shutil
from pathlib import Path

import pytest

from tests.infra.wheel.conftest import Environment

APPLICATION = Path(__file__).parent / "application"


@pytest.fixture
def application(tmp_path: Path) -> Path:
    """A copy of the service outside the clone."""
    return Path(shutil.copytree(APPLICATION, tmp_path / "application"))


def test_the_services_own_tests_pass_beside_the_wheel(installed: Environment, application: Path) -> None:
    done = installed.run(
        ["-m", "pytest", "-q", "-p", "no:cacheprovider", "tests"], application, PYTHONPATH="."
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-1000:]
    assert "2 passed" in done.stdout


def test_the_services_packages_and_ours_live_in_one_process(
    installed: Environment, application: Path
) -> None:
    both = (
        "import producers, queries, infra, penstock.producers, penstock.queries, penstock.infra\n"
        "print(producers.NAMES[0], producers is penstock.producers, penstock.Producer.__module__)\n"
    )
    done = installed.run(["-c", both], application)
    assert done.stdout == "Sawmill False penstock.producers.producer\n", done.stderr
