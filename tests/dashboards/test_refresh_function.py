"""The refresh function: what the catalogue tells it, what it starts, and that it forgets nothing."""

from types import SimpleNamespace
from typing import Any

import pytest

from dashboards import handler
from dashboards.handler import Refresh, said
from dashboards.ingestions import Nothing, Start, Wait
from dashboards.settings import Settings, SettingsError
from tests.dashboards.test_ingestions import Simulated

CONTEXT: Any = SimpleNamespace(
    function_name="refresh", memory_limit_in_mb=256, invoked_function_arn="arn:aws:lambda", aws_request_id="r"
)
SETTINGS = Settings("123456789012", "penstock", {"funnel_by_day": "d"})
PUBLISHED = {
    "source": "aws.glue",
    "detail-type": "Glue Data Catalog Table State Change",
    "detail": {
        "databaseName": "penstock",
        "changedPartitions": ["[2026-11-24]"],
        "typeOfChange": "BatchUpdatePartition",
        "tableName": "funnel_by_day",
    },
}


class Catalogue:
    """Glue as far as partitions and their locations."""

    def __init__(self) -> None:
        self.served: dict[str, str] = {}

    def get_paginator(self, _: str) -> Any:
        return SimpleNamespace(paginate=self._pages)

    def _pages(self, **_: Any) -> Any:
        for value, location in self.served.items():
            yield {"Partitions": [{"Values": [value], "StorageDescriptor": {"Location": location}}]}


@pytest.fixture
def quicksight() -> Simulated:
    return Simulated()


@pytest.fixture
def catalogue(monkeypatch: pytest.MonkeyPatch, quicksight: Simulated) -> Catalogue:
    """What the function reads; each call gets controllers of its own, as a cold start does."""
    found = Catalogue()
    told: list[str] = []
    monkeypatch.setattr(
        handler,
        "refresh",
        lambda: Refresh(SETTINGS, quicksight, found, lambda: quicksight.now, told.append),
    )
    return found


def ingestions(quicksight: Simulated) -> list[str]:
    return [entry.id for entry in quicksight.store.ingestions.values()]


def test_before_anything_is_published_nothing_is_started(catalogue: Catalogue, quicksight: Simulated) -> None:
    assert handler.lambda_handler({}, CONTEXT) == {"funnel_by_day": "newest version is in"}
    assert ingestions(quicksight) == []


def test_a_publish_starts_one_ingestion_and_the_same_event_again_none(
    catalogue: Catalogue, quicksight: Simulated
) -> None:
    catalogue.served["2026-11-24"] = "s3://b/run=1/"
    first = handler.lambda_handler(PUBLISHED, CONTEXT)
    assert first["funnel_by_day"].startswith("started d-")
    handler.lambda_handler(PUBLISHED, CONTEXT)
    assert len(ingestions(quicksight)) == 1


def test_a_tick_takes_the_newest_version_once_its_turn_has_come(
    catalogue: Catalogue, quicksight: Simulated
) -> None:
    for run in range(1, 4):
        catalogue.served["2026-11-24"] = f"s3://b/run={run}/"
        quicksight.now += 300
        quicksight.finish()
        handler.lambda_handler(PUBLISHED, CONTEXT)
    (first,) = ingestions(quicksight)
    assert "too soon" in handler.lambda_handler({}, CONTEXT)["funnel_by_day"]
    quicksight.now += 3_600
    handler.lambda_handler({}, CONTEXT)
    assert len(ingestions(quicksight)) == 2
    quicksight.now += 300
    quicksight.finish()
    assert handler.lambda_handler({}, CONTEXT) == {"funnel_by_day": "newest version is in"}
    catalogue.served["2026-11-24"] = "s3://b/run=1/"
    assert ingestions(quicksight)[0] == first


def test_a_report_without_a_copy_is_nobodys_business(catalogue: Catalogue) -> None:
    other = {**PUBLISHED, "detail": {**PUBLISHED["detail"], "tableName": "orders_by_hour"}}  # type: ignore[dict-item]
    assert handler.lambda_handler(other, CONTEXT) == {}


def test_settings_are_read_as_they_were_written() -> None:
    assert Settings.from_environ(SETTINGS.to_environ()) == SETTINGS
    with pytest.raises(SettingsError, match="DASHBOARDS_ACCOUNT"):
        Settings.from_environ({"DASHBOARDS_DATA_SETS": ""})


def test_decisions_are_said_in_words() -> None:
    assert said(Start("x-1")) == "started x-1"
    assert said(Wait(0.0, "one is running")) == "waits until 1970-01-01T00:00:00Z: one is running"
    assert said(Nothing()) == "newest version is in"
