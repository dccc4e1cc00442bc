"""`plan` against the local QuickSight over a socket, with real boto3: nothing changed, edits, replacements."""

import copy
import socket
import threading
import time
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import pytest
import uvicorn
from starlette.applications import Starlette

from dashboards import emit
from dashboards.plan import Step, plan, unshown
from dashboards.quicksight import deployed
from infra.aws.replacements import planned
from infra.local.parts.context import LocalContext
from infra.local.paths import LocalPaths
from infra.local.quicksight import QuickSightService
from tests.dashboards.conftest import PLACE
from tests.shop import DASHBOARDS, REPORTS, SHOP

ACCOUNT = "000000000000"
WANTED = dict(emit.resources(REPORTS, DASHBOARDS, **{**PLACE, "account": ACCOUNT, "region": "us-east-1"}))


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[QuickSightService, Any]]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    url = f"http://127.0.0.1:{port}"
    context = LocalContext(LocalPaths(tmp_path_factory.mktemp("quicksight")), url, url)
    service = QuickSightService(context)
    config = uvicorn.Config(
        Starlette(routes=list(service.routes)), host="127.0.0.1", port=port, log_level="error"
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    deadline = time.monotonic() + 30
    while not server.started and time.monotonic() < deadline:
        time.sleep(0.02)
    client = context.client("quicksight")
    yield service, client
    client.close()
    server.should_exit = True
    thread.join(10)


@pytest.fixture
def quicksight(served: tuple[QuickSightService, Any]) -> tuple[QuickSightService, Any]:
    """Freshly deployed, as CloudFormation does it: every scalar arrives as a string."""
    service, client = served
    service.store.assets.clear()
    service.store.ingestions.clear()
    for name, resource in WANTED.items():
        service.resources[resource.type].create(name, as_strings(resource.properties))
    return service, client


def as_strings(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: as_strings(entry) for key, entry in value.items()}
    if isinstance(value, list):
        return [as_strings(entry) for entry in value]
    return str(value).lower() if isinstance(value, bool) else str(value)


def steps(client: Any, wanted: dict[str, emit.Resource] = WANTED) -> dict[tuple[str, str], Step]:
    found = plan(wanted, deployed(client, ACCOUNT), "penstock")
    return {(step.kind, step.id): step for step in found if step.action != "none"}


def latest(service: QuickSightService, kind: Any, name: str) -> dict[str, Any]:
    return service.store.assets[kind, name].latest.properties


def test_nothing_changed_is_a_plan_of_nothing(quicksight: Any) -> None:
    service, client = quicksight
    assert steps(client) == {}
    for resource in WANTED.values():
        handler = service.resources[resource.type]
        name = next((resource.properties[key] for key in ("DashboardId", "AnalysisId", "DataSetId", "DataSourceId")
                     if key in resource.properties), "")  # fmt: skip
        if "Schedule" not in resource.properties:
            handler.update(name, as_strings(resource.properties))
    assert steps(client) == {}


def test_before_the_first_deployment_everything_is_created(quicksight: Any) -> None:
    service, client = quicksight
    service.store.assets.clear()
    found = steps(client)
    assert {step.action for step in found.values()} == {"create"}
    assert len(found) == 14


EDITS: list[tuple[str, tuple[str, str], Callable[[Any], Any], str]] = [
    ("a renamed dashboard", ("Dashboard", "penstock-traffic"), lambda p: p.update(Name="Mine"), "$.Name is 'Mine'"),
    ("a visual taken away", ("Dashboard", "penstock-traffic"), lambda p: p["Definition"]["Sheets"][0]["Visuals"].pop(), "Visuals has 8 entries, declared are 9"),
    ("a visual's title", ("Dashboard", "penstock-orders"), lambda p: p["Definition"]["Sheets"][0]["Visuals"][0]["KPIVisual"]["Title"]["FormatText"].update(PlainText="x"), "PlainText is 'x'"),
    ("an added filter", ("Dashboard", "penstock-orders"), lambda p: p["Definition"]["FilterGroups"].append({"FilterGroupId": "mine"}), "FilterGroups has"),
    ("an expression", ("Dashboard", "penstock-health"), lambda p: p["Definition"]["CalculatedFields"][0].update(Expression="sum({late})"), "CalculatedFields[0].Expression"),
    ("a default", ("Dashboard", "penstock-health"), lambda p: p["Definition"]["ParameterDeclarations"][0]["DateTimeParameterDeclaration"]["DefaultValues"]["RollingDate"].update(Expression="now()"), "Expression is 'now()'"),
    ("a place", ("Dashboard", "penstock-health"), lambda p: p["Definition"]["Sheets"][0]["Layouts"][0]["Configuration"]["GridLayout"]["Elements"][0].update(RowSpan=6), "RowSpan is 6"),
    ("an option", ("Dashboard", "penstock-health"), lambda p: p["Definition"]["Options"].update(QBusinessInsightsStatus="ENABLED"), "QBusinessInsightsStatus was added"),
    ("a sheet taken away", ("Analysis", "penstock-traffic"), lambda p: p["Definition"]["Sheets"].pop(), "Sheets has 2 entries"),
    ("another import mode", ("DataSet", "penstock-traffic-by-hour"), lambda p: p.update(ImportMode="SPICE"), "$.ImportMode is 'SPICE'"),
    ("another query", ("DataSet", "penstock-traffic-by-hour"), lambda p: p["PhysicalTableMap"]["traffic-by-hour"]["CustomSql"].update(SqlQuery="SELECT 1"), "SqlQuery is 'SELECT 1'"),
    ("a column taken away", ("DataSet", "penstock-traffic-by-hour"), lambda p: p["PhysicalTableMap"]["traffic-by-hour"]["CustomSql"]["Columns"].pop(), "Columns has 4 entries"),
    ("security switched off", ("DataSet", "penstock-orders-by-hour"), lambda p: p["SemanticModelConfiguration"]["TableMap"]["sem-orders-by-hour"].pop("RowLevelPermissionConfiguration"), "RowLevelPermissionConfiguration was removed"),
    ("a wider rule", ("DataSet", "penstock-orders-by-hour-rules"), lambda p: p["PhysicalTableMap"]["orders-by-hour-rules"]["CustomSql"].update(SqlQuery="SELECT 2"), "SqlQuery"),
    ("another workgroup", ("DataSource", "penstock-athena"), lambda p: p["DataSourceParameters"]["AthenaParameters"].update(WorkGroup="primary"), "WorkGroup is 'primary'"),
]  # fmt: skip


@pytest.mark.parametrize(("what", "key", "edit", "said"), EDITS, ids=[edit[0] for edit in EDITS])
def test_a_console_edit_is_named_with_its_place(
    quicksight: Any, what: str, key: tuple[str, str], edit: Any, said: str
) -> None:
    service, client = quicksight
    asset = service.store.assets[key]
    asset.latest.properties = copy.deepcopy(asset.latest.properties)
    edit(asset.latest.properties)
    found = steps(client)
    assert set(found) == {key}
    assert found[key].action == "update"
    assert any(said in drift for drift in found[key].drift), found[key].drift


def test_a_version_that_the_console_made_and_nobody_published_is_named(quicksight: Any) -> None:
    service, client = quicksight
    changed = copy.deepcopy(latest(service, "Dashboard", "penstock-traffic"))
    service.store.update("Dashboard", "penstock-traffic", changed)
    service.store.look("Dashboard", "penstock-traffic")
    (step,) = steps(client).values()
    assert "version 2 exists and is not published" in step.drift[0]


def test_a_dataset_of_the_old_shape_is_replaced_and_its_dependents_are_named(quicksight: Any) -> None:
    service, client = quicksight
    properties = latest(service, "DataSet", "penstock-orders-by-hour")
    for key in ("DataPrepConfiguration", "SemanticModelConfiguration"):
        properties.pop(key)
    properties["LogicalTableMap"] = {"a": {"Alias": "a", "Source": {"PhysicalTableId": "orders-by-hour"}}}
    theirs = copy.deepcopy(latest(service, "Analysis", "penstock-orders"))
    service.store.create("Analysis", "somebody-elses", {**theirs, "Name": "Somebody else's"})
    step = steps(client)["DataSet", "penstock-orders-by-hour"]
    assert step.action == "replace"
    assert step.dependents == (
        "Analysis penstock-orders",
        "Analysis somebody-elses",
        "Dashboard penstock-orders",
    )
    assert "depends on it: Analysis somebody-elses" in str(step)


def test_a_report_that_is_gone_is_a_deletion_with_its_dependents(quicksight: Any) -> None:
    _, client = quicksight
    fewer = {name: resource for name, resource in WANTED.items() if name != "DataSetHealthByHour"}
    step = steps(client, fewer)["DataSet", "penstock-health-by-hour"]
    assert step.action == "delete"
    assert step.dependents == ("Analysis penstock-health", "Dashboard penstock-health")


def test_another_kind_of_data_source_is_a_replacement_of_everything_above_it(quicksight: Any) -> None:
    service, client = quicksight
    latest(service, "DataSource", "penstock-athena")["Type"] = "S3"
    step = steps(client)["DataSource", "penstock-athena"]
    assert step.action == "replace"
    assert len(step.dependents) == 7


def test_a_replacement_that_the_plan_did_not_show_is_a_reason_to_stop(quicksight: Any) -> None:
    service, client = quicksight
    latest(service, "DataSource", "penstock-athena")["Type"] = "S3"
    shown = plan(WANTED, deployed(client, ACCOUNT), "penstock")
    assert unshown({"penstock-athena": "DataSource"}, shown) == ()
    assert unshown({"penstock-traffic-by-hour": "DataSet"}, shown) == ("DataSet penstock-traffic-by-hour",)


def test_a_deploy_plans_for_the_same_assets(quicksight: Any) -> None:
    _, client = quicksight
    steps = planned(lambda service: client if service == "quicksight" else Caller(), SHOP, SHOP.default)
    assert {(step.kind, step.id) for step in steps} == {
        (kind, asset_id) for kind, asset_id in deployed(client, ACCOUNT)
    }
    # This deployment's database has another name than the tests' one: changed, and nothing lost.
    assert {step.action for step in steps} == {"none", "update"}


class Caller:
    """STS as far as who asks."""

    meta = SimpleNamespace(region_name="us-east-1")

    def get_caller_identity(self) -> dict[str, str]:
        return {"Account": ACCOUNT}


def test_a_changed_declaration_is_an_update_of_its_assets_alone(quicksight: Any) -> None:
    _, client = quicksight
    more = dict(
        emit.resources(
            REPORTS, DASHBOARDS, **{**PLACE, "account": ACCOUNT, "region": "us-east-1", "commit": "abc1234"}
        )
    )
    found = steps(client, more)
    assert {step.action for step in found.values()} == {"update"}
    assert {kind for kind, _ in found} == {"Analysis", "Dashboard"}


def test_assets_of_others_are_left_alone(quicksight: Any) -> None:
    service, client = quicksight
    service.store.create("DataSource", "penstock-by-hand", {"Name": "by hand", "Type": "ATHENA"})
    assert steps(client) == {}
