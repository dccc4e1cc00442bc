"""CREATE TABLE AS and INSERT INTO: a query's rows become files, and the catalog hears of them."""

import re
from typing import Any

from sqlglot import exp

from infra.local.athena.ddl_partitions import add_partitions, partition_input
from infra.local.athena.ddl_tables import create_entry, descriptor_of
from infra.local.athena.engine import Engine, Run
from infra.local.athena.errors import QueryError, refused
from infra.local.athena.layout import folder, layout_of
from infra.local.athena.sql.type_names import hive_name
from infra.local.athena.sql.types import Type, coercible
from infra.local.athena.statements import Reader
from infra.local.athena.writer import Output, Written

_KNOWN = {
    "format",
    "external_location",
    "partitioned_by",
    "write_compression",
    "parquet_compression",
    "table_type",
    "is_external",
    "field_delimiter",
}


def create_table_as(engine: Engine, sql: str, run: Run, results: str) -> Written:
    """CREATE TABLE name [WITH (...)] AS query [WITH NO DATA]. Raises QueryError."""
    reader = Reader(sql)
    reader.expect("CREATE")
    reader.expect("TABLE")
    quiet = reader.accept("IF", "NOT", "EXISTS")
    names = reader.names()
    database = names[-2] if len(names) > 1 else run.database
    properties = reader.properties() if reader.accept("WITH") else {}
    _check(properties)
    reader.expect("AS")
    query, no_data = re.subn(r"\s+WITH\s+(?:NO\s+)?DATA\s*$", "", reader.rest(), flags=re.IGNORECASE)
    if no_data and re.search(r"WITH\s+NO\s+DATA\s*$", sql, re.IGNORECASE):
        query = f"SELECT * FROM ({query}) LIMIT 0"
    catalog = engine.catalog()
    if catalog.table(database, names[-1]) is not None:
        if quiet:
            return Written()
        raise QueryError("TABLE_ALREADY_EXISTS", f"Table '{database}.{names[-1]}' already exists")
    location = folder(properties.get("external_location") or f"{results}tables/{run.identifier}")
    compression = str(properties.get("write_compression") or properties.get("parquet_compression") or "")
    output = Output(
        location,
        str(properties.get("format", "parquet")).lower(),
        compression,
        tuple(properties.get("partitioned_by", ())),
        str(properties.get("field_delimiter", "\x01")),
    )
    written, columns = engine.write(query, run, output)
    _register(engine, database, names[-1], output, columns, written)
    return written


def _check(properties: dict[str, Any]) -> None:
    for name in properties:
        if name not in _KNOWN:
            if name.startswith("bucket"):
                raise refused("Bucketing", "Leave bucketed_by and bucket_count out.")
            raise QueryError(
                "INVALID_TABLE_PROPERTY",
                f"Table property '{name}' does not exist. Use: {', '.join(sorted(_KNOWN))}.",
            )
    if str(properties.get("table_type", "HIVE")).upper() != "HIVE":
        raise refused("An Iceberg table", "Use a Hive table in Parquet.")


def _register(
    engine: Engine, database: str, name: str, output: Output, columns: Any, written: Written
) -> None:
    width = len(columns) - len(output.partitioned_by)
    kind = {"parquet": "parquet", "json": "json", "textfile": "text"}[output.format]
    parameters = (
        {"field.delim": output.delimiter, "serialization.format": output.delimiter}
        if kind == "text"
        else None
    )
    entry = {
        "Name": name,
        "TableType": "EXTERNAL_TABLE",
        "Parameters": {"EXTERNAL": "TRUE", "has_encrypted_data": "false", "classification": kind},
        "PartitionKeys": [{"Name": n, "Type": hive_name(t)} for n, t in columns[width:]],
        "StorageDescriptor": {
            "Columns": [{"Name": n, "Type": hive_name(t)} for n, t in columns[:width]],
            "Location": output.location,
            **descriptor_of(kind, parameters),
        },
    }
    create_entry(engine, database, entry)
    _add(engine, {**entry, "DatabaseName": database}, written)


def _add(engine: Engine, table: dict[str, Any], written: Written) -> None:
    entries = [
        partition_input(table, [v if v is not None else "__HIVE_DEFAULT_PARTITION__" for v in values], place)
        for values, place in written.partitions.items()
        if values
    ]
    add_partitions(engine, table["DatabaseName"], table["Name"], entries, quiet=True)


def insert(engine: Engine, sql: str, run: Run) -> Written:
    """INSERT INTO name [(columns)] query: files are added to the table's location. Raises QueryError."""
    reader = Reader(sql)
    reader.expect("INSERT")
    reader.expect("INTO")
    names = reader.names()
    database = names[-2] if len(names) > 1 else run.database
    catalog = engine.catalog()
    table = catalog.table(database, names[-1])
    if table is None:
        raise QueryError("TABLE_NOT_FOUND", f"Table 'awsdatacatalog.{database}.{names[-1]}' does not exist")
    layout = layout_of(table)
    if layout.projected and layout.parameters.get("storage.location.template"):
        raise refused("INSERT INTO a table with a location template", "Write the objects with UNLOAD.")
    wanted = [*layout.columns, *layout.partitions]
    listed = _listed_columns(reader)
    given = engine.compile(reader.rest(), run, catalog).columns
    chosen = listed or [name for name, _ in wanted]
    if len(given) != len(chosen):
        message = f"Insert query has mismatched column types: Table: [{', '.join(str(t) for _, t in wanted)}], Query: [{', '.join(str(t) for _, t in given)}]"
        raise QueryError("TYPE_MISMATCH", message)
    types = dict(wanted)
    if not all(_fits(of, types[name]) for name, (_, of) in zip(chosen, given, strict=True) if name in types):
        message = f"Insert query has mismatched column types: Table: [{', '.join(str(types.get(name)) for name in chosen)}], Query: [{', '.join(str(t) for _, t in given)}]"
        raise QueryError("TYPE_MISMATCH", message)
    aliases = ", ".join(f"i{i}" for i in range(len(given)))
    selected = ", ".join(
        f"CAST({f'i{chosen.index(name)}' if name in chosen else 'NULL'} AS {of}) AS {exp.to_identifier(name, quoted=True).sql('trino')}"
        for name, of in wanted
    )
    query = f"SELECT {selected} FROM ({reader.rest()}) AS inserted ({aliases})"
    kind = {"parquet": "parquet", "json": "json", "text": "textfile", "csv": "textfile"}[layout.format]
    delimiter = layout.serde.get("field.delim", "\x01")
    output = Output(layout.location, kind, "", tuple(name for name, _ in layout.partitions), delimiter)
    written, _ = engine.write(query, run, output, fresh=False)
    if not layout.projected:
        _add(engine, table, written)
    return written


def _fits(given: Type, wanted: Type) -> bool:
    """Whether INSERT takes it without a cast in the query. Texts of any length are taken."""
    return coercible(given, wanted) or (given.is_text and wanted.is_text)


def _listed_columns(reader: Reader) -> list[str]:
    if not reader.is_word("(") or re.match(r"\(\s*(SELECT|WITH|VALUES)\b", reader.rest(), re.IGNORECASE):
        return []
    return [part.strip().strip('`"').lower() for part in reader.parenthesised().split(",")]
