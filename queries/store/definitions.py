"""What the catalog must define before anything can be read: the database, its tables and its views."""

from collections.abc import Mapping, Set
from typing import Any, Protocol


class Definitions(Protocol):
    """The definitions in one database of the catalog."""

    def names(self) -> Set[str] | None:
        """Every table and view; None when the database itself is gone."""
        ...

    def create(self, tables: Mapping[str, Any], *, database: bool) -> None:
        """Create these tables (`TableInput` by name), before them the database if `database` says so.

        What somebody else created meanwhile stays as it is.
        """
        ...


def restore(definitions: Definitions, wanted: Mapping[str, Any]) -> list[str]:
    """Create what is missing of `wanted`; the names of what was missing, in order.

    What is there is left alone, also when it differs: changing a table is a deploy's business.
    """
    there = definitions.names()
    missing = {name: table for name, table in wanted.items() if there is None or name not in there}
    if missing:
        definitions.create(missing, database=there is None)
    return sorted(missing)
