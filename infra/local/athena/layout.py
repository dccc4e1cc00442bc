"""A Glue table as the reader sees it: columns, lake partitions, where objects lie and how they are written."""

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from infra.local.athena.errors import QueryError
from infra.local.athena.sql.type_names import parse_type
from infra.local.athena.sql.types import Type

_VIEW_MARK = "/* Presto View: "


@dataclass(frozen=True)
class Layout:
    """Where and how a table's rows are stored.

    Attributes:
        location: `s3://bucket/prefix/`.
        columns: of the objects, in table order.
        partitions: lake partition columns.
        format: `parquet`, `json` or `csv`.
        serde: parameters of the row format, for example the field delimiter.
        parameters: of the table; projection's rules among them.
    """

    database: str
    name: str
    location: str
    columns: tuple[tuple[str, Type], ...]
    partitions: tuple[tuple[str, Type], ...]
    format: str
    serde: Mapping[str, str]
    parameters: Mapping[str, str]

    @property
    def projected(self) -> bool:
        """Whether partitions are computed, so that registered ones are ignored."""
        return self.parameters.get("projection.enabled", "").lower() == "true"


def layout_of(table: Mapping[str, Any]) -> Layout:
    """From `glue.get_table`'s answer. Raises QueryError for formats that are not read."""
    descriptor = table.get("StorageDescriptor") or {}
    serde = descriptor.get("SerdeInfo") or {}
    return Layout(
        database=table["DatabaseName"],
        name=table["Name"],
        location=folder(descriptor.get("Location") or ""),
        columns=_columns(descriptor.get("Columns") or ()),
        partitions=_columns(table.get("PartitionKeys") or ()),
        format=_format(
            serde.get("SerializationLibrary", ""), descriptor.get("InputFormat", ""), table["Name"]
        ),
        serde=serde.get("Parameters") or {},
        parameters=table.get("Parameters") or {},
    )


def folder(location: str) -> str:
    """The location with one slash at its end."""
    return location.rstrip("/") + "/" if location else ""


def bucket_and_key(location: str) -> tuple[str, str]:
    """`s3://bucket/key` in two. Raises QueryError when it is not an address in S3."""
    if not location.startswith(("s3://", "s3a://", "s3n://")):
        raise QueryError(
            "INVALID_TABLE_PROPERTY", f"'{location}' is not an S3 location. Write s3://bucket/prefix/."
        )
    bucket, _, key = location.split("://", 1)[1].partition("/")
    return bucket, key


def _columns(given: Any) -> tuple[tuple[str, Type], ...]:
    return tuple((column["Name"].lower(), parse_type(column.get("Type", "string"))) for column in given)


def _format(library: str, input_format: str, name: str) -> str:
    library, input_format = library.lower(), input_format.lower()
    if "parquet" in library or "parquet" in input_format:
        return "parquet"
    if "json" in library:
        return "json"
    if "opencsv" in library:
        return "csv"
    if "lazysimple" in library or (not library and "text" in input_format):
        return "text"
    raise QueryError(
        "NOT_SUPPORTED",
        f"The format of table {name} ({library or input_format or 'none'}) is not supported by the local endpoint. "
        "Use Parquet, JSON lines or delimited text.",
    )


def is_view(table: Mapping[str, Any]) -> bool:
    """Whether the catalog's entry is a view."""
    return table.get("TableType") == "VIRTUAL_VIEW"


def view_sql(table: Mapping[str, Any]) -> tuple[str, str]:
    """The view's query, and the database that its names are in. Raises QueryError for another engine's view."""
    text = table.get("ViewOriginalText") or ""
    if not text.startswith(_VIEW_MARK):
        raise QueryError(
            "INVALID_VIEW", f"View '{table['Name']}' was not made by Athena. Create it again here."
        )
    content = json.loads(base64.b64decode(text[len(_VIEW_MARK) :].split(" ")[0]))
    return content["originalSql"], content.get("schema") or table["DatabaseName"]


def view_text(sql: str, database: str, columns: list[tuple[str, Type]]) -> str:
    """What Athena stores in the catalog for a view."""
    content = {
        "originalSql": sql,
        "catalog": "awsdatacatalog",
        "schema": database,
        "columns": [{"name": name, "type": str(of)} for name, of in columns],
    }
    return f"{_VIEW_MARK}{base64.b64encode(json.dumps(content).encode()).decode()} */"
