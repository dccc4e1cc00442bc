"""Data source and datasets, in the data-preparation shape: physical table, import step, destination,
semantic table.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from dashboards.binding import GRAIN_HOURS, TIME_COLUMN, TIME_FORMAT, columns
from dashboards.column_types import of_contract, sub_type
from dashboards.model import Access, Source
from queries.contracts import Report

_DAILY_AT = "04:30"


@dataclass(frozen=True)
class Place:
    """Where assets are deployed.

    Every value may be an unresolved token of the deploying tool but `prefix`.
    """

    prefix: str
    account: str
    region: str
    partition: str = "aws"

    def arn(self, kind: str, asset_id: str) -> str:
        """The ARN of an asset: `kind` is datasource, dataset, analysis or dashboard."""
        return f"arn:{self.partition}:quicksight:{self.region}:{self.account}:{kind}/{asset_id}"

    def asset_id(self, name: str) -> str:
        """`{prefix}-{name}` with - for _: stable, and different for every deployment in an account."""
        return f"{self.prefix}-{name.replace('_', '-')}"

    def title(self, title: str) -> str:
        """Names carry the prefix too: two deployments in one console must not look the same."""
        return f"{title} ({self.prefix})"


def data_source(place: Place, work_group: str) -> dict[str, Any]:
    """The one Athena data source that every dataset reads through."""
    return {
        "AwsAccountId": place.account,
        "DataSourceId": place.asset_id("athena"),
        "Name": place.title("Penstock reports"),
        "Type": "ATHENA",
        "DataSourceParameters": {"AthenaParameters": {"WorkGroup": work_group}},
    }


def data_set(place: Place, report: Report, source: Source, database: str) -> dict[str, Any]:
    """The dataset of a report: its contract's columns and the time column, nothing else."""
    spice = source.import_mode == "spice"
    input_columns = []
    for name, athena in columns(report).items():
        column = {"Id": _column_id(report.name, name), "Name": name, "Type": of_contract(athena).quicksight}
        if spice and (sub := sub_type(athena)):
            column["SubType"] = sub  # defined for SPICE datasets only
        input_columns.append(column)
    properties = _prepared(place, report.name, report_sql(report, database), input_columns)
    properties |= {
        "AwsAccountId": place.account,
        "DataSetId": place.asset_id(report.name),
        "Name": place.title(report.title),
        "ImportMode": "SPICE" if spice else "DIRECT_QUERY",
    }
    if source.access is not None:
        table = properties["SemanticModelConfiguration"]["TableMap"][f"sem-{_dashed(report.name)}"]
        table["RowLevelPermissionConfiguration"] = {
            "RowLevelPermissionDataSet": {
                "Arn": place.arn("dataset", place.asset_id(f"{report.name}-rules")),
                "PermissionPolicy": "GRANT_ACCESS",
                "FormatVersion": "VERSION_1",
                "Status": "ENABLED",
            }
        }
    if spice:
        # A stack update must not hang on data: by default CloudFormation would wait for an ingestion, up to
        # 36 hours.
        properties["IngestionWaitPolicy"] = {"WaitForSpiceIngestion": False}
        properties["DataSetRefreshProperties"] = {
            "RefreshConfiguration": {
                "IncrementalRefresh": {
                    "LookbackWindow": {
                        "ColumnName": TIME_COLUMN[report.grain],
                        "Size": look_back_hours(report),
                        "SizeUnit": "HOUR",
                    }
                }
            }
        }
    return properties


def look_back_hours(report: Report) -> int:
    """How far back a late event may still change a row: the allowed lateness, from the start of its grain
    unit.
    """
    return GRAIN_HOURS[report.grain] + -(-report.lateness_seconds // 3600)


def rules_data_set(place: Place, report: Report, access: Access) -> dict[str, Any]:
    """The rules of row-level security: one row per group, its values separated by commas, NULL for all."""
    rows = ", ".join(
        f"('{group}', {_literal(','.join(values)) if values else 'CAST(NULL AS varchar)'})"
        for group, values in sorted(access.groups.items())
    )
    name = f"{report.name}-rules"
    input_columns = [
        {"Id": _column_id(name, column), "Name": column, "Type": "STRING"}
        for column in ("GroupName", access.column)
    ]
    properties = _prepared(
        place,
        name,
        f"SELECT GroupName, {access.column} FROM (VALUES {rows}) AS rules (GroupName, {access.column})",  # noqa: S608
        input_columns,
    )
    return properties | {
        "AwsAccountId": place.account,
        "DataSetId": place.asset_id(name),
        "Name": place.title(f"{report.title}, who sees what"),
        "ImportMode": "SPICE",
        "UseAs": "RLS_RULES",
        "IngestionWaitPolicy": {"WaitForSpiceIngestion": False},
    }


def schedules(place: Place, report: Report) -> Mapping[str, dict[str, Any]]:
    """Refresh schedules of a SPICE dataset: 15 minutes of the look-back, and everything once a day."""
    data_set_id = place.asset_id(report.name)
    return {
        "Recent": {
            "AwsAccountId": place.account,
            "DataSetId": data_set_id,
            "Schedule": {
                "ScheduleId": f"{data_set_id}-recent",
                "RefreshType": "INCREMENTAL_REFRESH",
                "ScheduleFrequency": {"Interval": "MINUTE15"},
            },
        },
        "Daily": {
            "AwsAccountId": place.account,
            "DataSetId": data_set_id,
            "Schedule": {
                "ScheduleId": f"{data_set_id}-daily",
                "RefreshType": "FULL_REFRESH",
                "ScheduleFrequency": {"Interval": "DAILY", "TimeOfTheDay": _DAILY_AT, "Timezone": "UTC"},
            },
        },
    }


def report_sql(report: Report, database: str) -> str:
    """What Athena runs for the dataset: the report's columns, with the partition column as a time."""
    time = f"date_parse({report.grain}, '{TIME_FORMAT[report.grain]}') AS {TIME_COLUMN[report.grain]}"
    names = [column.name for column in report.columns]
    return f'SELECT {", ".join([time, *names])} FROM "{database}"."{report.name}"'  # noqa: S608


def _prepared(place: Place, name: str, sql: str, input_columns: list[dict[str, str]]) -> dict[str, Any]:
    """The five ids that chain: physical <- source <- import <- destination <- semantic."""
    dashed = _dashed(name)
    return {
        "PhysicalTableMap": {dashed: {"CustomSql": {
            "DataSourceArn": place.arn("datasource", place.asset_id("athena")),
            "Name": dashed, "SqlQuery": sql, "Columns": input_columns}}},
        "DataPrepConfiguration": {
            "SourceTableMap": {f"src-{dashed}": {"PhysicalTableId": dashed}},
            "TransformStepMap": {f"import-{dashed}": {"ImportTableStep": {
                "Alias": dashed, "Source": {"SourceTableId": f"src-{dashed}"}}}},
            "DestinationTableMap": {f"dest-{dashed}": {
                "Alias": dashed, "Source": {"TransformOperationId": f"import-{dashed}"}}},
        },
        "SemanticModelConfiguration": {"TableMap": {f"sem-{dashed}": {
            "Alias": dashed, "DestinationTableId": f"dest-{dashed}"}}},
    }  # fmt: skip


def _column_id(name: str, column: str) -> str:
    """Unique in the dataset and at most 64 characters, as the service wants."""
    return f"{_dashed(name)}-{_dashed(column)}"[-64:].lstrip("-")


def _dashed(name: str) -> str:
    return name.replace("_", "-")


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
