"""What a changed report contract does to the dashboards, before anything is deployed."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from dashboards.binding import users
from dashboards.model import Dashboard
from queries.contracts import Report

Change = Literal["added", "renamed", "retyped", "dropped"]


@dataclass(frozen=True)
class Impact:
    """One changed column: what happened, where the contract says so, and what in which dashboard reads it."""

    report: str
    column: str
    change: Change
    detail: str
    file: str
    line: int
    hits: tuple[str, ...]

    @property
    def is_safe(self) -> bool:
        """Whether it may be deployed as it is: additions always, the rest only when nothing reads the
        column.
        """
        return self.change == "added" or not self.hits

    def __str__(self) -> str:
        hit = f" Hits {', '.join(self.hits)}." if self.hits else " Nothing reads it."
        return f"{self.file}:{self.line}: {self.report}.{self.column} {self.change} ({self.detail}).{hit}"


def impacts(
    before: Mapping[str, Report], after: Mapping[str, Report], declared: Mapping[str, Dashboard]
) -> tuple[Impact, ...]:
    """Every changed column of every report, in order of report and column."""
    found: list[Impact] = []
    for name, report in before.items():
        if name in after:
            found += _of_report(report, after[name], declared)
        else:
            hits = tuple(f"{d.name}: every visual of {name}" for d in declared.values() if name in d.sources)
            found.append(Impact(name, "*", "dropped", "the whole report", report.file, 1, hits))
    found += [
        Impact(name, "*", "added", "a new report", report.file, 1, ())
        for name, report in after.items()
        if name not in before
    ]
    return tuple(sorted(found, key=lambda entry: (entry.report, entry.column)))


def _of_report(before: Report, after: Report, declared: Mapping[str, Dashboard]) -> Iterator[Impact]:
    old = {column.name: column for column in before.columns}
    new = {column.name: column for column in after.columns}
    gone = [name for name in old if name not in new]
    come = [name for name in new if name not in old]
    line = after.columns[0].line if after.columns else 1

    def impact(column: str, change: Change, detail: str) -> Impact:
        hits = () if change == "added" else tuple(_hits(before.name, column, declared))
        return Impact(before.name, column, change, detail, after.file, line, hits)

    for name in gone:
        # A column of the same type in the same place under another name is that column.
        twin = next(
            (
                other
                for other in come
                if new[other].type == old[name].type and _place(after, other) == _place(before, name)
            ),
            None,
        )
        if twin:
            come.remove(twin)
            yield impact(name, "renamed", f"now {twin}")
        else:
            yield impact(name, "dropped", old[name].type)
    for name in come:
        yield impact(name, "added", new[name].type)
    for name in old.keys() & new.keys():
        if old[name].type != new[name].type:
            yield impact(name, "retyped", f"{old[name].type} to {new[name].type}")
    if before.grain != after.grain:
        yield impact(before.grain, "retyped", f"grain is now {after.grain}")


def _place(report: Report, column: str) -> int:
    return [entry.name for entry in report.columns].index(column)


def _hits(report: str, column: str, declared: Mapping[str, Dashboard]) -> Iterator[str]:
    from dashboards.binding import TIME_COLUMN

    for dashboard in declared.values():
        if report in dashboard.sources:
            for user in users(dashboard, report, TIME_COLUMN.get(column, column)):
                yield f"{dashboard.name}: {user}"
