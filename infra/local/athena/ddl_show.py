"""SHOW and DESCRIBE, as the lines that Athena's clients split."""

import fnmatch
from typing import Any

from infra.local.athena.engine import Engine, Run
from infra.local.athena.errors import QueryError
from infra.local.athena.layout import is_view, view_sql
from infra.local.athena.statements import Reader

Rows = list[list[str | None]]
_WIDTH = 20


def show(engine: Engine, reader: Reader, run: Run) -> tuple[list[str], Rows]:
    """SHOW DATABASES, TABLES, VIEWS, COLUMNS, PARTITIONS, CREATE TABLE, CREATE VIEW, TBLPROPERTIES, FUNCTIONS."""
    catalog = engine.catalog()
    reader.expect("SHOW")
    if reader.accept("DATABASES") or reader.accept("SCHEMAS"):
        return ["database_name"], [[n] for n in _matching(reader, catalog.databases())]
    if reader.accept("TABLES") or reader.accept("VIEWS"):
        views = reader.tokens[1].text.upper() == "VIEWS"
        database = _in(reader) or run.database
        if not catalog.has_database(database):
            raise QueryError("SCHEMA_NOT_FOUND", f"Schema '{database}' does not exist")
        found = [t["Name"] for t in catalog.tables(database) if not views or is_view(t)]
        return ["views" if views else "tab_name"], [[n] for n in _matching(reader, found)]
    if reader.accept("COLUMNS"):
        if not (reader.accept("FROM") or reader.accept("IN")):
            raise reader.error("'FROM'")
        table = _table(engine, reader, run)
        columns = [*table["StorageDescriptor"].get("Columns", []), *table.get("PartitionKeys", [])]
        return ["field"], [[column["Name"].ljust(_WIDTH)] for column in columns]
    if reader.accept("PARTITIONS"):
        table = _table(engine, reader, run)
        names = [key["Name"] for key in table.get("PartitionKeys", [])]
        found = catalog.partitions(table["DatabaseName"], table["Name"])
        lines = ["/".join(f"{n}={v}" for n, v in zip(names, p["Values"], strict=True)) for p in found]
        return ["partition"], [[line] for line in sorted(lines)]
    if reader.accept("TBLPROPERTIES"):
        table = _table(engine, reader, run)
        wanted = reader.parenthesised().strip("' ") if reader.is_word("(") else None
        pairs = (table.get("Parameters") or {}).items()
        return ["prpt_name", "prpt_value"], [[k, v] for k, v in sorted(pairs) if wanted in (None, k)]
    if reader.accept("CREATE", "VIEW"):
        table = _table(engine, reader, run)
        if not is_view(table):
            raise QueryError(
                "NOT_SUPPORTED", f"Relation '{table['Name']}' is a table, not a view. Use SHOW CREATE TABLE."
            )
        lines = [f"CREATE VIEW {table['Name']} AS ", *view_sql(table)[0].splitlines()]
        return ["Create View"], [[line] for line in lines]
    if reader.accept("CREATE", "TABLE"):
        return ["createtab_stmt"], [[line] for line in _create_table(_table(engine, reader, run))]
    if reader.accept("FUNCTIONS"):
        from infra.local.athena.sql.functions.registry import FUNCTIONS, known_names

        kinds = {name: FUNCTIONS.overloads[name][0].kind for name in known_names(FUNCTIONS)}
        return ["Function", "Function Type"], [[name, kind] for name, kind in kinds.items()]
    raise reader.error(
        "DATABASES, TABLES, VIEWS, COLUMNS, PARTITIONS, CREATE TABLE, CREATE VIEW, TBLPROPERTIES, FUNCTIONS"
    )


def describe(engine: Engine, reader: Reader, run: Run) -> tuple[list[str], Rows]:
    """DESCRIBE [FORMATTED | EXTENDED] table."""
    reader.at += 1
    formatted = reader.accept("FORMATTED") or reader.accept("EXTENDED")
    table = _table(engine, reader, run)
    rows: Rows = [[_described(column)] for column in table["StorageDescriptor"].get("Columns", [])]
    keys = table.get("PartitionKeys", [])
    rows += [[_described(key)] for key in keys]
    if keys:
        rows += [
            ["\t \t "],
            ["# Partition Information\t \t "],
            ["# col_name            \tdata_type           \tcomment             "],
            ["\t \t "],
        ]
        rows += [[_described(key)] for key in keys]
    if formatted:
        rows += [["\t \t "], ["# Detailed Table Information\t \t "]]
        rows.append([f"Location:           \t{table['StorageDescriptor'].get('Location', '')}\t "])
        rows.append([f"Table Type:         \t{table.get('TableType', '')}\t "])
        rows += [[f"\t{k.ljust(_WIDTH)}\t{v}"] for k, v in sorted((table.get("Parameters") or {}).items())]
    return ["col_name"], rows


def _described(column: dict[str, str]) -> str:
    return "\t".join(
        part.ljust(_WIDTH) for part in (column["Name"], column["Type"], column.get("Comment", ""))
    )


def _table(engine: Engine, reader: Reader, run: Run) -> dict[str, Any]:
    names = reader.names()
    database = names[-2] if len(names) > 1 else run.database
    found = engine.catalog().table(database, names[-1])
    if found is None:
        raise QueryError("TABLE_NOT_FOUND", f"Table '{database}.{names[-1]}' does not exist")
    return found


def _in(reader: Reader) -> str:
    if reader.accept("IN") or reader.accept("FROM"):
        return reader.names()[-1]
    return ""


def _matching(reader: Reader, names: list[str]) -> list[str]:
    reader.accept("LIKE")
    if reader.token is None:
        return names
    patterns = reader.text().replace("%", "*").split("|")
    return [name for name in names if any(fnmatch.fnmatchcase(name, pattern) for pattern in patterns)]


def _create_table(entry: dict[str, Any]) -> list[str]:

    if is_view(entry):
        raise QueryError(
            "NOT_SUPPORTED", f"Relation '{entry['Name']}' is a view, not a table. Use SHOW CREATE VIEW."
        )
    descriptor = entry["StorageDescriptor"]
    lines = [f"CREATE EXTERNAL TABLE `{entry['DatabaseName']}.{entry['Name']}`("]
    lines += _listed(descriptor.get("Columns", []))
    if entry.get("PartitionKeys"):
        lines += ["PARTITIONED BY ( ", *_listed(entry["PartitionKeys"])]
    serde = descriptor.get("SerdeInfo") or {}
    lines += ["ROW FORMAT SERDE ", f"  '{serde.get('SerializationLibrary', '')}' "]
    if serde.get("Parameters"):
        pairs = ", ".join(f"'{k}'='{v}'" for k, v in sorted(serde["Parameters"].items()))
        lines += [f"WITH SERDEPROPERTIES ({pairs}) "]
    lines += ["STORED AS INPUTFORMAT ", f"  '{descriptor.get('InputFormat', '')}' "]
    lines += [
        "OUTPUTFORMAT ",
        f"  '{descriptor.get('OutputFormat', '')}'",
        "LOCATION",
        f"  '{descriptor.get('Location', '')}'",
    ]
    pairs_of = [f"  '{k}'='{v}'" for k, v in sorted((entry.get("Parameters") or {}).items())]
    return (
        [*lines, "TBLPROPERTIES (", *[p + ", " for p in pairs_of[:-1]], *[p + ")" for p in pairs_of[-1:]]]
        if pairs_of
        else lines
    )


def _listed(columns: list[dict[str, str]]) -> list[str]:
    lines = [f"  `{column['Name']}` {column['Type']}" for column in columns]
    return [line + ", " for line in lines[:-1]] + [line + ")" for line in lines[-1:]]
