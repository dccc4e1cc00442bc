"""ALTER TABLE and MSCK REPAIR TABLE: what changes a table that is there, above all its partitions."""

import re
from typing import Any

from botocore.exceptions import ClientError

from infra.local.athena.ddl_tables import (
    NOTHING,
    Answer,
    column_list,
    if_not_exists,
    property_texts,
    table_name,
)
from infra.local.athena.engine import Engine, Run
from infra.local.athena.errors import QueryError
from infra.local.athena.layout import folder
from infra.local.athena.statements import Reader, split_arguments


def alter(engine: Engine, reader: Reader, run: Run) -> Answer:
    """ALTER TABLE ADD/DROP PARTITION, PARTITION SET LOCATION, ADD COLUMNS, SET TBLPROPERTIES."""
    reader.expect("ALTER")
    reader.expect("TABLE")
    database, name = table_name(reader, run)
    table = engine.catalog().table(database, name)
    if table is None:
        raise QueryError("TABLE_NOT_FOUND", f"Table '{database}.{name}' does not exist")
    if reader.accept("ADD", "COLUMNS"):
        table["StorageDescriptor"]["Columns"] = [
            *table["StorageDescriptor"]["Columns"],
            *column_list(reader.parenthesised()),
        ]
        return _update(engine, table)
    if reader.accept("SET", "TBLPROPERTIES"):
        table["Parameters"] = {**(table.get("Parameters") or {}), **property_texts(reader)}
        return _update(engine, table)
    if reader.accept("ADD"):
        return _add_partitions(engine, reader, table, quiet=if_not_exists(reader))
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
    database, name = table_name(reader, run)
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
