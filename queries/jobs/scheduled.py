"""Jobs that a schedule asks for: what is declared, and the request that follows when it fires (pure)."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Annotated, NamedTuple

import msgspec

from queries.jobs.errors import RequestError
from queries.jobs.state import Backfill, Import, Request

FIRED_AT = "<aws.scheduler.scheduled-time>"
"""EventBridge Scheduler puts the time there for which it fires."""
GRAINS: Mapping[str, timedelta] = {"event_hour": timedelta(hours=1), "event_date": timedelta(days=1)}
"""How long a partition is."""
_FORMATS = {"event_hour": "%Y-%m-%d-%H", "event_date": "%Y-%m-%d"}
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class NewestBackfill(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind", tag="backfill"):
    """Compute the newest partitions of a report that are over, so many of them, again."""

    report: str
    partitions: Annotated[int, msgspec.Meta(ge=1, le=96_000)]
    force: bool = False


class DatedImport(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind", tag="import"):
    """Import the files below a prefix; `%Y`, `%m`, `%d` and `%H` in it stand for the time (UTC)."""

    prefix: str
    source: str


Planned = NewestBackfill | DatedImport


class Firing(msgspec.Struct, frozen=True):
    """What the function of jobs is called with: the schedule's name, the time it fires for, what it wants."""

    schedule: str
    at: str
    request: Planned


class Asked(NamedTuple):
    """A request, and who asks with which key: a firing that comes twice is the same job."""

    subject: str
    key: str
    request: Request


def asked(firing: Firing, grains: Mapping[str, str]) -> Asked:
    """What the firing asks for. `grains` is the grain of each report. Raises RequestError."""
    at = _time(firing.at)
    return Asked(f"schedule:{firing.schedule}", firing.at, _request(firing.request, at, grains))


def _request(planned: Planned, at: datetime, grains: Mapping[str, str]) -> Request:
    if isinstance(planned, DatedImport):
        return Import(prefix=dated(planned.prefix, at), source=planned.source)
    grain = grains.get(planned.report)
    if grain is None:
        raise RequestError(f"There is no report {planned.report!r}. Change the schedule, and deploy again.")
    length, form = GRAINS[grain], _FORMATS[grain]
    end = at - (at - _EPOCH) % length
    return Backfill(
        report=planned.report,
        first=f"{end - planned.partitions * length:{form}}",
        last=f"{end - length:{form}}",
        force=planned.force,
    )


def dated(prefix: str, at: datetime) -> str:
    """The prefix at this time."""
    for name in ("%Y", "%m", "%d", "%H"):
        prefix = prefix.replace(name, at.strftime(name))
    return prefix


def _time(text: str) -> datetime:
    try:
        return datetime.fromisoformat(text).astimezone(UTC)
    except ValueError as error:
        raise RequestError(f"{text!r} is not a time like 2026-11-30T03:00:00Z.") from error
