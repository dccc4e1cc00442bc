"""The Glue tables, derived from the contracts: lake tables by partition projection, failed records,
reports.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from queries.contracts import Report
from queries.reference.declaration import EDITION, ReferenceTable
from queries.refresh.catalog import ReportQuery
from queries.refresh.freshness import FRESHNESS_COLUMNS, FRESHNESS_PREFIX, FRESHNESS_TABLE
from queries.refresh.sealing import sealing_query
from queries.store.event_views import EventView, event_views
from transforms.contracts import FAILED_PREFIX, FAILED_TABLE, LakeTable

PARQUET = {
    "InputFormat": "org.apache.hadoop.hive.ql.io.parquet.MapredParquetInputFormat",
    "OutputFormat": "org.apache.hadoop.hive.ql.io.parquet.MapredParquetOutputFormat",
    "SerdeInfo": {"SerializationLibrary": "org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe"},
}
JSON_LINES = {
    "InputFormat": "org.apache.hadoop.mapred.TextInputFormat",
    "OutputFormat": "org.apache.hadoop.hive.ql.io.HiveIgnoreKeyTextOutputFormat",
    "SerdeInfo": {
        "SerializationLibrary": "org.openx.data.jsonserde.JsonSerDe",
        "Parameters": {"ignore.malformed.json": "true", "case.insensitive": "true"},
    },
}

FAILED_COLUMNS = {
    "rawdata": "string",
    "errorcode": "string",
    "errormessage": "string",
    "lasterrorcode": "string",
    "lasterrormessage": "string",
    "attemptsmade": "int",
    "arrivaltimestamp": "bigint",
    "attemptendingtimestamp": "bigint",
    "lambdaarn": "string",
}
FAILED_KINDS = (
    "processing-failed",
    "format-conversion-failed",
    "metadata-extraction-failed",
    "activePartitionExceeded",
)
"""Values of `!{firehose:error-output-type}`."""


def lake_table_input(table: LakeTable, bucket: str) -> dict[str, Any]:
    """The lake table. Partitions are computed from the hour's name: no crawler, nothing to register."""
    location = f"s3://{bucket}/{table.prefix}"
    return {
        "Name": table.name,
        "Description": f"Every event of the stream {table.stream.name}, one row each.",
        "TableType": "EXTERNAL_TABLE",
        "PartitionKeys": [{"Name": table.partition_column.name, "Type": table.partition_column.type}],
        "Parameters": {"classification": "parquet", **table.projection(f"s3://{bucket}")},
        "StorageDescriptor": {
            "Location": location,
            "Columns": [
                {"Name": column.name, "Type": column.type}
                | ({"Comment": column.comment[:255]} if column.comment else {})
                for column in table.columns
            ],
            **PARQUET,
        },
    }


def failed_table_input(bucket: str) -> dict[str, Any]:
    """Failed records as a table: Firehose's error objects, by kind and day of arrival."""
    location = f"s3://{bucket}/{FAILED_PREFIX}"
    return {
        "Name": FAILED_TABLE,
        "Description": "Records that did not become rows, whole, with the reason that Firehose knows.",
        "TableType": "EXTERNAL_TABLE",
        "PartitionKeys": [{"Name": "kind", "Type": "string"}, {"Name": "dt", "Type": "string"}],
        "Parameters": {
            "classification": "json",
            "projection.enabled": "true",
            "projection.kind.type": "enum",
            "projection.kind.values": ",".join(FAILED_KINDS),
            "projection.dt.type": "date",
            "projection.dt.format": "yyyy-MM-dd",
            "projection.dt.interval": "1",
            "projection.dt.interval.unit": "DAYS",
            "projection.dt.range": "NOW-400DAYS,NOW+1DAYS",
            "storage.location.template": f"{location}${{kind}}/dt=${{dt}}",
        },
        "StorageDescriptor": {
            "Location": location,
            "Columns": [{"Name": name, "Type": kind} for name, kind in FAILED_COLUMNS.items()],
            **JSON_LINES,
        },
    }


def report_table_input(report: Report, bucket: str) -> dict[str, Any]:
    """A report's table. Its partitions are registered one by one, each at the run that serves it."""
    return {
        "Name": report.name,
        "Description": report.title,
        "TableType": "EXTERNAL_TABLE",
        "PartitionKeys": [{"Name": report.grain, "Type": "string"}],
        "Parameters": {"classification": "parquet", "penstock.schema_version": str(report.version)},
        "StorageDescriptor": {
            "Location": f"s3://{bucket}/{report.prefix}",
            "Columns": [{"Name": column.name, "Type": _hive(column.type)} for column in report.columns],
            **PARQUET,
        },
    }


def hours_table_input(table: LakeTable, bucket: str) -> dict[str, Any]:
    """The lake table's hours, open and sealed ones: partitions are registered one by one, as reports' are."""
    report = sealing_query(table).report
    entry = report_table_input(report, bucket)
    columns = lake_table_input(table, bucket)["StorageDescriptor"]["Columns"]
    return entry | {"StorageDescriptor": {**entry["StorageDescriptor"], "Columns": columns}}


def freshness_table_input(bucket: str) -> dict[str, Any]:
    """How fresh each report partition is, as a table beside the reports."""
    return {
        "Name": FRESHNESS_TABLE,
        "Description": "What each published report partition was computed from, and when.",
        "TableType": "EXTERNAL_TABLE",
        "Parameters": {"classification": "json"},
        "StorageDescriptor": {
            "Location": f"s3://{bucket}/{FRESHNESS_PREFIX}",
            "Columns": [
                {"Name": name, "Type": kind, "Comment": says} for name, kind, says in FRESHNESS_COLUMNS
            ],
            **JSON_LINES,
        },
    }


def reference_table_input(table: ReferenceTable, bucket: str) -> dict[str, Any]:
    """A reference table. It has one partition once it is published, at the version that queries read."""
    return {
        "Name": table.table,
        "Description": table.title,
        "TableType": "EXTERNAL_TABLE",
        "PartitionKeys": [{"Name": EDITION, "Type": "string"}],
        "Parameters": {"classification": "parquet"},
        "StorageDescriptor": {
            "Location": f"s3://{bucket}/{table.prefix}",
            "Columns": [{"Name": column.name, "Type": _hive(column.type)} for column in table.columns],
            **PARQUET,
        },
    }


def event_view_input(view: EventView, database: str) -> dict[str, Any]:
    """A view of one event type, as Athena's CREATE VIEW leaves it in the catalog."""
    return {
        "Name": view.name,
        "Description": view.comment,
        "TableType": "VIRTUAL_VIEW",
        # Athena takes a table for a view of its own by these, word for word.
        "Parameters": {"presto_view": "true", "comment": "Presto View"},
        "ViewOriginalText": view.stored_text(database),
        "ViewExpandedText": "/* Presto View */",
        "StorageDescriptor": {
            "Columns": [{"Name": column.name, "Type": column.type} for column in view.columns],
            "Location": "",
            "SerdeInfo": {},
        },
    }


def _hive(athena_type: str) -> str:
    return {"varchar": "string", "integer": "int"}.get(athena_type, athena_type)


def every_table(
    tables: Mapping[str, LakeTable],
    queries: Iterable[ReportQuery],
    references: Iterable[ReferenceTable] = (),
    *,
    database: str,
    lake_bucket: str,
    reporting_bucket: str,
) -> dict[str, dict[str, Any]]:
    """The `TableInput` of every table and view of a deployment, by name: events, reports, references."""
    inputs = [
        *(lake_table_input(table, lake_bucket) for table in tables.values()),
        failed_table_input(lake_bucket),
        *(hours_table_input(table, reporting_bucket) for table in tables.values()),
        *(
            report_table_input(query.report, reporting_bucket)
            for query in queries
            if not query.waits_for_lateness
        ),
        freshness_table_input(reporting_bucket),
        *(reference_table_input(table, reporting_bucket) for table in references),
        *(event_view_input(view, database) for view in event_views(tables).values()),
    ]
    return {table["Name"]: table for table in inputs}
