"""Who sees which rows of a report: the rules of the project's dashboards, as QuickSight applies them (pure).

The rules are read from the declarations that QuickSight's datasets are made of. A deploy has checked them.
"""

import tomllib
from collections.abc import Mapping, Set
from dataclasses import dataclass
from importlib.resources.abc import Traversable
from typing import Literal

from queries.api.callers import Caller
from queries.contracts import file_text

Access = Literal["all", "some", "none"]


@dataclass(frozen=True)
class RowRule:
    """Group -> the values of `column` that it sees; no values mean every row."""

    column: str
    groups: Mapping[str, tuple[str, ...]]

    def values(self, groups: Set[str]) -> frozenset[str] | None:
        """Whose rows somebody in these groups sees, of all the groups together; None: every row."""
        mine = [values for group, values in self.groups.items() if group in groups]
        if not all(mine):
            return None
        return frozenset(value for values in mine for value in values)


@dataclass(frozen=True)
class Seen:
    """What a caller sees of a report: all rows, or those whose `column` has one of `values`."""

    column: str = ""
    values: frozenset[str] | None = None

    @property
    def access(self) -> Access:
        """In one word."""
        if self.values is None:
            return "all"
        return "some" if self.values else "none"


def seen(rule: RowRule | None, caller: Caller) -> Seen:
    """What the caller sees. A program that signs with IAM belongs to no group and sees every row."""
    if rule is None or caller.is_program:
        return Seen()
    return Seen(rule.column, rule.values(caller.groups))


def read_rules(folder: Traversable) -> Mapping[str, RowRule]:
    """The rule of each report that has one, from a folder of dashboards. Raises ValueError for a bad file."""
    if not folder.is_dir():
        return {}
    files = sorted(
        (file for file in folder.iterdir() if file.name.endswith(".toml")), key=lambda file: file.name
    )
    texts = (file_text(file.read_bytes(), file.name) for file in files)
    return {name: rule for text in texts for name, rule in rules_of(text).items()}


def rules_of(text: str) -> Mapping[str, RowRule]:
    """The rules of one dashboard, by report."""
    reports = tomllib.loads(text).get("report", {})
    return {
        name: RowRule(
            source["rls"]["column"],
            {group: tuple(values) for group, values in source["rls"]["groups"].items()},
        )
        for name, source in reports.items()
        if "rls" in source
    }
