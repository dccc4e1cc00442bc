"""The time of the execution, and time zones."""

from dataclasses import replace
from datetime import datetime

from infra.local.athena.errors import QueryError, refused
from infra.local.athena.sql.literals import zone_of
from infra.local.athena.sql.scope import Typed
from infra.local.athena.sql.tree import build, text
from infra.local.athena.sql.types import DATE, TIME, TIMESTAMP, TIMESTAMP_TZ


def now(name: str, started: datetime) -> Typed:
    """`current_date` and its like: when the execution was submitted, in UTC, to the millisecond."""
    written = started.strftime("%Y-%m-%d %H:%M:%S.") + f"{started.microsecond // 1000:03}"
    if name == "current_date":
        return Typed(build("DATE {}", text(written[:10])), DATE, literal=started.date())
    if name in ("current_timestamp", "now"):
        return Typed(build("timezone('UTC', TIMESTAMP {})", text(written)), TIMESTAMP_TZ)
    if name == "localtimestamp":
        return Typed(build("TIMESTAMP {}", text(written)), TIMESTAMP, literal=started.replace(tzinfo=None))
    if name == "localtime":
        return Typed(build("TIME {}", text(written[11:])), TIME)
    raise refused(f"'{name}'", "Use localtime or current_timestamp.")


def at_time_zone(value: Typed, zone: Typed) -> Typed:
    """The same instant, read on another clock. Raises QueryError."""
    if not isinstance(zone.literal, str):
        raise refused("AT TIME ZONE with a computed zone", "Write the zone as a literal.")
    name, _ = zone_of(zone.literal)
    if value.type.name == "timestamp":  # in Trino the session's zone, UTC in Athena, is assumed
        value = Typed(
            build("timezone('UTC', {})", value.sql), replace(TIMESTAMP_TZ, args=value.type.args), value.refs
        )
    if value.type.name != "timestamp with time zone":
        message = f"Type of value must be a time or timestamp with or without time zone (actual {value.type})"
        raise QueryError("TYPE_MISMATCH", message)
    return Typed(value.sql, replace(value.type, zone=name), value.refs)
