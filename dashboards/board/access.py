"""Row-level security as a viewer meets it: the emitted rules, applied as QuickSight documents them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from dashboards.expressions.duckdb_sql import literal, quoted

OWNER, NOBODY = "owner", "not listed"
Viewer = str | frozenset[str]
"""Whom a page is seen as: the owner, a group, somebody not listed; or a member of all these groups."""


@dataclass(frozen=True)
class Rules:
    """The rules of a dataset: the table that holds them, and the columns that they restrict."""

    data_set: str
    table: str
    columns: tuple[str, ...]


def rules_arn(properties: Mapping[str, Any]) -> str:
    """ARN of the rules dataset of an emitted dataset; empty when everybody sees every row."""
    for table in properties.get("SemanticModelConfiguration", {}).get("TableMap", {}).values():
        configuration = table.get("RowLevelPermissionConfiguration", {}).get("RowLevelPermissionDataSet", {})
        if configuration.get("Status") == "ENABLED":
            return str(configuration["Arn"])
    return ""


def condition(rules: Rules, viewer: Viewer) -> str | None:
    """The SQL condition on a dataset's rows for a viewer: owner, a group or several, or somebody not listed.

    An owner of the dataset bypasses the rules; NULL in a rule stands for every value; a viewer without a
    rule sees
    nothing.
    """
    if viewer == OWNER:
        return None
    matches = [
        f"(r.{quoted(column)} IS NULL OR list_contains(string_split(r.{quoted(column)}, ','), "
        f"CAST({quoted(rules.data_set)}.{quoted(column)} AS VARCHAR)))"
        for column in rules.columns
    ]
    groups = ", ".join(literal(name) for name in ([viewer] if isinstance(viewer, str) else sorted(viewer)))
    wanted = " AND ".join([f"r.GroupName IN ({groups or 'NULL'})", *matches])
    return f"EXISTS (SELECT 1 FROM {quoted(rules.table)} r WHERE {wanted})"  # noqa: S608


def viewers(groups: Sequence[str]) -> list[str]:
    """Whom the page can be seen as."""
    return [OWNER, *sorted(set(groups)), NOBODY] if groups else [OWNER]
