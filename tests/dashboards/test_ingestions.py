"""The refresh budget: 48 hours of a publish a minute, and every refusal that QuickSight has."""

import random
from collections.abc import Set
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest

from dashboards.ingestions import DAY, Budget, Call, Controller, Nothing, Start, Wait, decide
from infra.local.quicksight.errors import QuickSightError
from infra.local.quicksight.operations import Operations
from infra.local.quicksight.store import AssetStore

BUDGET = Budget()
RUN_SECONDS = 240.0


class Simulated:
    """QuickSight behind a clock that the test moves; ingestions take some minutes and may fail."""

    class ResourceExistsException(Exception): ...

    class LimitExceededException(Exception): ...

    class ThrottlingException(Exception): ...

    def __init__(self) -> None:
        self.now = 1_000_000.0
        self.store = AssetStore("123456789012", "eu-west-1", lambda: self.now)
        self.store.create("DataSet", "d", {"ImportMode": "SPICE", "Name": "d"})
        self.operations = Operations(self.store)
        self.refused = 0
        self.fail: dict[int, str] = {}
        self.exceptions = SimpleNamespace(
            ResourceExistsException=self.ResourceExistsException, LimitExceededException=self.LimitExceededException,
            ThrottlingException=self.ThrottlingException)  # fmt: skip

    def create_ingestion(self, **request: Any) -> Any:
        try:
            answer = self.operations.answer("CreateIngestion", request)
        except QuickSightError as error:
            self.refused += error.code == "LimitExceededException"
            raise getattr(self, error.code)(error.message) from error
        number = len(self.store.ingestions)
        if number in self.fail:
            entry = self.store.ingestions["d", request["IngestionId"]]
            entry.status, entry.error = "FAILED", {"Type": self.fail[number], "Message": "seeded"}
        return answer

    def list_ingestions(self, **request: Any) -> Any:
        answer = self.operations.answer("ListIngestions", request)
        for entry in answer["Ingestions"]:
            entry["CreatedTime"] = datetime.fromtimestamp(entry["CreatedTime"], UTC)
        return answer

    def finish(self) -> list[str]:
        """Ingestions whose time is over complete; returns their ids."""
        done = []
        for entry in self.store.ingestions.values():
            if entry.status == "QUEUED" and self.now - entry.created >= RUN_SECONDS:
                entry.status = "COMPLETED"
                done.append(entry.id)
        return done


def run(
    hours: int, quicksight: Simulated, by_hand: Set[int] = frozenset()
) -> tuple[list[float], list[float], list[str]]:
    """A publish a minute. Returns starts, the age of what is served at each minute (seconds), and alarms."""
    alarms: list[str] = []
    controller = Controller(
        quicksight, account="123456789012", data_set="d", clock=lambda: quicksight.now, alarm=alarms.append
    )
    published: dict[str, float] = {}
    served, ages = quicksight.now, []
    for minute in range(hours * 60):
        quicksight.now += 60
        version = f"v{minute}"
        published[version] = quicksight.now
        controller.published(version)
        if minute in by_hand:
            quicksight.create_ingestion(
                AwsAccountId="123456789012", DataSetId="d", IngestionId=f"by-hand-{minute}"
            )
        controller.step()
        for done in quicksight.finish():
            if done.startswith("d-v"):
                # What a full refresh holds is what was published when it started.
                served = max(served, published[done.split("-")[1]])
        ages.append(quicksight.now - served)
    starts = sorted(entry.created for entry in quicksight.store.ingestions.values())
    return starts, ages, alarms


def most_in_a_day(starts: list[float]) -> int:
    return max(sum(1 for other in starts if start - DAY < other <= start) for start in starts)


def test_48_hours_of_a_publish_a_minute_stay_in_the_budget_and_fresh() -> None:
    quicksight = Simulated()
    starts, ages, alarms = run(48, quicksight)
    assert quicksight.refused == 0
    assert most_in_a_day(starts) <= BUDGET.automatic
    assert max(ages) <= BUDGET.spacing + RUN_SECONDS + 120  # publishes and steps are a minute apart
    assert alarms == []


def test_refreshes_by_hand_count_and_the_reserve_is_theirs() -> None:
    quicksight = Simulated()
    starts, _, _ = run(48, quicksight, by_hand={600, 700, 800, 900})
    assert quicksight.refused == 0
    assert most_in_a_day(starts) <= BUDGET.per_day


@pytest.mark.parametrize("number", [1, 2, 15, 28])
@pytest.mark.parametrize(
    "error", ["DATA_SET_NOT_FOUND", "INGESTION_SUPERSEDED", "REFRESH_SUPPRESSED_BY_EDIT", "QUERY_TIMEOUT"]
)
def test_after_any_single_failure_the_newest_version_is_in(number: int, error: str) -> None:
    quicksight = Simulated()
    quicksight.fail = {number: error}
    starts, ages, _ = run(30, quicksight)
    assert quicksight.refused == 0
    assert most_in_a_day(starts) <= BUDGET.automatic
    # One retry may come a spacing later; by the end the page is as fresh as ever.
    assert ages[-1] <= BUDGET.spacing + RUN_SECONDS + 120


@pytest.mark.parametrize("seed", range(4))
def test_random_publishes_and_failures_never_break_the_budget(seed: int) -> None:
    random_ = random.Random(seed)
    quicksight = Simulated()
    quicksight.fail = {number: "QUERY_TIMEOUT" for number in range(1, 60) if random_.random() < 0.3}
    by_hand = {random_.randrange(60, 2800) for _ in range(4)}
    starts, _, _ = run(48, quicksight, by_hand)
    assert quicksight.refused == 0
    assert most_in_a_day(starts) <= BUDGET.per_day


def test_a_first_refresh_after_a_quiet_time_goes_at_once() -> None:
    assert decide(DAY, [Call(0.0, "d-v1-1", "COMPLETED")], "v2", BUDGET, "d") == Start("d-v2-1")


def test_one_runs_at_a_time() -> None:
    assert isinstance(decide(9000.0, [Call(0.0, "d-v1-1", "RUNNING")], "v2", BUDGET, "d"), Wait)


def test_a_version_that_is_in_is_not_refreshed_again() -> None:
    assert decide(DAY, [Call(0.0, "d-v1-1", "COMPLETED")], "v1", BUDGET, "d") == Nothing()


def test_two_failures_of_a_version_raise_an_alarm_and_leave_the_old_data() -> None:
    history = [
        Call(0.0, "d-v1-1", "FAILED", "QUERY_TIMEOUT"),
        Call(9000.0, "d-v1-2", "FAILED", "QUERY_TIMEOUT"),
    ]
    decision = decide(20_000.0, history, "v1", BUDGET, "d")
    assert isinstance(decision, Wait)
    assert decision.alarm


def test_a_message_that_comes_twice_starts_one_refresh() -> None:
    quicksight = Simulated()
    for _ in range(2):
        controller = Controller(
            quicksight, account="123456789012", data_set="d", clock=lambda: quicksight.now, alarm=pytest.fail
        )
        controller.published("v1")
        controller.step()
    assert len(quicksight.store.ingestions) == 1


def test_a_count_that_was_wrong_waits_for_the_window_and_raises_an_alarm() -> None:
    quicksight = Simulated()
    alarms: list[str] = []
    # QuickSight counts more than it lists: as if others had refreshed in a way that the list does not show.
    quicksight.list_ingestions = lambda **_: {"Ingestions": []}  # type: ignore[method-assign]
    for number in range(32):
        quicksight.create_ingestion(AwsAccountId="123456789012", DataSetId="d", IngestionId=f"x{number}")
    controller = Controller(
        quicksight, account="123456789012", data_set="d", clock=lambda: quicksight.now, alarm=alarms.append
    )
    controller.published("v1")
    decision = controller.step()
    assert isinstance(decision, Wait)
    assert decision.until == quicksight.now + DAY
    assert alarms
