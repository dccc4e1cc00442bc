"""The schedules of a project: jobs that the deployment asks for by itself (pure)."""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass

import msgspec

from dashboards.declaration import Section
from queries.jobs.scheduled import Planned

KINDS = ("backfill", "import")
_NAME = re.compile(r"[a-z][a-z0-9-]{0,29}[a-z0-9]")
_RATE = re.compile(r"rate\((1 (minute|hour|day)|([2-9]|[1-9][0-9]+) (minutes|hours|days))\)")
_CRON = re.compile(r"cron\(((?:[0-9A-Z*,/?L#W-]+ ){5}[0-9A-Z*,/?L#W-]+)\)")
_KEYS = {"backfill": ("report", "partitions", "force"), "import": ("prefix", "source")}


@dataclass(frozen=True)
class Schedule:
    """When a job is asked for, as EventBridge Scheduler writes it (UTC), and which one."""

    name: str
    expression: str
    request: Planned


def read_schedules(section: Section) -> Mapping[str, Schedule]:
    """The table `schedules` of a project's file. Raises DeclarationError."""
    return {name: _schedule(section.table(name), section, name) for name in section.values}


def _schedule(own: Section, section: Section, name: str) -> Schedule:
    if not _NAME.fullmatch(name):
        raise section.fail(
            f"{name!r} is not a valid name of a schedule. Use 2 to 31 lower-case letters, digits and -, a "
            "letter in front, none of - at the end.",
            name,
        )
    kind = own.choice("kind", KINDS)
    own.only("schedule", "kind", *_KEYS[kind])
    expression = own.text("schedule")
    if not _RATE.fullmatch(expression) and not _is_cron(expression):
        raise own.fail(
            f"{expression!r} is not a schedule. Write rate(6 hours), or cron(0 3 * * ? *): minute, hour, day "
            "of the month, month, day of the week and year, where one of the two days is ?.",
            "schedule",
        )
    try:
        values = {key: own.values[key] for key in own.values if key != "schedule"}
        request: Planned = msgspec.convert(values, Planned)
    except msgspec.ValidationError as error:
        raise own.fail(f"The schedule {name!r} cannot be read: {error}.") from error
    return Schedule(name, expression, request)


def _is_cron(expression: str) -> bool:
    found = _CRON.fullmatch(expression)
    return found is not None and [found[1].split()[at] == "?" for at in (2, 4)].count(True) == 1


def unknown_names(
    schedules: Mapping[str, Schedule], reports: Collection[str], sources: Collection[str]
) -> list[str]:
    """What schedules name that the project does not have, a sentence each."""
    found = []
    for schedule in schedules.values():
        request = schedule.request
        known, kind = (sources, "source") if hasattr(request, "source") else (reports, "report")
        name = getattr(request, kind)
        if name not in known:
            there = ", ".join(known) or "none"
            found.append(f"The schedule {schedule.name!r} names the {kind} {name!r}. There are: {there}.")
    return found
