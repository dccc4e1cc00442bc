"""Athena views for analysts: one flat table per event type, derived from the contracts.

A view has the envelope's columns, the stand-ins for personal data that its type has, its payload's fields and
`event_hour`; of copies of an event it shows the one that reports count.
"""

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass

from queries.engine.trino_types import struct_members, trino_type
from queries.refresh.rendering import COPY, COPY_NUMBER
from queries.refresh.sealing import hours_table
from transforms.contracts import (
    EVENT_HOUR,
    Column,
    LakeTable,
    payload_column,
    personal_of,
)


@dataclass(frozen=True)
class EventView:
    """The view of one event type and version.

    Attributes:
        name: the event type's, from version 2 on with the version behind it; before it the stream's, unless
            that has plain names: two streams may have event types of one name.
        source: the table that it reads.
        columns: of the view in order, types in Hive's spelling.
        sql: its query, in Trino's dialect; names are looked up in the view's own database.
        comment: what an event of the type says.
    """

    name: str
    source: str
    columns: tuple[Column, ...]
    sql: str
    comment: str = ""

    def stored_text(self, database: str) -> str:
        """What the Glue catalog holds of the view, as Athena writes it for CREATE VIEW."""
        content = {
            "originalSql": self.sql,
            "catalog": "awsdatacatalog",
            "schema": database,
            "columns": [{"name": column.name, "type": trino_type(column.type)} for column in self.columns],
        }
        encoded = base64.b64encode(json.dumps(content, separators=(",", ":")).encode()).decode()
        return f"/* Presto View: {encoded} */"


def event_view(table: LakeTable, name: str, source: str) -> EventView:
    """The view of the event type whose struct column is `name`, over `source`, which has the table's columns.

    Raises ValueError when a payload field has the name of another column.
    """
    event_type = next(each for each in table.delivered if payload_column(each) == name)
    others = {column.name for column in table.payload_columns} | {*table.personal_columns}
    others -= set(personal_of(event_type))
    top = [column for column in table.columns if column.name not in others]
    payload = next(column for column in table.payload_columns if column.name == name)
    members = list(struct_members(payload.type))
    columns = (*top, *members, table.partition_column)
    names = [column.name for column in columns]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ValueError(
            f"{name} has payload fields that every event has already: {', '.join(twice)}. "
            "Give them other names."
        )
    read = [
        *(column.name for column in top),
        *(f"{name}.{member.name} AS {member.name}" for member in members),
        EVENT_HOUR,
    ]
    sql = (
        f"SELECT {', '.join(names)}\n"
        f"FROM (SELECT {', '.join([*names, COPY_NUMBER])}\n"
        f"FROM (SELECT {', '.join(read)}\n"
        f"FROM {source} WHERE event_type = '{event_type.name}' AND schema_version = {event_type.version}"
        f") AS events) AS copies WHERE {COPY} = 1"
    )
    return EventView(table.stream.named(name, "_"), source, columns, sql, payload.comment)


def event_views(tables: Mapping[str, LakeTable]) -> Mapping[str, EventView]:
    """Every view by name, in the order of the contracts.

    Raises ValueError when two views, or a view and a table, have one name.
    """
    found: dict[str, EventView] = {}
    for table in tables.values():
        for column in table.payload_columns:
            view = event_view(table, column.name, hours_table(table))
            other = found.get(view.name)
            if other is not None or view.name in tables:
                what = f"the view of {other.source}" if other is not None else "a lake table"
                raise ValueError(
                    f"The view {view.name} of stream {table.stream.name!r} has the name of {what}. "
                    "Rename the event type, or the stream."
                )
            found[view.name] = view
    return found
