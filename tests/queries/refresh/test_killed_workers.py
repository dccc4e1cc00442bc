"""Workers killed on the local cloud, and what the next ticks make of it: a small run of `report_kills`."""

import pytest

from benchmarks.report_kills import Kills
from benchmarks.report_lab import Lab
from benchmarks.report_victim import QUERIES
from infra.local.cloud import LocalCloud

pytestmark = pytest.mark.cloud

STEPS = (
    "after dynamodb.TransactWriteItems 1",  # marked
    "after dynamodb.TransactWriteItems 2",  # claimed
    "after athena.StartQueryExecution 1",
    "after dynamodb.TransactWriteItems 3",  # the id is stored
    "after glue.BatchCreatePartition 1",  # published in part
    "after glue.BatchUpdatePartition 1",
    "before s3.PutObject 1",  # published, not told
)


@pytest.fixture(scope="module")
def kills(local_cloud: LocalCloud) -> Kills:
    return Kills(Lab.on(local_cloud, "killed", QUERIES))


@pytest.fixture(scope="module")
def steps(kills: Kills) -> list[str]:
    """The steps of a refresh that nobody kills; it leaves hours behind that are published already."""
    return kills.steps()


def test_a_refresh_goes_through_the_steps_that_the_trials_are_about(steps: list[str]) -> None:
    assert set(STEPS) <= set(steps)
    assert len(steps) > 50


@pytest.mark.usefixtures("steps")
@pytest.mark.parametrize("step", STEPS)
def test_a_killed_worker_leaves_nothing_that_two_ticks_do_not_fix_without_paying_again(
    kills: Kills, step: str
) -> None:
    trial = kills.trial(step)
    assert trial.passed, trial
