"""CREATE and DROP of databases, tables and views."""

import re
from typing import Any

from botocore.exceptions import ClientError

from infra.local.athena.engine import Engine, Run
from infra.local.athena.errors import QueryError, refused
from infra.local.athena.layout import bucket_and_key, is_view, layout_of, view_text
from infra.local.athena.sql.type_names import hive_name, parse_type
from infra.local.athena.statements import Reader, split_arguments

Answer = tuple[list[str], list[list[str | None]]]
NOTHING: Answer = ([], [])
_HIVE = "org.apache.hadoop.hive.ql.io."
FORMATS = {
    "parquet": (
        f"{_HIVE}parquet.MapredParquetInputFormat",
        f"{_HIVE}parquet.MapredParquetOutputFormat",
        f"{_HIVE}parquet.serde.ParquetHiveSerDe",
    ),
    "text": (
        "org.apache.hadoop.mapred.TextInputFormat",
        f"{_HIVE}HiveIgnoreKeyTextOutputFormat",
        "org.apache.hadoop.hive.serde2.lazy.LazySimpleSerDe",
    ),
    "json": (
        "org.apache.hadoop.mapred.TextInputFormat",
        f"{_HIVE}HiveIgnoreKeyTextOutputFormat",
        "org.openx.data.jsonserde.JsonSerDe",
    ),
}


_DELIMITERS = {
    ("LINES", "TERMINATED", "BY"): "line.delim",
    ("ESCAPED", "BY"): "escape.delim",
    ("COLLECTION", "ITEMS", "TERMINATED", "BY"): "colelction.delim",  # Hive's own spelling
    ("MAP", "KEYS", "TERMINATED", "BY"): "mapkey.delim",
}


def create(engine: Engine, reader: Reader, run: Run) -> Answer:
    """CREATE DATABASE, EXTERNAL TABLE, [OR REPLACE] VIEW."""
    reader.expect("CREATE")
    if reader.accept("DATABASE") or reader.accept("SCHEMA"):
        return _create_database(engine, reader)
    replace = reader.accept("OR", "REPLACE")
    if reader.accept("VIEW"):
        return _create_view(engine, reader, run, replace)
    if reader.accept("EXTERNAL"):
        reader.expect("TABLE")
        return _create_table(engine, reader, run)
    raise reader.error("DATABASE, EXTERNAL TABLE, TABLE ... AS, VIEW")


def if_not_exists(reader: Reader) -> bool:
    """Take IF NOT EXISTS if it comes next."""
    return reader.accept("IF", "NOT", "EXISTS")


def _create_database(engine: Engine, reader: Reader) -> Answer:
    quiet = if_not_exists(reader)
    given: dict[str, Any] = {"Name": reader.names()[-1]}
    if reader.accept("COMMENT"):
        given["Description"] = reader.text()
    if reader.accept("LOCATION"):
        given["LocationUri"] = reader.text()
    if reader.accept("WITH", "DBPROPERTIES"):
        given["Parameters"] = property_texts(reader)
    reader.end()
    try:
        engine.glue.create_database(DatabaseInput=given)
    except ClientError as error:
        if error.response["Error"]["Code"] != "AlreadyExistsException":
            raise
        if not quiet:
            raise QueryError("SCHEMA_ALREADY_EXISTS", f"Schema '{given['Name']}' already exists") from error
    return NOTHING


def table_name(reader: Reader, run: Run) -> tuple[str, str]:
    """Take a table's name: its database, the run's by default, and its own name."""
    names = reader.names()
    database = names[-2] if len(names) > 1 else run.database
    if not database:
        raise QueryError("MISSING_SCHEMA_NAME", "Schema must be specified when session schema is not set")
    return database, names[-1]


def _create_view(engine: Engine, reader: Reader, run: Run, replace: bool) -> Answer:
    database, name = table_name(reader, run)
    reader.expect("AS")
    sql = reader.rest()
    columns = [(n.lower(), t) for n, t in engine.compile(sql, run, engine.catalog()).columns]
    existing = engine.catalog().table(database, name)
    if existing is not None and not (replace and is_view(existing)):
        what = "View" if is_view(existing) else "Table"
        raise QueryError("TABLE_ALREADY_EXISTS", f"{what} already exists: '{database}.{name}'")
    entry = {
        "Name": name,
        "TableType": "VIRTUAL_VIEW",
        "Parameters": {"presto_view": "true", "comment": "Presto View"},
        "PartitionKeys": [],
        "StorageDescriptor": {
            "Columns": [{"Name": n, "Type": _view_type(t)} for n, t in columns],
            "Location": "",
            "SerdeInfo": {},
        },
        "ViewOriginalText": view_text(sql, run.database or database, columns),
        "ViewExpandedText": "/* Presto View */",
    }
    if existing is not None:
        engine.glue.update_table(DatabaseName=database, TableInput=entry)
    else:
        engine.glue.create_table(DatabaseName=database, TableInput=entry)
    return NOTHING


def _view_type(of: Any) -> str:
    try:
        return hive_name(of)
    except QueryError:
        return "string"


def _create_table(engine: Engine, reader: Reader, run: Run) -> Answer:
    quiet = if_not_exists(reader)
    database, name = table_name(reader, run)
    columns = column_list(reader.parenthesised())
    entry: dict[str, Any] = {
        "Name": name,
        "TableType": "EXTERNAL_TABLE",
        "PartitionKeys": [],
        "Parameters": {"EXTERNAL": "TRUE"},
    }
    descriptor: dict[str, Any] = {"Columns": columns, "Location": "", **descriptor_of("text")}
    _clauses(reader, entry, descriptor)
    if not descriptor["Location"]:
        raise QueryError("SYNTAX_ERROR", "External tables need a LOCATION: LOCATION 's3://bucket/prefix/'.")
    bucket_and_key(descriptor["Location"])
    entry["StorageDescriptor"] = descriptor
    layout_of(entry | {"DatabaseName": database})  # what would be read otherwise than declared is refused now
    create_entry(engine, database, entry, quiet=quiet)
    return NOTHING


def create_entry(engine: Engine, database: str, entry: dict[str, Any], *, quiet: bool = False) -> None:
    """Put a table into the catalog. Raises QueryError when there is one, unless `quiet`."""
    try:
        engine.glue.create_table(DatabaseName=database, TableInput=entry)
    except ClientError as error:
        code = error.response["Error"]["Code"]
        if code == "EntityNotFoundException":
            raise QueryError("SCHEMA_NOT_FOUND", f"Schema '{database}' does not exist") from error
        if code != "AlreadyExistsException":
            raise
        if not quiet:
            raise QueryError(
                "TABLE_ALREADY_EXISTS", f"Table '{database}.{entry['Name']}' already exists"
            ) from error


def descriptor_of(kind: str, parameters: dict[str, str] | None = None) -> dict[str, Any]:
    """Input, output and row format of a storage format."""
    given, out, serde = FORMATS[kind]
    return {
        "InputFormat": given,
        "OutputFormat": out,
        "SerdeInfo": {
            "SerializationLibrary": serde,
            "Parameters": parameters or {"serialization.format": "1"},
        },
    }


def _clauses(reader: Reader, entry: dict[str, Any], descriptor: dict[str, Any]) -> None:
    serde = descriptor["SerdeInfo"]
    while reader.token is not None:
        if reader.accept("COMMENT"):
            entry["Description"] = reader.text()
        elif reader.accept("PARTITIONED", "BY"):
            entry["PartitionKeys"] = column_list(reader.parenthesised())
        elif reader.accept("ROW", "FORMAT", "SERDE"):
            serde["SerializationLibrary"], serde["Parameters"] = reader.text(), {}
        elif reader.accept("WITH", "SERDEPROPERTIES"):
            serde["Parameters"] = property_texts(reader)
        elif reader.accept("ROW", "FORMAT", "DELIMITED"):
            serde["Parameters"] = {"serialization.format": ","} | serde["Parameters"]
        elif reader.accept("FIELDS", "TERMINATED", "BY"):
            serde["Parameters"] |= dict.fromkeys(("field.delim", "serialization.format"), reader.text())
        elif (clause := next((each for each in _DELIMITERS if reader.accept(*each)), None)) is not None:
            serde["Parameters"][_DELIMITERS[clause]] = reader.text()
        elif reader.accept("NULL", "DEFINED", "AS"):
            serde["Parameters"]["serialization.null.format"] = reader.text()
        elif reader.accept("STORED", "AS", "INPUTFORMAT"):
            descriptor["InputFormat"] = reader.text()
            reader.expect("OUTPUTFORMAT")
            descriptor["OutputFormat"] = reader.text()
        elif reader.accept("STORED", "AS"):
            _stored_as(reader, descriptor)
        elif reader.accept("LOCATION"):
            descriptor["Location"] = reader.text()
        elif reader.accept("TBLPROPERTIES"):
            entry["Parameters"] |= property_texts(reader)
        elif reader.is_word("CLUSTERED"):
            raise refused("CLUSTERED BY", "Leave it out: bucketing saves nothing here.")
        else:
            raise reader.error("PARTITIONED BY, ROW FORMAT, STORED AS, LOCATION, TBLPROPERTIES")


def _stored_as(reader: Reader, descriptor: dict[str, Any]) -> None:
    kind = reader.name()
    if kind not in ("parquet", "textfile"):
        raise refused(f"STORED AS {kind.upper()}", "Use PARQUET or TEXTFILE.")
    serde = descriptor["SerdeInfo"]
    made = descriptor_of("parquet" if kind == "parquet" else "text")
    descriptor |= {"InputFormat": made["InputFormat"], "OutputFormat": made["OutputFormat"]}
    if kind == "parquet":
        descriptor["SerdeInfo"] = made["SerdeInfo"] | {"Parameters": serde["Parameters"]}


def property_texts(reader: Reader) -> dict[str, str]:
    """Take properties; every value as a text."""
    found = {}
    for name, value in reader.properties().items():
        found[name] = str(value)
    return found


def column_list(text: str) -> list[dict[str, str]]:
    """Glue's columns from `name type [COMMENT '...'], ...`. Raises QueryError."""
    columns = []
    for part in split_arguments(_angles(text)):
        match = re.fullmatch(
            r"\s*(`[^`]+`|\"[^\"]+\"|[\w$]+)\s+(.+?)(?:\s+COMMENT\s+'((?:[^']|'')*)')?\s*",
            part.replace("\x02", ","),
            re.IGNORECASE | re.DOTALL,
        )
        if match is None:
            raise QueryError(
                "SYNTAX_ERROR", f"Cannot read the column '{part.strip()}'. Write a name and a type."
            )
        parse_type(match[2])
        columns.append(
            {"Name": match[1].strip('`"').lower(), "Type": re.sub(r"\s+", "", match[2]).lower()}
            | ({"Comment": match[3]} if match[3] else {})
        )
    return columns


def _angles(text: str) -> str:
    """Commas inside struct<...> do not end a column."""
    out, depth = "", 0
    for character in text:
        depth += (character == "<") - (character == ">")
        out += "\x02" if character == "," and depth else character
    return out


def drop(engine: Engine, reader: Reader, run: Run) -> Answer:
    """DROP TABLE, VIEW, DATABASE. Objects stay where they are."""
    reader.expect("DROP")
    if reader.accept("DATABASE") or reader.accept("SCHEMA"):
        return _drop_database(engine, reader)
    view = reader.accept("VIEW")
    if not view:
        reader.expect("TABLE")
    quiet = reader.accept("IF", "EXISTS")
    database, name = table_name(reader, run)
    reader.end()
    found = engine.catalog().table(database, name)
    if found is None:
        if quiet:
            return NOTHING
        raise QueryError(
            "TABLE_NOT_FOUND", f"{'View' if view else 'Table'} '{database}.{name}' does not exist"
        )
    if is_view(found) != view:
        raise QueryError(
            "TABLE_NOT_FOUND",
            f"'{database}.{name}' is a {'view' if is_view(found) else 'table'}. Use DROP {'VIEW' if is_view(found) else 'TABLE'}.",
        )
    engine.glue.delete_table(DatabaseName=database, Name=name)
    return NOTHING


def _drop_database(engine: Engine, reader: Reader) -> Answer:
    quiet = reader.accept("IF", "EXISTS")
    name = reader.names()[-1]
    cascade = reader.accept("CASCADE")
    reader.accept("RESTRICT")
    reader.end()
    catalog = engine.catalog()
    if not catalog.has_database(name):
        if quiet:
            return NOTHING
        raise QueryError("SCHEMA_NOT_FOUND", f"Schema '{name}' does not exist")
    if catalog.tables(name) and not cascade:
        raise QueryError("SCHEMA_NOT_EMPTY", f"Cannot drop non-empty schema '{name}'. Add CASCADE.")
    engine.glue.delete_database(Name=name)
    return NOTHING
