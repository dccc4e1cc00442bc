"""The local QuickSight refuses what the service refuses, and takes its time."""

import pytest

from dashboards import emit
from infra.local.quicksight.errors import QuickSightError
from infra.local.quicksight.operations import Operations
from infra.local.quicksight.store import AssetStore
from tests.dashboards.conftest import PLACE
from tests.shop import DASHBOARDS, REPORTS

ACCOUNT = {"AwsAccountId": "123456789012"}


@pytest.fixture
def operations() -> Operations:
    return Operations(AssetStore("123456789012", "eu-west-1", lambda: 1_000_000.0))


def request_of(logical: str) -> dict[str, object]:
    properties = emit.resources(REPORTS, DASHBOARDS, **PLACE)[logical].properties
    return {
        key: value
        for key, value in properties.items()
        if key not in ("IngestionWaitPolicy", "DataSetRefreshProperties")
    }


def refused(operations: Operations, operation: str, **request: object) -> str:
    with pytest.raises(QuickSightError) as caught:
        operations.answer(operation, {**ACCOUNT, **request})
    return caught.value.code


def test_an_id_is_taken_once(operations: Operations) -> None:
    operations.answer("CreateDataSet", request_of("DataSetTrafficByHour"))
    assert (
        refused(operations, "CreateDataSet", **request_of("DataSetTrafficByHour"))
        == "ResourceExistsException"
    )


def test_a_creation_is_in_progress_and_then_succeeds(operations: Operations) -> None:
    created = operations.answer("CreateDashboard", request_of("DashboardTraffic"))
    assert created["CreationStatus"] == "CREATION_IN_PROGRESS"
    states = [
        operations.answer("DescribeDashboard", {**ACCOUNT, "DashboardId": "penstock-traffic"})["Dashboard"][
            "Version"
        ]["Status"]
        for _ in range(3)
    ]
    assert states[0] == "CREATION_IN_PROGRESS"
    assert states[-1] == "CREATION_SUCCESSFUL"


def test_a_failed_creation_keeps_its_id_and_its_errors(operations: Operations) -> None:
    operations._store.fail_next["penstock-traffic"] = {"Type": "DATA_SET_NOT_FOUND", "Message": "gone"}
    operations.answer("CreateDashboard", request_of("DashboardTraffic"))
    for _ in range(3):
        found = operations.answer("DescribeDashboard", {**ACCOUNT, "DashboardId": "penstock-traffic"})
    assert found["Dashboard"]["Version"]["Status"] == "CREATION_FAILED"
    assert found["Dashboard"]["Version"]["Errors"][0]["Type"] == "DATA_SET_NOT_FOUND"
    assert (
        refused(operations, "CreateDashboard", **request_of("DashboardTraffic")) == "ResourceExistsException"
    )


def test_an_update_while_busy_is_a_conflict(operations: Operations) -> None:
    operations.answer("CreateDashboard", request_of("DashboardTraffic"))
    request = {
        key: value
        for key, value in request_of("DashboardTraffic").items()
        if key in ("DashboardId", "Name", "Definition")
    }
    assert refused(operations, "UpdateDashboard", **request) == "ConflictException"


def test_a_new_version_is_seen_by_nobody_until_it_is_published(operations: Operations) -> None:
    operations.answer("CreateDashboard", request_of("DashboardTraffic"))
    who = {**ACCOUNT, "DashboardId": "penstock-traffic"}
    for _ in range(3):
        operations.answer("DescribeDashboard", who)
    request = {
        key: value
        for key, value in request_of("DashboardTraffic").items()
        if key in ("DashboardId", "Definition")
    }
    operations.answer("UpdateDashboard", {**ACCOUNT, **request, "Name": "New"})
    assert operations.answer("DescribeDashboard", who)["Dashboard"]["Version"]["VersionNumber"] == 1
    assert (
        refused(
            operations, "UpdateDashboardPublishedVersion", DashboardId="penstock-traffic", VersionNumber=2
        )
        == "ConflictException"
    )
    operations.answer("DescribeDashboard", who)
    operations.answer("UpdateDashboardPublishedVersion", {**who, "VersionNumber": 2})
    assert operations.answer("DescribeDashboard", who)["Dashboard"]["Version"]["VersionNumber"] == 2


def test_an_update_of_a_dataset_removes_what_it_leaves_out(operations: Operations) -> None:
    request = request_of("DataSetOrdersByHour")
    operations.answer("CreateDataSet", request)
    kept = {key: request[key] for key in ("DataSetId", "Name", "PhysicalTableMap", "ImportMode")}
    operations.answer("UpdateDataSet", {**ACCOUNT, **kept})
    found = operations.answer("DescribeDataSet", {**ACCOUNT, "DataSetId": "penstock-orders-by-hour"})[
        "DataSet"
    ]
    assert "SemanticModelConfiguration" not in found


def test_an_ingestion_of_a_missing_or_direct_dataset_is_refused(operations: Operations) -> None:
    assert (
        refused(operations, "CreateIngestion", DataSetId="gone", IngestionId="a")
        == "ResourceNotFoundException"
    )
    operations.answer("CreateDataSet", request_of("DataSetTrafficByHour"))
    assert (
        refused(operations, "CreateIngestion", DataSetId="penstock-traffic-by-hour", IngestionId="a")
        == "ConflictException"
    )


def test_the_thirty_third_ingestion_of_a_day_is_refused(operations: Operations) -> None:
    operations.answer("CreateDataSet", request_of("DataSetFunnelByDay"))
    for number in range(32):
        operations.answer(
            "CreateIngestion", {**ACCOUNT, "DataSetId": "penstock-funnel-by-day", "IngestionId": f"a{number}"}
        )
    assert (
        refused(operations, "CreateIngestion", DataSetId="penstock-funnel-by-day", IngestionId="b")
        == "LimitExceededException"
    )


def test_an_incremental_schedule_needs_refresh_properties_first(operations: Operations) -> None:
    operations.answer("CreateDataSet", request_of("DataSetFunnelByDay"))
    schedule = emit.resources(REPORTS, DASHBOARDS, **PLACE)["RefreshFunnelByDayRecent"].properties
    assert refused(operations, "CreateRefreshSchedule", **schedule) == "PreconditionNotMetException"


def test_what_the_service_model_forbids_is_refused_with_its_place(operations: Operations) -> None:
    request = {**request_of("DataSetTrafficByHour"), "ImportMode": "LIVE"}
    with pytest.raises(QuickSightError, match=r"\$.ImportMode: shape/enum"):
        operations.answer("CreateDataSet", request)


def test_an_operation_that_it_does_not_have_is_refused_by_name(operations: Operations) -> None:
    with pytest.raises(QuickSightError, match="does not answer CreateTheme"):
        operations.answer("CreateTheme", {})
