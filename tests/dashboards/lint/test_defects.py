"""Every kind of defect that is seeded into what would be deployed is found, at its file and line."""

import copy
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from dashboards.emit.access import ANALYSIS_ACTIONS
from dashboards.lint import output
from dashboards.lint.run import lint
from dashboards.lint.shape import service_model, unions
from tests.dashboards.conftest import resources
from tests.shop import DASHBOARDS, REPORTS

Seed = Callable[[dict[str, Any]], Any]


def line_of(place: str) -> tuple[str, int]:
    """`traffic/page-views` -> file and line of that visual, filter, report, measure or sheet's declaration."""
    name, _, what = place.partition("/")
    dashboard = DASHBOARDS[name]
    known = {visual.id: visual.line for visual in dashboard.visuals}
    known |= {entry.id: entry.line for entry in dashboard.filters}
    known |= {sheet.id: sheet.line for sheet in dashboard.sheets}
    for source in dashboard.sources.values():
        known[source.report] = source.line
        known |= {measure.name: measure.line for measure in source.measures.values()}
        known |= {f"field {field.name}": field.line for field in source.fields.values()}
        if source.access:
            known[f"{source.report}.rls"] = source.access.line
    return dashboard.file, known.get(what, 1)


def definition(found: dict[str, Any], name: str) -> dict[str, Any]:
    page: dict[str, Any] = found[f"Dashboard{name.capitalize()}"].properties["Definition"]
    return page


def visual(found: dict[str, Any], place: str) -> Any:
    name, _, wanted = place.partition("/")
    for sheet in definition(found, name)["Sheets"]:
        for entry in sheet["Visuals"]:
            for body in entry.values():
                if body["VisualId"] == wanted:
                    return body
    raise LookupError(place)


def chart(found: dict[str, Any], place: str) -> dict[str, Any]:
    configuration: dict[str, Any] = visual(found, place)["ChartConfiguration"]
    return configuration


def wells(found: dict[str, Any], place: str) -> Any:
    inner = chart(found, place)["FieldWells"]
    return inner if "Values" in inner else next(iter(inner.values()))


def value(found: dict[str, Any], place: str) -> Any:
    return next(iter(wells(found, place)["Values"][0].values()))


def group(found: dict[str, Any], place: str) -> Any:
    name, _, wanted = place.partition("/")
    return next(g for g in definition(found, name)["FilterGroups"] if g["FilterGroupId"] == f"{wanted}-group")


def category(found: dict[str, Any], place: str) -> dict[str, Any]:
    body: dict[str, Any] = group(found, place)["Filters"][0]["CategoryFilter"]
    return body


def data_set(found: dict[str, Any], logical: str) -> dict[str, Any]:
    properties: dict[str, Any] = found[logical].properties
    return properties


def table(found: dict[str, Any], logical: str) -> Any:
    return next(iter(data_set(found, logical)["PhysicalTableMap"].values()))["CustomSql"]


def semantic(found: dict[str, Any], logical: str) -> Any:
    return next(iter(data_set(found, logical)["SemanticModelConfiguration"]["TableMap"].values()))


def rules(found: dict[str, Any]) -> Any:
    inner = semantic(found, "DataSetOrdersByHour")["RowLevelPermissionConfiguration"]
    return inner["RowLevelPermissionDataSet"]


def layout(found: dict[str, Any], name: str) -> list[dict[str, Any]]:
    sheet = definition(found, name)["Sheets"][0]
    elements: list[dict[str, Any]] = sheet["Layouts"][0]["Configuration"]["GridLayout"]["Elements"]
    return elements


def field(found: dict[str, Any], name: str, title: str) -> Any:
    return next(f for f in definition(found, name)["CalculatedFields"] if f["Name"] == title)


def put(holder: dict[str, Any], key: str, new: Any) -> None:
    holder[key] = new


def expression(title: str, text: str) -> Seed:
    return lambda f: put(field(f, "traffic", title), "Expression", text)


PAGE_VIEWS, COMBO, PIE, LINE = "traffic/page-views", "traffic/views-by-time", "traffic/sections", "health/lag"

# What is seeded: (kind of defect, how, rule that finds it, where it is declared).
SEEDS: list[tuple[str, Seed, str, str]] = [
    # Shape
    ("an unknown member", lambda f: put(chart(f, PAGE_VIEWS), "Colour", 1), "shape/unknown-member", PAGE_VIEWS),
    ("a misspelt member", lambda f: put(visual(f, PAGE_VIEWS), "VisualID", "x"), "shape/unknown-member", PAGE_VIEWS),
    ("a missing member", lambda f: value(f, PAGE_VIEWS).pop("Column"), "shape/missing-member", PAGE_VIEWS),
    ("a number for a string", lambda f: put(value(f, PAGE_VIEWS), "FieldId", 7), "shape/type", PAGE_VIEWS),
    ("a quoted number", lambda f: put(layout(f, "traffic")[0], "RowSpan", "4"), "shape/type", PAGE_VIEWS),
    ("true for a number", lambda f: put(layout(f, "traffic")[0], "RowSpan", True), "shape/type", PAGE_VIEWS),
    ("an unknown enum", lambda f: put(chart(f, LINE), "Type", "CURVE"), "shape/enum", LINE),
    ("an enum in lower case", lambda f: put(group(f, "traffic/section"), "Status", "enabled"), "shape/enum", "traffic/section"),
    ("an id with a blank", lambda f: put(visual(f, PAGE_VIEWS), "VisualId", "page views"), "shape/pattern", "traffic/overview"),
    ("an empty string", lambda f: put(value(f, PAGE_VIEWS), "FieldId", ""), "shape/too-small", PAGE_VIEWS),
    ("a row span out of bounds", lambda f: put(layout(f, "traffic")[0], "RowSpan", 22), "shape/too-large", PAGE_VIEWS),
    ("a column span of zero", lambda f: put(layout(f, "traffic")[0], "ColumnSpan", 0), "shape/too-small", PAGE_VIEWS),
    ("two members of a union", lambda f: wells(f, PAGE_VIEWS)["Values"][0].update(DateMeasureField=value(f, PAGE_VIEWS)), "shape/union", PAGE_VIEWS),
    ("a union with no member", lambda f: put(wells(f, PAGE_VIEWS), "Values", [{}]), "shape/union", PAGE_VIEWS),
    ("two layouts of one sheet", lambda f: definition(f, "traffic")["Sheets"][0]["Layouts"].append(definition(f, "traffic")["Sheets"][1]["Layouts"][0]), "shape/too-large", "traffic/overview"),
    ("too many categories of sort", lambda f: put(chart(f, COMBO)["SortConfiguration"], "CategorySort", [{"FieldSort": {"FieldId": "views-by-time-hour-start", "Direction": "ASC"}}] * 101), "shape/too-large", COMBO),
    ("an empty physical table name", lambda f: put(table(f, "DataSetTrafficByHour"), "Name", ""), "shape/too-small", "traffic/traffic_by_hour"),
    ("an unknown import mode", lambda f: put(data_set(f, "DataSetTrafficByHour"), "ImportMode", "LIVE"), "shape/enum", "traffic/traffic_by_hour"),
    ("an account of eleven digits", lambda f: put(data_set(f, "DataSetTrafficByHour"), "AwsAccountId", "12345678901"), "shape/too-small", "traffic/traffic_by_hour"),
    ("two destination tables", lambda f: data_set(f, "DataSetTrafficByHour")["DataPrepConfiguration"]["DestinationTableMap"].update(other={"Alias": "o", "Source": {"TransformOperationId": "import-traffic-by-hour"}}), "shape/too-large", "traffic/traffic_by_hour"),
    # References
    ("an undeclared dataset", lambda f: put(value(f, PAGE_VIEWS)["Column"], "DataSetIdentifier", "visits"), "reference/data-set", PAGE_VIEWS),
    ("a dataset ARN that leads nowhere", lambda f: put(definition(f, "health")["DataSetIdentifierDeclarations"][0], "DataSetArn", "arn:aws:quicksight:eu-west-1:123456789012:dataset/gone"), "reference/data-set-arn", "health/health_by_hour"),
    ("a dataset that nothing uses", lambda f: definition(f, "health")["DataSetIdentifierDeclarations"].append({"Identifier": "spare", "DataSetArn": "arn:aws:quicksight:eu-west-1:123456789012:dataset/penstock-traffic-by-hour"}), "reference/unused-data-set", "health/-"),
    ("an unknown column", lambda f: put(value(f, PAGE_VIEWS)["Column"], "ColumnName", "visits"), "reference/column", PAGE_VIEWS),
    ("an unknown column in a filter", lambda f: put(category(f, "traffic/section")["Column"], "ColumnName", "part"), "reference/column", "traffic/section"),
    ("a filter of the wrong kind", lambda f: put(group(f, "traffic/time-traffic-by-hour")["Filters"][0]["TimeRangeFilter"]["Column"], "ColumnName", "errors"), "reference/filter-kind", "traffic/-"),
    ("a field that hides a column", lambda f: put(field(f, "traffic", "section"), "Name", "path"), "reference/field-hides-column", "traffic/top_pages_by_day"),
    ("a visual id used twice", lambda f: put(visual(f, "traffic/error-rate"), "VisualId", "page-views"), "reference/duplicate-id", PAGE_VIEWS),
    ("a field id used twice", lambda f: put(next(iter(wells(f, COMBO)["LineValues"][0].values())), "FieldId", "views-by-time-page-views"), "reference/duplicate-id", COMBO),
    ("a filter id used twice", lambda f: put(group(f, "traffic/time-sessions-by-day")["Filters"][0]["TimeRangeFilter"], "FilterId", "section"), "reference/duplicate-id", "traffic/section"),
    ("a sheet id used twice", lambda f: put(definition(f, "traffic")["Sheets"][1], "SheetId", "overview"), "reference/duplicate-id", "traffic/overview"),
    ("a parameter declared twice", lambda f: definition(f, "traffic")["ParameterDeclarations"].append(definition(f, "traffic")["ParameterDeclarations"][0]), "reference/duplicate-id", "traffic/time"),
    ("a calculated field declared twice", lambda f: definition(f, "traffic")["CalculatedFields"].append(field(f, "traffic", "Bounces")), "reference/duplicate-id", "traffic/bounces"),
    ("a layout element of nothing", lambda f: put(layout(f, "traffic")[0], "ElementId", "gone"), "reference/layout-element", "traffic/overview"),
    ("a layout element of the wrong type", lambda f: put(layout(f, "traffic")[0], "ElementType", "TEXT_BOX"), "reference/layout-element", PAGE_VIEWS),
    ("a visual without a place", lambda f: layout(f, "traffic").pop(0), "reference/not-placed", PAGE_VIEWS),
    ("an element off the grid", lambda f: put(layout(f, "traffic")[5], "ColumnIndex", 20), "reference/off-grid", COMBO),
    ("two elements in one place", lambda f: put(layout(f, "traffic")[1], "ColumnIndex", 0), "reference/overlap", "traffic/error-rate"),
    ("a filter scoped to a missing sheet", lambda f: put(group(f, "traffic/section")["ScopeConfiguration"]["SelectedSheets"]["SheetVisualScopingConfigurations"][0], "SheetId", "gone"), "reference/scope-sheet", "traffic/section"),
    ("a filter scoped to a missing visual", lambda f: group(f, "traffic/section")["ScopeConfiguration"]["SelectedSheets"]["SheetVisualScopingConfigurations"][0].update(Scope="SELECTED_VISUALS", VisualIds=["gone"]), "reference/scope-visual", "traffic/overview"),
    ("a filter scoped to no visual", lambda f: group(f, "traffic/section")["ScopeConfiguration"]["SelectedSheets"]["SheetVisualScopingConfigurations"][0].update(Scope="SELECTED_VISUALS"), "reference/scope-visual", "traffic/overview"),
    ("a control of a missing filter", lambda f: put(definition(f, "traffic")["Sheets"][0]["FilterControls"][0]["CrossSheet"], "SourceFilterId", "gone"), "reference/control-filter", "traffic/overview"),
    ("a control where its filter does not reach", lambda f: group(f, "traffic/section")["ScopeConfiguration"]["SelectedSheets"]["SheetVisualScopingConfigurations"].pop(0), "reference/control-scope", "traffic/section"),
    ("a control of a missing parameter", lambda f: put(definition(f, "traffic")["Sheets"][0]["ParameterControls"][0]["DateTimePicker"], "SourceParameterName", "Since"), "reference/control-parameter", "traffic/overview"),
    ("a text control of a time parameter", lambda f: put(definition(f, "traffic")["Sheets"][0]["ParameterControls"], 0, {"TextField": {"ParameterControlId": "overview-timefrom-control", "SourceParameterName": "TimeFrom"}}), "reference/control-kind", "traffic/overview"),  # type: ignore[arg-type]
    ("an action on a missing field", lambda f: put(visual(f, PIE)["Actions"][0]["ActionOperations"][0]["FilterOperation"]["SelectedFieldsConfiguration"], "SelectedFields", ["gone"]), "reference/action", PIE),
    ("an action on a missing visual", lambda f: put(visual(f, PIE)["Actions"][0]["ActionOperations"][0]["FilterOperation"]["TargetVisualsConfiguration"], "SameSheetTargetVisualConfiguration", {"TargetVisuals": ["gone"]}), "reference/action", PIE),
    ("an undeclared parameter in a filter", lambda f: put(group(f, "traffic/time-traffic-by-hour")["Filters"][0]["TimeRangeFilter"]["RangeMinimumValue"], "Parameter", "Since"), "reference/parameter", "traffic/-"),
    ("an undeclared parameter in a subtitle", lambda f: put(visual(f, PAGE_VIEWS)["Subtitle"]["FormatText"], "RichText", "<visual-subtitle><parameter>${Since}</parameter></visual-subtitle>"), "reference/parameter", PAGE_VIEWS),
    ("a sort by a field that is not there", lambda f: put(chart(f, COMBO)["SortConfiguration"]["CategorySort"][0]["FieldSort"], "FieldId", "gone"), "reference/field", COMBO),
    ("a hierarchy that is not there", lambda f: put(visual(f, "traffic/visitors-by-time"), "ColumnHierarchies", []), "reference/hierarchy", "traffic/visitors-by-time"),
    ("a sheet without visuals", lambda f: put(definition(f, "traffic")["Sheets"][1], "Visuals", []), "reference/empty-sheet", "traffic/pages"),
    # Silent failures
    ("partial KPI options", lambda f: chart(f, PAGE_VIEWS)["KPIOptions"].pop("Comparison"), "silent/kpi-options", PAGE_VIEWS),
    ("a time in a categorical dimension", lambda f: put(wells(f, COMBO), "Category", [{"CategoricalDimensionField": {"FieldId": "views-by-time-hour-start", "Column": {"DataSetIdentifier": "traffic_by_hour", "ColumnName": "hour_start"}}}]), "silent/field-kind", COMBO),
    ("a label without ApplyTo", lambda f: chart(f, COMBO)["CategoryLabelOptions"]["AxisLabelOptions"][0].pop("ApplyTo"), "silent/label", COMBO),
    ("a parameter without a default", lambda f: definition(f, "traffic")["ParameterDeclarations"][0]["DateTimeParameterDeclaration"].pop("DefaultValues"), "silent/no-default", "traffic/time"),
    ("a filter's parameter without a control", lambda f: [sheet.__setitem__("ParameterControls", []) for sheet in definition(f, "traffic")["Sheets"]], "silent/no-control", "traffic/time"),
    ("colors and two values", lambda f: wells(f, "orders/orders-by-time")["Values"].append({"NumericalMeasureField": {"FieldId": "second", "Column": {"DataSetIdentifier": "orders_by_hour", "ColumnName": "Revenue"}}}), "silent/colors-and-values", "orders/orders-by-time"),
    ("an aggregate aggregated again", lambda f: put(value(f, PAGE_VIEWS), "AggregationFunction", {"SimpleNumericalAggregation": "SUM"}), "silent/aggregated-twice", PAGE_VIEWS),
    ("an aggregate as a dimension", lambda f: put(wells(f, PIE)["Category"][0]["CategoricalDimensionField"]["Column"], "ColumnName", "Page views"), "silent/aggregate-dimension", PIE),
    ("an analysis with six actions", lambda f: f["AnalysisTraffic"].properties["Permissions"][0]["Actions"].pop(), "silent/analysis-actions", "traffic/-"),
    ("row-level security at the top level", lambda f: put(data_set(f, "DataSetOrdersByHour"), "RowLevelPermissionDataSet", {"Arn": "a", "PermissionPolicy": "GRANT_ACCESS"}), "silent/rls-place", "orders/orders_by_hour.rls"),
    ("rules of version 2 with a namespace", lambda f: rules(f).update(FormatVersion="VERSION_2", Namespace="default"), "silent/rls-namespace", "orders/orders_by_hour.rls"),
    ("rules that deny", lambda f: put(rules(f), "PermissionPolicy", "DENY_ACCESS"), "silent/rls-deny", "orders/orders_by_hour.rls"),
    ("rules that are switched off", lambda f: put(rules(f), "Status", "DISABLED"), "silent/rls-off", "orders/orders_by_hour.rls"),
    ("a marker of something deleted", lambda f: put(value(f, PAGE_VIEWS)["Column"], "ColumnName", "MissingColumn_1"), "silent/missing-marker", PAGE_VIEWS),
    ("a plain area of two series", lambda f: put(chart(f, "health/trouble-by-time"), "Type", "AREA"), "silent/plain-area", "health/trouble-by-time"),
    ("a look-back shorter than the lateness", lambda f: put(data_set(f, "DataSetFunnelByDay")["DataSetRefreshProperties"]["RefreshConfiguration"]["IncrementalRefresh"]["LookbackWindow"], "Size", 12), "silent/look-back", "orders/funnel_by_day"),
    ("a page that says nothing of its age", lambda f: [sheet.__setitem__("Visuals", [v for v in sheet["Visuals"] if "as-of" not in next(iter(v.values()))["VisualId"]]) for sheet in definition(f, "health")["Sheets"]], "silent/no-as-of", "health/-"),
    ("a limit that drops the rest", lambda f: chart(f, PIE)["SortConfiguration"]["CategoryItemsLimit"].pop("OtherCategories"), "silent/items-limit", PIE),
    ("a visual without a value", lambda f: put(wells(f, PAGE_VIEWS), "Values", []), "silent/no-value", PAGE_VIEWS),
    ("a pie of two values", lambda f: wells(f, PIE)["Values"].append(copy.deepcopy(wells(f, PIE)["Values"][0])), "silent/pie-values", PIE),
    ("a visual without a title", lambda f: visual(f, PAGE_VIEWS).pop("Title"), "silent/no-title", PAGE_VIEWS),
    ("a filter that is switched off", lambda f: put(group(f, "traffic/section"), "Status", "DISABLED"), "silent/disabled", "traffic/section"),
    ("a filter that lets nothing through", lambda f: category(f, "traffic/section")["Configuration"]["FilterListConfiguration"].pop("SelectAllOptions"), "silent/empty-list", "traffic/section"),
    ("a lenient validation", lambda f: put(f["DashboardTraffic"].properties, "ValidationStrategy", {"Mode": "LENIENT"}), "silent/lenient", "traffic/-"),
    ("a name without the prefix", lambda f: put(f["DashboardTraffic"].properties, "Name", "Traffic"), "silent/name-prefix", "traffic/-"),
    ("a stack update that waits for data", lambda f: data_set(f, "DataSetFunnelByDay").pop("IngestionWaitPolicy"), "silent/waits", "orders/funnel_by_day"),
    # Datasets
    ("a broken chain of tables", lambda f: put(data_set(f, "DataSetTrafficByHour")["DataPrepConfiguration"]["SourceTableMap"]["src-traffic-by-hour"], "PhysicalTableId", "gone"), "dataset/chain", "traffic/traffic_by_hour"),
    ("a semantic table of nothing", lambda f: put(semantic(f, "DataSetTrafficByHour"), "DestinationTableId", "gone"), "dataset/chain", "traffic/traffic_by_hour"),
    ("an unknown data source", lambda f: put(table(f, "DataSetTrafficByHour"), "DataSourceArn", "arn:aws:quicksight:eu-west-1:123456789012:datasource/gone"), "dataset/data-source", "traffic/traffic_by_hour"),
    ("a column id used twice", lambda f: put(table(f, "DataSetTrafficByHour")["Columns"][1], "Id", table(f, "DataSetTrafficByHour")["Columns"][0]["Id"]), "dataset/duplicate-column", "traffic/traffic_by_hour"),
    ("a column without an id", lambda f: table(f, "DataSetTrafficByHour")["Columns"][1].pop("Id"), "dataset/column-id", "traffic/traffic_by_hour"),
    ("a column that the contract lacks", lambda f: put(table(f, "DataSetTrafficByHour")["Columns"][1], "Name", "hits"), "dataset/contract", "traffic/traffic_by_hour"),
    ("a column of another type", lambda f: put(table(f, "DataSetTrafficByHour")["Columns"][1], "Type", "STRING"), "dataset/contract", "traffic/traffic_by_hour"),
    ("a dropped column", lambda f: table(f, "DataSetTrafficByHour")["Columns"].pop(), "dataset/contract", "traffic/traffic_by_hour"),
    ("a subtype under direct query", lambda f: put(table(f, "DataSetHealthByHour")["Columns"][4], "SubType", "FLOAT"), "dataset/sub-type", "health/health_by_hour"),
    ("two data-preparation shapes", lambda f: put(data_set(f, "DataSetTrafficByHour"), "LogicalTableMap", {"a": {"Alias": "a", "Source": {"PhysicalTableId": "traffic-by-hour"}}}), "dataset/two-shapes", "traffic/traffic_by_hour"),
    ("no data-preparation shape", lambda f: [data_set(f, "DataSetTrafficByHour").pop(key) for key in ("DataPrepConfiguration", "SemanticModelConfiguration")], "dataset/no-shape", "traffic/traffic_by_hour"),
    ("rules of a missing dataset", lambda f: put(rules(f), "Arn", "arn:aws:quicksight:eu-west-1:123456789012:dataset/gone"), "dataset/rules", "orders/orders_by_hour.rls"),
    ("rules on a column that is not there", lambda f: put(table(f, "RulesOrdersByHour")["Columns"][1], "Name", "country"), "dataset/rules", "orders/orders_by_hour.rls"),
    ("rules that name nobody", lambda f: put(table(f, "RulesOrdersByHour")["Columns"][0], "Name", "currency_2"), "dataset/rules", "orders/orders_by_hour.rls"),
    ("a rules dataset that is not marked", lambda f: data_set(f, "RulesOrdersByHour").pop("UseAs"), "dataset/rules", "orders/orders_by_hour.rls"),
    ("a look-back on a text", lambda f: put(data_set(f, "DataSetFunnelByDay")["DataSetRefreshProperties"]["RefreshConfiguration"]["IncrementalRefresh"]["LookbackWindow"], "ColumnName", "step"), "dataset/look-back", "orders/funnel_by_day"),
    ("refresh properties under direct query", lambda f: put(data_set(f, "DataSetFunnelByDay"), "ImportMode", "DIRECT_QUERY"), "dataset/refresh", "orders/funnel_by_day"),
    ("a schedule under direct query", lambda f: put(f["RefreshFunnelByDayDaily"].properties, "DataSetId", "penstock-traffic-by-hour"), "dataset/schedule", "traffic/traffic_by_hour"),
    ("a full refresh every 15 minutes", lambda f: put(f["RefreshFunnelByDayRecent"].properties["Schedule"], "RefreshType", "FULL_REFRESH"), "dataset/schedule", "orders/funnel_by_day"),
    ("an incremental schedule without a look-back", lambda f: data_set(f, "DataSetFunnelByDay").pop("DataSetRefreshProperties"), "dataset/schedule", "orders/funnel_by_day"),
    ("a daily schedule without a time", lambda f: f["RefreshFunnelByDayDaily"].properties["Schedule"]["ScheduleFrequency"].pop("TimeOfTheDay"), "dataset/schedule", "orders/funnel_by_day"),
    ("a schedule of a missing dataset", lambda f: put(f["RefreshFunnelByDayDaily"].properties, "DataSetId", "gone"), "dataset/schedule", "orders/funnel_by_day"),
    # Expressions
    ("an expression that does not parse", expression("Error rate", "sum({errors}) / "), "expression", "traffic/error_rate"),
    ("an unknown function", expression("Error rate", "share({errors})"), "expression", "traffic/error_rate"),
    ("a wrong number of arguments", expression("Error rate", "sum({errors}, {page_views})"), "expression", "traffic/error_rate"),
    ("an unknown field in an expression", expression("Error rate", "sum({mistakes})"), "expression", "traffic/error_rate"),
    ("an unknown parameter in an expression", expression("Error rate", "sum({errors}) * ${Factor}"), "expression", "traffic/error_rate"),
    ("an aggregate of an aggregate", expression("Error rate", "sum(sum({errors}))"), "expression", "traffic/error_rate"),
    ("rows mixed with aggregates", expression("Error rate", "sum({errors}) / {page_views}"), "expression", "traffic/error_rate"),
    ("a field made from itself", expression("Error rate", "{Error rate} + 1"), "expression", "traffic/error_rate"),
    ("a sum of texts", expression("Views per visitor", "sum({path})"), "expression", "traffic/views_per_visitor"),
    ("a comparison of a text with a number", expression("section", "ifelse({path} = 1, 'a', 'b')"), "expression", "traffic/field section"),
    ("branches of different kinds", expression("section", "ifelse({path} = '/', 'a', 1)"), "expression", "traffic/field section"),
    ("a string that is never closed", expression("section", "concat('/, {path})"), "expression", "traffic/field section"),
]  # fmt: skip


def seeded(seed: Seed) -> dict[str, Any]:
    found = copy.deepcopy(resources())
    # Analysis and dashboard share one Definition; each gets its own, so that a seed is where it says.
    seed(found)
    return found


@pytest.mark.parametrize(("kind", "seed", "rule", "place"), SEEDS, ids=[seed[0] for seed in SEEDS])
def test_a_seeded_defect_is_found_at_its_file_and_line(kind: str, seed: Seed, rule: str, place: str) -> None:
    findings = lint(seeded(seed), DASHBOARDS, REPORTS)
    matching = [finding for finding in findings if finding.rule == rule]
    assert matching, f"{kind}: found only {[finding.rule for finding in findings]}"
    if kind != "a schedule of a missing dataset":  # nothing declares that one
        where = {(finding.file, finding.line) for finding in matching}
        assert line_of(place) in where, f"{kind}: found at {where}"
    assert all(finding.message and finding.fix for finding in matching)


def test_sixty_kinds_of_defect_and_more_are_seeded() -> None:
    assert len({seed[0] for seed in SEEDS}) == len(SEEDS) >= 60


def test_our_own_definitions_have_no_defect() -> None:
    found = lint(resources(), DASHBOARDS, REPORTS)
    assert [finding for finding in found if not finding.is_note] == []


def test_an_id_changes_with_its_name_and_not_with_its_place() -> None:
    page = definition(resources(), "traffic")
    ids = sorted(re.findall(r"'(?:VisualId|FieldId|FilterId)': '([^']+)'", str(page)))
    assert ids
    assert not [name for name in ids if re.search(r"(^|-)\d+$", name)]


def test_findings_read_as_sarif_for_a_code_host() -> None:
    found = lint(seeded(SEEDS[0][1]), DASHBOARDS, REPORTS)
    findings = [finding for finding in found if not finding.is_note]
    log = output.sarif(findings, "1", Path(__file__).parents[3])
    location = log["runs"][0]["results"][0]["locations"][0]["physicalLocation"]
    assert location["artifactLocation"]["uri"] == "dashboards/definitions/traffic.toml"
    assert location["region"]["startLine"] == line_of(PAGE_VIEWS)[1]
    notes = [finding for finding in found if finding.is_note]
    assert {each["level"] for each in output.sarif(notes, "1", Path.cwd())["runs"][0]["results"]} == {"note"}
    assert f"{findings[0].file}:{findings[0].line}" in output.text(findings)


def test_the_unions_of_the_service_model_are_those_that_were_read() -> None:
    # A new botocore may mark new ones, or stop saying so in prose: then look again.
    assert {
        "Visual",
        "Filter",
        "DimensionField",
        "MeasureField",
        "TransformStep",
        "ParameterControl",
    } <= unions()
    assert len(unions()) == 53
    assert len(service_model().operation_names) >= 200


def test_the_actions_of_an_analysis_are_the_seven() -> None:
    assert len(ANALYSIS_ACTIONS) == 7
