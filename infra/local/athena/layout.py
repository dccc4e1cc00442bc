"""A Glue table as the reader sees it: columns, lake partitions, where objects lie and how they are written."""

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from infra.local.athena.errors import QueryError, refused
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
    parameters, properties = table.get("Parameters") or {}, serde.get("Parameters") or {}
    kind = _format(serde.get("SerializationLibrary", ""), descriptor.get("InputFormat", ""), table["Name"])
    _check_properties(kind, properties, parameters)
    return Layout(
        database=table["DatabaseName"],
        name=table["Name"],
        location=folder(descriptor.get("Location") or ""),
        columns=_columns(descriptor.get("Columns") or ()),
        partitions=_columns(table.get("PartitionKeys") or ()),
        format=kind,
        serde=properties,
        parameters=parameters,
    )


HONOURED = {
    "text": ("field.delim", "serialization.format", "serialization.null.format"),
    "csv": ("separatorChar", "quoteChar", "escapeChar"),
    "json": ("ignore.malformed.json",),
}
"""Properties of row formats that are read by. Of any other, only those that say what is so anyhow are taken."""
_SAID_ANYHOW = {
    "line.delim": ("\n", "\\n"),
    "case.insensitive": ("true", "TRUE"),
    "serialization.encoding": ("utf-8", "UTF-8", "utf8", "UTF8"),
    "use.null.for.invalid.data": ("true",),
}
_SAYS_NOTHING = frozenset({"paths", "serialization.format"})
"""Written by crawlers and by Hive itself, and read by nobody."""


def _check_properties(kind: str, serde: Mapping[str, str], parameters: Mapping[str, str]) -> None:
    if kind == "parquet":
        return
    for name, value in serde.items():
        if name not in (*HONOURED[kind], *_SAYS_NOTHING) and value not in _SAID_ANYHOW.get(name, ()):
            raise refused(
                f"The row format's property {name} = '{value}'",
                f"Honoured are: {', '.join(HONOURED[kind])}. Write the files as Parquet.",
            )
    if parameters.get("skip.footer.line.count", "0") != "0":
        raise refused("skip.footer.line.count", "Write the files without a footer.")
    if not parameters.get("skip.header.line.count", "0").isdigit():
        raise QueryError("INVALID_TABLE_PROPERTY", "skip.header.line.count must be a number of lines.")


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
