"""Datasets, their chain of ids, their columns against the contracts, their rules of access, their
refreshes.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from dashboards.binding import columns as contract_columns
from dashboards.column_types import of_contract
from dashboards.emit.datasets import look_back_hours
from dashboards.lint.assets import Assets, input_columns
from dashboards.lint.findings import Finding
from queries.contracts import Report

MAX_SCHEDULES = 5
_UNIT_HOURS = {"HOUR": 1, "DAY": 24, "WEEK": 168}


def check(assets: Assets, reports: Mapping[str, Report]) -> Iterator[Finding]:
    """Findings of every dataset and schedule."""
    sources = {str(properties.get("DataSourceId")) for _, properties in assets.of("DataSource")}
    by_id = {name.replace("_", "-"): report for name, report in reports.items()}
    for name, properties in assets.of("DataSet"):
        suffix = str(properties.get("DataSetId", "")).partition("-")[2]
        report = by_id.get(suffix)
        yield from _chain(name, properties, sources)
        yield from _columns(name, properties, report)
        yield from _access(name, properties, assets)
        yield from _spice(name, properties, report)
    yield from _schedules(assets)


def _chain(name: str, properties: Mapping[str, Any], sources: set[str]) -> Iterator[Finding]:
    physical = properties.get("PhysicalTableMap", {})
    prepared = properties.get("DataPrepConfiguration", {})
    if prepared and "LogicalTableMap" in properties:
        yield Finding(
            "dataset/two-shapes",
            name,
            ("LogicalTableMap",),
            "LogicalTableMap and DataPrepConfiguration exclude each other.",
            "Keep the latter.",
        )
    if "PhysicalTableMap" in properties and not prepared and "LogicalTableMap" not in properties:
        yield Finding("dataset/no-shape", name, (), "The dataset says nothing of how its table is prepared.",
                      "Add DataPrepConfiguration and SemanticModelConfiguration.")  # fmt: skip
    tables = prepared.get("SourceTableMap", {})
    steps = prepared.get("TransformStepMap", {})
    ends = prepared.get("DestinationTableMap", {})
    semantic = properties.get("SemanticModelConfiguration", {}).get("TableMap", {})
    links = [
        (("DataPrepConfiguration", "SourceTableMap", key), entry.get("PhysicalTableId"), physical)
        for key, entry in tables.items()
    ]
    links += [
        (
            ("DataPrepConfiguration", "TransformStepMap", key),
            step["ImportTableStep"].get("Source", {}).get("SourceTableId"),
            tables,
        )
        for key, step in steps.items()
        if "ImportTableStep" in step
    ]
    links += [
        (
            ("DataPrepConfiguration", "DestinationTableMap", key),
            entry.get("Source", {}).get("TransformOperationId"),
            steps,
        )
        for key, entry in ends.items()
    ]
    links += [
        (("SemanticModelConfiguration", "TableMap", key), entry.get("DestinationTableId"), ends)
        for key, entry in semantic.items()
    ]
    for path, wanted, there in links:
        if wanted not in there:
            yield Finding(
                "dataset/chain",
                name,
                path,
                f"{wanted!r} leads to nothing.",
                f"Use one of: {', '.join(there) or 'none'}.",
            )
    for table, entry in physical.items():
        for member, body in entry.items():
            source = str(body.get("DataSourceArn", "")).rpartition("/")[2]
            if source not in sources:
                yield Finding(
                    "dataset/data-source",
                    name,
                    ("PhysicalTableMap", table, member, "DataSourceArn"),
                    f"No data source {source!r} is emitted.",
                    f"Use one of: {', '.join(sources)}.",
                )


def _columns(name: str, properties: Mapping[str, Any], report: Report | None) -> Iterator[Finding]:
    found = list(input_columns(properties))
    for key in ("Name", "Id"):
        counts = Counter(column.get(key) for _, column in found)
        for path, column in found:
            if key not in column:
                yield Finding("dataset/column-id", name, path, f"The column has no {key}.", "Add it.")
            elif counts[column[key]] > 1:
                yield Finding(
                    "dataset/duplicate-column",
                    name,
                    path,
                    f"The {key} {column[key]!r} is used twice.",
                    "Rename one.",
                )
    if properties.get("ImportMode") == "DIRECT_QUERY":
        for path, column in found:
            if "SubType" in column:
                yield Finding(
                    "dataset/sub-type",
                    name,
                    path,
                    "SubType is defined for SPICE datasets only.",
                    "Leave it out.",
                )
    if report is None or properties.get("UseAs") == "RLS_RULES":
        return
    wanted = {column: of_contract(athena).quicksight for column, athena in contract_columns(report).items()}
    given = {str(column.get("Name")): (path, str(column.get("Type"))) for path, column in found}
    for wanted_name, type_name in wanted.items():
        if wanted_name not in given:
            yield Finding(
                "dataset/contract",
                name,
                (),
                f"The report has a column {wanted_name!r}, the dataset does not.",
                "Emit the dataset from the contract.",
            )
        elif given[wanted_name][1] != type_name:
            yield Finding(
                "dataset/contract",
                name,
                given[wanted_name][0],
                f"{wanted_name!r} is {given[wanted_name][1]}; the contract says {type_name}.",
                "Emit the dataset from the contract.",
            )
    for given_name, (path, _) in given.items():
        if given_name not in wanted:
            yield Finding("dataset/contract", name, path, f"The report has no column {given_name!r}.",
                          "Emit the dataset from the contract.")  # fmt: skip


def _access(name: str, properties: Mapping[str, Any], assets: Assets) -> Iterator[Finding]:
    if "RowLevelPermissionDataSet" in properties and "DataPrepConfiguration" in properties:
        yield Finding("silent/rls-place", name, ("RowLevelPermissionDataSet",),
                      "At the top level, row-level security of a prepared dataset is refused late.",
                      "Move it into the semantic table.")  # fmt: skip
    for key, table in properties.get("SemanticModelConfiguration", {}).get("TableMap", {}).items():
        rules = table.get("RowLevelPermissionConfiguration", {}).get("RowLevelPermissionDataSet")
        if not rules:
            continue
        path = ("SemanticModelConfiguration", "TableMap", key, "RowLevelPermissionConfiguration")
        target = assets.data_sets.get(str(rules.get("Arn", "")).rpartition("/")[2])
        if target is None:
            yield Finding(
                "dataset/rules",
                name,
                path,
                f"No rules dataset {rules.get('Arn')!r} is emitted.",
                "Name one that is.",
            )
        elif target.get("UseAs") != "RLS_RULES":
            yield Finding(
                "dataset/rules",
                name,
                path,
                "The rules dataset is not marked RLS_RULES.",
                "Add UseAs: RLS_RULES.",
            )
        else:
            own = {str(column.get("Name")) for _, column in input_columns(properties)}
            named = {str(column.get("Name")) for _, column in input_columns(target)}
            for column in sorted(named - own - {"UserName", "GroupName", "UserARN", "GroupARN"}):
                yield Finding(
                    "dataset/rules",
                    name,
                    path,
                    f"The rules restrict {column!r}, which the dataset does not have.",
                    "Name a column of the dataset.",
                )
            if not named & {"UserName", "GroupName", "UserARN", "GroupARN"}:
                yield Finding(
                    "dataset/rules",
                    name,
                    path,
                    "The rules name neither user nor group.",
                    "Add a GroupName column.",
                )
        if rules.get("FormatVersion") == "VERSION_2" and "Namespace" in rules:
            yield Finding(
                "silent/rls-namespace",
                name,
                path,
                "VERSION_2 with a Namespace is refused late.",
                "Drop the Namespace.",
            )
        if rules.get("PermissionPolicy") == "DENY_ACCESS":
            yield Finding(
                "silent/rls-deny", name, path, "DENY_ACCESS is not for new datasets.", "Use GRANT_ACCESS."
            )
        if rules.get("Status") == "DISABLED":
            yield Finding(
                "silent/rls-off",
                name,
                path,
                "Row-level security is switched off: everybody sees every row.",
                "Enable it.",
            )


def _spice(name: str, properties: Mapping[str, Any], report: Report | None) -> Iterator[Finding]:
    is_spice = properties.get("ImportMode") == "SPICE"
    waits = properties.get("IngestionWaitPolicy", {}).get("WaitForSpiceIngestion", True)
    if is_spice and waits:
        yield Finding(
            "silent/waits",
            name,
            ("IngestionWaitPolicy",),
            "A stack update would wait for data, up to 36 hours.",
            "Say WaitForSpiceIngestion: false.",
        )
    window = (
        properties.get("DataSetRefreshProperties", {}).get("RefreshConfiguration", {})
        .get("IncrementalRefresh", {}).get("LookbackWindow")
    )  # fmt: skip
    path = ("DataSetRefreshProperties",)
    if not is_spice:
        if window or "IngestionWaitPolicy" in properties:
            yield Finding(
                "dataset/refresh",
                name,
                path,
                "A direct-query dataset has no refreshes.",
                "Remove its refresh properties.",
            )
        return
    if window is None or report is None:
        return
    types = {str(column.get("Name")): column.get("Type") for _, column in input_columns(properties)}
    if types.get(str(window.get("ColumnName"))) != "DATETIME":
        yield Finding(
            "dataset/look-back",
            name,
            path,
            f"The look-back column {window.get('ColumnName')!r} is not a DATETIME column.",
            "Use the time column.",
        )
    hours = int(window.get("Size", 0)) * _UNIT_HOURS.get(str(window.get("SizeUnit")), 0)
    if hours < look_back_hours(report):
        yield Finding(
            "silent/look-back",
            name,
            path,
            f"The look-back of {hours} h is shorter than the allowed lateness: old rows stay wrong.",
            f"Use at least {look_back_hours(report)} HOUR.",
        )


def _schedules(assets: Assets) -> Iterator[Finding]:
    per_set: dict[str, list[str]] = {}
    for name, properties in assets.of("RefreshSchedule"):
        data_set_id, schedule = str(properties.get("DataSetId")), properties.get("Schedule", {})
        data_set = assets.data_sets.get(data_set_id)
        interval = str(schedule.get("ScheduleFrequency", {}).get("Interval"))
        kind = schedule.get("RefreshType")
        per_set.setdefault(data_set_id, []).append(interval)
        if data_set is None:
            yield Finding(
                "dataset/schedule",
                name,
                ("DataSetId",),
                f"No dataset {data_set_id!r} is emitted.",
                "Name one that is.",
            )
            continue
        if data_set.get("ImportMode") != "SPICE":
            yield Finding(
                "dataset/schedule",
                name,
                (),
                "A direct-query dataset cannot be refreshed.",
                "Drop the schedule.",
            )
        if interval in ("MINUTE15", "MINUTE30") and kind != "INCREMENTAL_REFRESH":
            yield Finding(
                "dataset/schedule",
                name,
                ("Schedule",),
                f"{interval} is for incremental refreshes only.",
                "Use INCREMENTAL_REFRESH or HOURLY.",
            )
        if kind == "INCREMENTAL_REFRESH" and "DataSetRefreshProperties" not in data_set:
            yield Finding(
                "dataset/schedule",
                name,
                ("Schedule",),
                "An incremental refresh needs a look-back window.",
                "Add DataSetRefreshProperties to the dataset.",
            )
        if interval in ("DAILY", "WEEKLY", "MONTHLY") and "TimeOfTheDay" not in schedule.get(
            "ScheduleFrequency", {}
        ):
            yield Finding(
                "dataset/schedule",
                name,
                ("Schedule",),
                f"{interval} needs a time of the day.",
                "Add TimeOfTheDay.",
            )
    for data_set_id, intervals in per_set.items():
        small = [interval for interval in intervals if interval in ("MINUTE15", "MINUTE30")]
        if len(intervals) > MAX_SCHEDULES or len(small) > 1 or intervals.count("HOURLY") > 1:
            yield Finding(
                "dataset/schedule",
                data_set_id,
                (),
                "Too many schedules: five in all, one below the hour, one hourly.",
                "Drop some.",
            )
