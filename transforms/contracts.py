"""What transforms promise: the lake table of each stream, derived from the stream's event types.

One row per event. The envelope's members and the derived columns stand at the top; each delivered event type
has one nullable struct column with its payload, of which exactly one is set. Reading one type's column reads
only that column. The lake partition column `event_hour` is computed from the checked event time.
"""

import types
from collections.abc import Iterator, Mapping
from datetime import datetime
from functools import cached_property
from types import MappingProxyType
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

from msgspec import Meta, Struct

# Handed on: what a command is given, how values are printed and streams are read is the same on every floor.
from producers.contracts import CommandTarget as CommandTarget  # noqa: PLC0414
from producers.contracts import Event, EventType, Stream, bare_type
from producers.contracts import HeaderError as HeaderError  # noqa: PLC0414
from producers.contracts import StreamDefinitionError as StreamDefinitionError  # noqa: PLC0414
from producers.contracts import echo as echo  # noqa: PLC0414
from producers.contracts import headed_sql as headed_sql  # noqa: PLC0414
from producers.contracts import load_streams as load_streams  # noqa: PLC0414
from producers.contracts import message as message  # noqa: PLC0414
from producers.contracts import printable as printable  # noqa: PLC0414

# Handed on: infra makes alarms and dashboards of these names, and reports declare types as the lake does.
from transforms import telemetry as telemetry  # noqa: PLC0414
from transforms.type_text import type_parts as type_parts  # noqa: PLC0414

EVENT_HOUR = "event_hour"
EVENT_HOUR_FORMAT = "%Y-%m-%d-%H"
"""`2026-11-24-10`: the one name of an hour's data, from transform to hourly report."""

IMPORTED_SUFFIX = ".pq"
"""Ends the keys of lake objects that an import wrote, each event in them once. It is not `.parquet`: for that
the lake bucket sends a notification each, and an import sends its own, by the hundred.
"""

FAILED_PREFIX = "failed/"
"""Error prefix in the lake bucket. Firehose adds the kind of error and the day below it."""
FAILED_TABLE = "failed_records"


def is_data(key: str) -> bool:
    """Whether the object's key names data. Folders do not, nor does anything hidden at any depth.

    Writers put what they have not finished below `_temporary/`, and marks like `_SUCCESS` beside it.
    """
    parts = key.split("/")
    return bool(parts[-1]) and not any(part.startswith(("_", ".")) for part in parts)


def lake_prefix(table: str) -> str:
    """Prefix of the objects of the lake table of this name."""
    return f"{table}/"


class Column(Struct, frozen=True):
    """A column of a table, its type in Hive's (Glue's) spelling."""

    name: str
    type: str
    comment: str = ""


DERIVED_COLUMNS = (
    Column("arrival_time", "timestamp", "when the stream took the record"),
    Column("is_late", "boolean", "arrived later than the stream's allowed lateness after event_time"),
    Column("key_id", "string", "which key made the pseudonyms"),
)

_SCALARS = {str: "string", int: "bigint", float: "double", bool: "boolean", datetime: "timestamp"}


class LakeTable(Struct, frozen=True, dict=True):
    """The lake table of one stream."""

    stream: Stream

    @property
    def name(self) -> str:
        """Table name in the Glue catalog, the stream's name with `_events` behind it."""
        return self.stream.table

    @property
    def prefix(self) -> str:
        """Prefix of the table's objects in the lake bucket; lake partitions are below it."""
        return lake_prefix(self.name)

    @property
    def partition_column(self) -> Column:
        """The one lake partition column."""
        return Column(EVENT_HOUR, "string", "UTC hour of event_time, yyyy-MM-dd-HH")

    def projection(self, bucket_uri: str) -> dict[str, str]:
        """Properties from which Athena computes the lake partitions. `bucket_uri`: `s3://<lake bucket>`."""
        return {
            "projection.enabled": "true",
            f"projection.{EVENT_HOUR}.type": "date",
            f"projection.{EVENT_HOUR}.format": "yyyy-MM-dd-HH",
            f"projection.{EVENT_HOUR}.interval": "1",
            f"projection.{EVENT_HOUR}.interval.unit": "HOURS",
            f"projection.{EVENT_HOUR}.range": f"{self.stream.history_floor:{EVENT_HOUR_FORMAT}},NOW+2HOURS",
            "storage.location.template": f"{bucket_uri}/{self.prefix}{EVENT_HOUR}=${{{EVENT_HOUR}}}",
        }

    @cached_property
    def columns(self) -> tuple[Column, ...]:
        """Every column but the lake partition, in table order."""
        envelope = (
            Column("event_type", "string"),
            *(Column(name, hive_type(hint)) for name, hint in _hints(Event) if name != "payload"),
        )
        personal = tuple(Column(name, "string", "stands for personal data") for name in self.personal_columns)
        return (*envelope, *DERIVED_COLUMNS, *personal, *self.payload_columns)

    @cached_property
    def personal_columns(self) -> tuple[str, ...]:
        """Columns that stand in for personal payload fields, in order of first declaration."""
        return tuple(dict.fromkeys(name for event_type in self.delivered for name in personal_of(event_type)))

    @cached_property
    def delivered(self) -> tuple[EventType, ...]:
        """Event types whose events become rows."""
        return tuple(event_type for event_type in self.stream.all_types if event_type.delivered)

    @cached_property
    def payload_columns(self) -> tuple[Column, ...]:
        """One struct column per delivered event type and version."""
        return tuple(
            Column(payload_column(event_type), payload_type(event_type), event_type.payload.__doc__ or "")
            for event_type in self.delivered
        )


def personal_of(event_type: EventType) -> tuple[str, ...]:
    """Columns that stand in for personal fields of this event type's payload."""
    extras = (field_extra(hint) for _, hint in _hints(event_type.payload))
    return tuple(dict.fromkeys(str(extra["personal"]) for extra in extras if "personal" in extra))


def payload_column(event_type: EventType) -> str:
    """Name of the struct column: the event type's name; from version 2 on with the version behind it."""
    return event_type.name if event_type.version == 1 else f"{event_type.name}_{event_type.version}"


def payload_type(event_type: EventType) -> str:
    """Hive type of the payload's struct: personal fields left out, derived ones added."""
    members: list[str] = []
    for name, hint in _hints(event_type.payload):
        extra = field_extra(hint)
        if "personal" not in extra:
            members.append(f"{name}:{hive_type(hint)}")
        members += [f"{derived}:string" for derived in extra.get("derive", {})]
    return f"struct<{','.join(members)}>"


def hive_type(hint: Any) -> str:
    """A field's annotation as a Hive type. Raises TypeError for what no lake column can hold."""
    hint = bare_type(hint)
    if hint in _SCALARS:
        return _SCALARS[hint]
    origin, arguments = get_origin(hint), get_args(hint)
    if origin is Literal:
        return _SCALARS[type(arguments[0])]
    if origin is list:
        return f"array<{hive_type(arguments[0])}>"
    if origin is dict:
        return f"map<{hive_type(arguments[0])},{hive_type(arguments[1])}>"
    if isinstance(hint, type) and issubclass(hint, Struct):
        return f"struct<{','.join(f'{name}:{hive_type(inner)}' for name, inner in _hints(hint))}>"
    raise TypeError(
        f"No lake column can hold {hint!r}. Use str, int, float, bool, datetime, list, dict or a Struct."
    )


def field_extra(hint: Any) -> dict[str, Any]:
    """What the field's annotation says besides its bounds: `personal`, `derive`, `query`."""
    if get_origin(hint) is Annotated:
        return {
            k: v
            for meta in hint.__metadata__
            if isinstance(meta, Meta)
            for k, v in (meta.extra or {}).items()
        }
    if get_origin(hint) in (Union, types.UnionType):
        return {k: v for inner in get_args(hint) for k, v in field_extra(inner).items()}
    return {}


def payload_hints(event_type: EventType) -> Iterator[tuple[str, Any]]:
    """Name and annotation of each field of the payload."""
    return _hints(event_type.payload)


def _hints(struct: type[Struct]) -> Iterator[tuple[str, Any]]:
    hints = get_type_hints(struct, include_extras=True)
    return ((name, hints[name]) for name in struct.__struct_fields__)


def lake_tables(streams: Mapping[str, Stream]) -> Mapping[str, LakeTable]:
    """The lake table of each of these streams, by the table's name."""
    return MappingProxyType({stream.table: LakeTable(stream) for stream in streams.values()})
