"""CREATE, DROP, ALTER of databases, tables and views; MSCK REPAIR TABLE."""

import re
from typing import Any

from botocore.exceptions import ClientError

from infra.local.athena.engine import Engine, Run
from infra.local.athena.errors import QueryError, refused
from infra.local.athena.layout import bucket_and_key, folder, is_view, view_text
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


def _exists_not(reader: Reader) -> bool:
    return reader.accept("IF", "NOT", "EXISTS")


def _create_database(engine: Engine, reader: Reader) -> Answer:
    quiet = _exists_not(reader)
    given: dict[str, Any] = {"Name": reader.names()[-1]}
    if reader.accept("COMMENT"):
        given["Description"] = reader.text()
    if reader.accept("LOCATION"):
        given["LocationUri"] = reader.text()
    if reader.accept("WITH", "DBPROPERTIES"):
        given["Parameters"] = _pairs(reader)
    reader.end()
    try:
        engine.glue.create_database(DatabaseInput=given)
    except ClientError as error:
        if error.response["Error"]["Code"] != "AlreadyExistsException":
            raise
        if not quiet:
            raise QueryError("SCHEMA_ALREADY_EXISTS", f"Schema '{given['Name']}' already exists") from error
    return NOTHING


def _name(reader: Reader, run: Run) -> tuple[str, str]:
    names = reader.names()
    database = names[-2] if len(names) > 1 else run.database
    if not database:
        raise QueryError("MISSING_SCHEMA_NAME", "Schema must be specified when session schema is not set")
    return database, names[-1]


def _create_view(engine: Engine, reader: Reader, run: Run, replace: bool) -> Answer:
    database, name = _name(reader, run)
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
    quiet = _exists_not(reader)
    database, name = _name(reader, run)
    columns = _columns(reader.parenthesised())
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
            entry["PartitionKeys"] = _columns(reader.parenthesised())
        elif reader.accept("ROW", "FORMAT", "SERDE"):
            serde["SerializationLibrary"], serde["Parameters"] = reader.text(), {}
        elif reader.accept("WITH", "SERDEPROPERTIES"):
            serde["Parameters"] = _pairs(reader)
        elif reader.accept("ROW", "FORMAT", "DELIMITED"):
            serde["Parameters"] = {"serialization.format": ","} | serde["Parameters"]
        elif reader.accept("FIELDS", "TERMINATED", "BY"):
            serde["Parameters"] |= dict.fromkeys(("field.delim", "serialization.format"), reader.text())
        elif (
            reader.accept("LINES", "TERMINATED", "BY")
            or reader.accept("ESCAPED", "BY")
            or reader.accept("COLLECTION", "ITEMS", "TERMINATED", "BY")
        ):
            reader.text()
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
            entry["Parameters"] |= _pairs(reader)
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


def _pairs(reader: Reader) -> dict[str, str]:
    found = {}
    for name, value in reader.properties().items():
        found[name] = str(value)
    return found


def _columns(text: str) -> list[dict[str, str]]:
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
    database, name = _name(reader, run)
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


def alter(engine: Engine, reader: Reader, run: Run) -> Answer:
    """ALTER TABLE ADD/DROP PARTITION, PARTITION SET LOCATION, ADD COLUMNS, SET TBLPROPERTIES."""
    reader.expect("ALTER")
    reader.expect("TABLE")
    database, name = _name(reader, run)
    table = engine.catalog().table(database, name)
    if table is None:
        raise QueryError("TABLE_NOT_FOUND", f"Table '{database}.{name}' does not exist")
    if reader.accept("ADD", "COLUMNS"):
        table["StorageDescriptor"]["Columns"] = [
            *table["StorageDescriptor"]["Columns"],
            *_columns(reader.parenthesised()),
        ]
        return _update(engine, table)
    if reader.accept("SET", "TBLPROPERTIES"):
        table["Parameters"] = {**(table.get("Parameters") or {}), **_pairs(reader)}
        return _update(engine, table)
    if reader.accept("ADD"):
        return _add_partitions(engine, reader, table, quiet=_exists_not(reader))
    if reader.accept("DROP"):
        return _drop_partitions(engine, reader, table, quiet=reader.accept("IF", "EXISTS"))
    if reader.accept("PARTITION"):
        values = _partition_values(reader, table)
        reader.expect("SET")
        reader.expect("LOCATION")
        return _set_location(engine, table, values, reader.text())
    raise reader.error("ADD PARTITION, DROP PARTITION, ADD COLUMNS, SET TBLPROPERTIES")


_INPUT = (
    "Name",
    "Description",
    "Owner",
    "Retention",
    "StorageDescriptor",
    "PartitionKeys",
    "ViewOriginalText",
    "ViewExpandedText",
    "TableType",
    "Parameters",
)


def _update(engine: Engine, table: dict[str, Any]) -> Answer:
    entry = {name: table[name] for name in _INPUT if table.get(name) is not None}
    engine.glue.update_table(DatabaseName=table["DatabaseName"], TableInput=entry)
    return NOTHING


def _partition_values(reader: Reader, table: dict[str, Any]) -> list[str]:
    given = {}
    for part in split_arguments(reader.parenthesised()):
        key, _, value = part.partition("=")
        given[key.strip().strip('`"').lower()] = value.strip().strip("'")
    names = [key["Name"] for key in table.get("PartitionKeys", [])]
    if sorted(given) != sorted(names):
        raise QueryError(
            "SEMANTIC_ERROR", f"The partition must give a value for each of: {', '.join(names)}."
        )
    return [given[name] for name in names]


def partition_input(table: dict[str, Any], values: list[str], location: str) -> dict[str, Any]:
    """A Glue partition with these values, at the location or in its folder below the table."""
    names = [key["Name"] for key in table["PartitionKeys"]]
    made = folder(table["StorageDescriptor"]["Location"]) + "/".join(
        f"{n}={v}" for n, v in zip(names, values, strict=True)
    )
    return {
        "Values": values,
        "StorageDescriptor": {**table["StorageDescriptor"], "Location": location or made},
        "Parameters": {},
    }


def _add_partitions(engine: Engine, reader: Reader, table: dict[str, Any], *, quiet: bool) -> Answer:
    entries = []
    while reader.accept("PARTITION"):
        values = _partition_values(reader, table)
        entries.append(partition_input(table, values, reader.text() if reader.accept("LOCATION") else ""))
    reader.end()
    add_partitions(engine, table["DatabaseName"], table["Name"], entries, quiet=quiet)
    return NOTHING


def add_partitions(
    engine: Engine, database: str, name: str, entries: list[dict[str, Any]], *, quiet: bool
) -> None:
    """Register partitions. Raises QueryError when one is there, unless `quiet`."""
    for start in range(0, len(entries), 100):
        answer = engine.glue.batch_create_partition(
            DatabaseName=database, TableName=name, PartitionInputList=entries[start : start + 100]
        )
        for error in answer.get("Errors", []):  # a success can carry errors
            if error["ErrorDetail"]["ErrorCode"] != "AlreadyExistsException" or not quiet:
                raise QueryError(
                    "ALREADY_EXISTS",
                    f"Partition {error['PartitionValues']}: {error['ErrorDetail']['ErrorMessage']}",
                )


def _drop_partitions(engine: Engine, reader: Reader, table: dict[str, Any], *, quiet: bool) -> Answer:
    while reader.accept("PARTITION"):
        values = _partition_values(reader, table)
        reader.accept(",")
        try:
            engine.glue.delete_partition(
                DatabaseName=table["DatabaseName"], TableName=table["Name"], PartitionValues=values
            )
        except ClientError as error:
            if not quiet:
                raise QueryError("NOT_FOUND", f"Partition not found: {values}") from error
    reader.end()
    return NOTHING


def _set_location(engine: Engine, table: dict[str, Any], values: list[str], location: str) -> Answer:
    entry = partition_input(table, values, location)
    answer = engine.glue.batch_update_partition(
        DatabaseName=table["DatabaseName"],
        TableName=table["Name"],
        Entries=[{"PartitionValueList": values, "PartitionInput": entry}],
    )
    if answer.get("Errors"):
        raise QueryError("NOT_FOUND", f"Partition not found: {values}")
    return NOTHING


def repair(engine: Engine, reader: Reader, run: Run) -> Answer:
    """MSCK REPAIR TABLE: register the folders below the table's location that are named like partitions."""
    reader.expect("MSCK")
    reader.expect("REPAIR")
    reader.expect("TABLE")
    database, name = _name(reader, run)
    reader.end()
    catalog = engine.catalog()
    table = catalog.table(database, name)
    if table is None:
        raise QueryError("TABLE_NOT_FOUND", f"Table '{database}.{name}' does not exist")
    names = [key["Name"] for key in table.get("PartitionKeys", [])]
    known = {tuple(p["Values"]) for p in catalog.partitions(database, name)}
    found = sorted(_folders(engine, folder(table["StorageDescriptor"]["Location"]), names) - known)
    add_partitions(
        engine, database, name, [partition_input(table, list(values), "") for values in found], quiet=True
    )
    shown = ["/".join(f"{n}={v}" for n, v in zip(names, values, strict=True)) for values in found]
    rows: list[list[str | None]] = (
        [[f"Partitions not in metastore:\t{chr(9).join(f'{name}:{s}' for s in shown)}"]] if shown else []
    )
    return ["result"], rows + [[f"Repair: Added partition to metastore {name}:{s}"] for s in shown]


def _folders(engine: Engine, location: str, names: list[str]) -> set[tuple[str, ...]]:
    from urllib.parse import unquote

    from infra.local.athena.objects import list_objects

    pattern = re.compile(re.escape(location) + "/".join(f"{re.escape(n)}=([^/]+)" for n in names) + "/")
    matches = (pattern.match(stored.address) for stored in list_objects(engine.s3, location))
    return {tuple(map(unquote, m.groups())) for m in matches if m}
