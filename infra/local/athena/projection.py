"""Partition projection: which values a table's rules allow, and which of them a query can want. Pure."""

import calendar
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from infra.local.athena.errors import QueryError, refused
from infra.local.athena.layout import Layout
from infra.local.athena.sql.scope import Domain, Domains
from infra.local.athena.sql.types import Type

_JAVA = {"yyyy": "%Y", "MM": "%m", "dd": "%d", "HH": "%H", "mm": "%M", "ss": "%S"}
_NOW = re.compile(r"NOW(?:\s*([+-])\s*(\d+)\s*(YEARS?|MONTHS?|WEEKS?|DAYS?|HOURS?|MINUTES?|SECONDS?))?")
_MONTHS = {"YEAR": 12, "MONTH": 1}
_UNIT_SECONDS = {
    "WEEK": 604_800,
    "DAY": 86_400,
    "HOUR": 3_600,
    "MINUTE": 60,
    "SECOND": 1,
}


@dataclass(frozen=True)
class Rule:
    """The projection of one partition column: its kind, and the parameters behind `projection.<column>.`."""

    column: str
    of: Type
    kind: str
    parameters: Mapping[str, str]

    def values(self, domain: Domain, now: datetime, most: int) -> list[str] | None:
        """The values that the rule allows and the query can want, as texts; None when there are more than `most`."""
        found = []
        for value in self._all(domain, now):
            if domain.allows(self._typed(value)):
                found.append(value)
                if len(found) > most:
                    return None
        return found

    def allows(self, value: str, now: datetime) -> bool:
        """Whether the rule makes this value."""
        try:
            if self.kind == "enum":
                return value in self._enum()
            if self.kind == "integer":
                low, high = self._numbers()
                step = int(self.parameters.get("interval", "1"))
                return (
                    low <= int(value) <= high
                    and (int(value) - low) % step == 0
                    and value == self._digits(int(value))
                )
            if self.kind == "date":
                low_time, high_time = self._times(now)
                moment = datetime.strptime(value, self._format())  # noqa: DTZ007 - projection knows no zones
                return low_time <= moment <= high_time and moment.strftime(self._format()) == value
        except ValueError:
            return False
        return True

    def _text(self, value: Any) -> str:
        """A value of the column as it stands in keys."""
        return self._digits(value) if self.kind == "integer" and isinstance(value, int) else str(value)

    def _typed(self, value: str) -> Any:
        return typed(value, self.of)

    def _all(self, domain: Domain, now: datetime) -> Iterator[str]:
        if self.kind == "enum":
            yield from self._enum()
        elif domain.values is not None:
            yield from (v for v in sorted(map(self._text, domain.values)) if self.allows(v, now))
        elif self.kind == "injected":
            message = f"For the injected projected partition column {self.column}, the WHERE clause must contain only static equality conditions."
            raise QueryError("CONSTRAINT_VIOLATION", message)
        elif self.kind == "integer":
            low, high = self._numbers()
            yield from map(self._digits, range(low, high + 1, int(self.parameters.get("interval", "1"))))
        else:
            yield from self._dates(domain, now)

    def _enum(self) -> list[str]:
        return [value.strip() for value in self.parameters.get("values", "").split(",")]

    def _numbers(self) -> tuple[int, int]:
        low, high = self.parameters["range"].split(",")
        return int(low), int(high)

    def _digits(self, value: int) -> str:
        return str(value).rjust(int(self.parameters.get("digits", "1")), "0")

    def _format(self) -> str:
        return re.sub("yyyy|MM|dd|HH|mm|ss", lambda m: _JAVA[m[0]], self.parameters["format"])

    @property
    def depth(self) -> int:
        """How many slashes a value of the column may have."""
        return self.parameters["format"].count("/") if self.kind == "date" else 0

    def check(self) -> None:
        """Raise QueryError for what is not projected here."""
        if self.kind == "enum" and any("/" in value for value in self._enum()):
            raise refused(f"A slash in projection.{self.column}.values", "Use a folder for each column.")
        if self.kind == "date":
            if other := re.sub("yyyy|MM|dd|HH|mm|ss|[^A-Za-z']", "", self.parameters.get("format", "'")):
                raise refused(
                    f"{other} in projection.{self.column}.format", "Use yyyy, MM, dd, HH, mm and ss."
                )
            self._step()

    def _times(self, now: datetime) -> tuple[datetime, datetime]:
        low, high = (self._time(part.strip(), now) for part in self.parameters["range"].split(","))
        return low, high

    def _time(self, text: str, now: datetime) -> datetime:
        if match := _NOW.fullmatch(text):
            if not match[1]:
                return now
            return _moved(now, int(f"{match[1]}{match[2]}"), match[3].removesuffix("S"))
        return datetime.strptime(text, self._format())  # noqa: DTZ007 - projection knows no zones

    def _dates(self, domain: Domain, now: datetime) -> Iterator[str]:
        low, high = self._times(now)
        low = max(low, self._bound(domain.low, low))
        high = min(high, self._bound(domain.high, high))
        count, unit = self._step()
        start = self._times(now)[0]
        number = _steps(start, low, count, unit)
        last = ""
        while (at := _moved(start, number * count, unit)) <= high:
            written = at.strftime(self._format())
            if written != last:  # a step may be shorter than what the format tells apart
                yield written
            last, number = written, number + 1

    def _bound(self, value: Any, otherwise: datetime) -> datetime:
        try:
            return datetime.strptime(str(value), self._format()) if value is not None else otherwise  # noqa: DTZ007
        except ValueError:
            return otherwise

    def _step(self) -> tuple[int, str]:
        given = self.parameters.get("interval.unit", "").upper().removesuffix("S")
        if not given:  # only for whole days and months AWS has a default
            finest = re.findall("yyyy|MM|dd|HH|mm|ss", self.parameters["format"])[-1:]
            given = {"dd": "DAY", "MM": "MONTH"}.get("".join(finest), "")
        if given not in _UNIT_SECONDS and given not in _MONTHS:
            message = f"projection.{self.column}.interval.unit must be set: YEARS, MONTHS, WEEKS, DAYS, HOURS, MINUTES or SECONDS"
            raise QueryError("INVALID_TABLE_PROPERTY", message)
        return int(self.parameters.get("interval", "1")), given


def _moved(moment: datetime, count: int, unit: str) -> datetime:
    """So many units later. The last day of a month that is too short stands for a later one."""
    if unit not in _MONTHS:
        return moment + timedelta(seconds=count * _UNIT_SECONDS[unit])
    years, month = divmod(moment.month - 1 + count * _MONTHS[unit], 12)
    year = moment.year + years
    return moment.replace(
        year=year, month=month + 1, day=min(moment.day, calendar.monthrange(year, month + 1)[1])
    )


def _steps(start: datetime, low: datetime, count: int, unit: str) -> int:
    """How many steps from `start` lie before `low`, or one less."""
    if unit in _MONTHS:
        months = (low.year - start.year) * 12 + low.month - start.month
        return max(0, months // (count * _MONTHS[unit]) - 1)
    return max(0, (low - start) // timedelta(seconds=count * _UNIT_SECONDS[unit]))


def typed(value: str, of: Type) -> Any:
    """A partition's text as the value of its column."""
    if of.is_integer:
        return int(value)
    return date.fromisoformat(value) if of.name == "date" else value


def rules_of(layout: Layout) -> list[Rule]:
    """The table's rules. Raises QueryError when a partition column has none."""
    rules = []
    for name, of in layout.partitions:
        prefix = f"projection.{name}."
        parameters = {
            k.lower().removeprefix(prefix): v
            for k, v in layout.parameters.items()
            if k.lower().startswith(prefix)
        }
        kind = parameters.get("type", "").lower()
        if kind not in ("enum", "integer", "date", "injected"):
            message = f"Table {layout.database}.{layout.name} is configured for partition projection, but the following partition columns are missing projection configuration: [{name}]"
            raise QueryError("INVALID_TABLE_PROPERTY", message)
        rules.append(Rule(name, of, kind, parameters))
        rules[-1].check()
    return rules


def template_of(layout: Layout) -> str:
    """`s3://.../${column}/`, the table's own or Hive's `column=value` folders."""
    given = layout.parameters.get("storage.location.template")
    made = layout.location + "/".join(f"{name}=${{{name}}}" for name, _ in layout.partitions)
    return (given or made).rstrip("/") + "/"


def candidates(rules: list[Rule], domains: Domains, now: datetime, most: int) -> list[dict[str, str]] | None:
    """Every combination of values that the query can want; None when there are more than `most`."""
    combined: list[dict[str, str]] = [{}]
    for rule in rules:
        values = rule.values(domains.get(rule.column, Domain()), now, most)
        if values is None or len(values) * len(combined) > most:
            return None
        combined = [{**known, rule.column: value} for known in combined for value in values]
    return combined


def fill(template: str, values: Mapping[str, str]) -> str:
    """The template with the values in it."""
    return re.sub(r"\$\{(\w+)\}", lambda m: values[m[1].lower()], template)


def matcher(template: str, rules: list[Rule]) -> re.Pattern[str]:
    """Reads the values back from an object's address."""
    depth = {rule.column: rule.depth for rule in rules}
    parts = re.split(r"(\$\{\w+\})", template)
    seen: set[str] = set()
    expression = ""
    for part in parts:
        if part.startswith("${"):
            name = part[2:-1].lower()
            value = "[^/]+" + "/[^/]+" * depth.get(name, 0)
            expression += f"(?P={name})" if name in seen else f"(?P<{name}>{value})"
            seen.add(name)
        else:
            expression += re.escape(part)
    return re.compile(expression)


def key_bounds(template: str, domains: Domains) -> tuple[str, str, str]:
    """The prefix that all addresses share, and the first and last address that can matter."""
    static, _, rest = template.partition("${")
    column = rest.partition("}")[0].lower()
    domain = domains.get(column, Domain())
    low = min(domain.values) if domain.values else domain.low
    high = max(domain.values) if domain.values else domain.high
    return (
        static,
        static + (low if isinstance(low, str) else ""),
        static + (high if isinstance(high, str) else "") + "\U0010ffff",
    )
