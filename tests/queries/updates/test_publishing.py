"""What is published, when nothing can be, and when the ledger is behind the catalog."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec
import pytest
from msgspec.structs import replace

from queries.api.callers import Caller
from queries.ledger.state import PartitionState, Published
from queries.store.port import Entry
from queries.updates import handler
from queries.updates.messages import JobUpdate, ReportUpdate, Update
from queries.updates.port import NotPublishedError
from queries.updates.publishing import LOOKS, SECONDS_BETWEEN, Publishing, UnsettledError
from tests.queries.api.reading.world import PLAIN, SALES, MemoryStandings
from tests.queries.api.reading.world import World as ReadApi
from tests.queries.updates.test_rules import image
from tests.queries.updates.things import PLANNED, QUEUED

OPERATOR = Caller("user:a", operates=True, views=True)


@dataclass
class Deployment:
    """The ports in memory. `refused` are jobs whose updates are not taken."""

    standings: MemoryStandings = field(default_factory=MemoryStandings)
    catalog: dict[str, str] = field(default_factory=dict)
    refused: frozenset[str] = frozenset()
    told: list[Update] = field(default_factory=list)
    slept: list[float] = field(default_factory=list)
    behind: int = 0

    def publish(self, update: Update) -> None:
        if isinstance(update, JobUpdate) and update.job_id in self.refused:
            raise NotPublishedError("It is not taken.")
        self.told.append(update)

    def served(self, table: str, values: Sequence[str]) -> Mapping[str, Entry]:
        return {value: Entry(value, self.catalog[value]) for value in values if value in self.catalog}

    def sleep(self, seconds: float) -> None:
        """The ledger follows after so many looks."""
        self.slept.append(seconds)
        if len(self.slept) == self.behind:
            for partition, location in self.catalog.items():
                self.write(partition, location)

    def write(self, partition: str, location: str) -> None:
        version = Published(location=location, fence=1, published_at=2_000, as_of=1_000)
        self.standings.states["sales", partition] = PartitionState(
            report="sales", partition=partition, published=version
        )

    @property
    def publishing(self) -> Publishing:
        reports = {report.name: report for report in (SALES, PLAIN)}
        return Publishing(self, self.standings, self, reports, self.sleep)


@pytest.fixture
def made() -> Deployment:
    return Deployment()


def test_a_failed_update_is_named_and_does_not_hold_up_the_others(made: Deployment) -> None:
    made.refused = frozenset({"two"})
    records = [image(1, QUEUED), image(2, replace(QUEUED, job_id="two")), image(3, PLANNED)]
    outcome = made.publishing.jobs(records)
    assert (outcome.published, dict(outcome.failed)) == (1, {"2": "It is not taken."})
    assert [(update.job_id, update.revision) for update in made.told if isinstance(update, JobUpdate)] == [
        ("one", 3)
    ]


def _event(*jobs: Any) -> dict[str, Any]:
    return {
        "Records": [
            {
                "dynamodb": {
                    "SequenceNumber": str(number),
                    "NewImage": {
                        "job_id": {"S": job.job_id},
                        "state": {"S": job.state},
                        "data": {"S": msgspec.json.encode(job).decode()},
                    },
                }
            }
            for number, job in enumerate(jobs, 1)
        ]
    }


class Context:
    function_name, memory_limit_in_mb = "updates", 256
    invoked_function_arn, aws_request_id = "arn:aws:lambda:eu-central-1:1:function:updates", "1"


def test_lambda_gets_the_records_that_it_must_send_again(
    made: Deployment, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(handler, "publishing", lambda: made.publishing)
    made.refused = frozenset({"two"})
    answer = handler.lambda_handler(_event(QUEUED, replace(QUEUED, job_id="two")), Context())  # type: ignore[arg-type]
    assert answer == {"batchItemFailures": [{"itemIdentifier": "2"}]}
    assert handler.lambda_handler(_event(PLANNED), Context()) == {"batchItemFailures": []}  # type: ignore[arg-type]


def test_a_batch_of_which_nothing_was_published_comes_back_as_a_whole(
    made: Deployment, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(handler, "publishing", lambda: made.publishing)
    made.refused = frozenset({"one"})
    with pytest.raises(NotPublishedError, match="None of 1 updates"):
        handler.lambda_handler(_event(QUEUED, PLANNED), Context())  # type: ignore[arg-type]
    with pytest.raises(handler.UnknownEventError, match="surprise"):
        handler.lambda_handler({"surprise": 1}, Context())  # type: ignore[arg-type]


def test_a_report_is_published_with_the_version_that_the_read_api_names(made: Deployment) -> None:
    made.write("2026-11-24-10", "reports/sales/run=1/")
    made.catalog["2026-11-24-10"] = "reports/sales/run=1/"
    assert made.publishing.report("sales") is True
    (update,) = made.told
    assert isinstance(update, ReportUpdate)
    world = ReadApi()
    world.standings.states |= made.standings.states
    (answer,) = [each for each in world.reading.described(OPERATOR) if each.name == "sales"]
    assert (update.name, update.version) == ("sales", answer.version)
    assert (update.as_of, update.published_at) == (answer.as_of, answer.published_at)
    assert made.slept == []


def test_a_publish_is_reported_when_the_ledger_has_what_the_catalog_serves_and_not_before(
    made: Deployment,
) -> None:
    made.write("2026-11-24-10", "reports/sales/run=1/")
    made.catalog["2026-11-24-10"] = "reports/sales/run=2/"
    made.behind = 3
    made.publishing.report("sales")
    assert made.slept == [SECONDS_BETWEEN] * 3
    assert len(made.told) == 1


def test_a_ledger_that_does_not_follow_is_an_error_and_nothing_is_published(made: Deployment) -> None:
    made.write("2026-11-24-10", "reports/sales/run=1/")
    made.catalog["2026-11-24-10"] = "reports/sales/run=2/"
    with pytest.raises(UnsettledError, match="sales"):
        made.publishing.report("sales")
    assert (len(made.slept), made.told) == (LOOKS - 1, [])


def test_a_table_that_is_not_a_report_is_not_published(made: Deployment) -> None:
    assert made.publishing.report("web_events_hours") is False
    assert made.told == []
