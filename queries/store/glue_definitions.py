"""Definitions in the Glue catalog."""

from collections.abc import Mapping, Set
from contextlib import suppress
from typing import Any


class GlueDefinitions:
    """A `Definitions`."""

    def __init__(self, glue: Any, database: str) -> None:
        self._glue, self._database = glue, database

    def names(self) -> Set[str] | None:
        """Every table and view; None when the database itself is gone. One call for a hundred of them."""
        pages = self._glue.get_paginator("get_tables").paginate(DatabaseName=self._database)
        try:
            found = {table["Name"] for page in pages for table in page["TableList"]}
            if not found:  # not every catalog refuses to list a database that it does not have
                self._glue.get_database(Name=self._database)
        except self._glue.exceptions.EntityNotFoundException:
            return None
        return found

    def create(self, tables: Mapping[str, Any], *, database: bool) -> None:
        """Create these tables, before them the database if asked."""
        if database:
            with suppress(self._glue.exceptions.AlreadyExistsException):
                self._glue.create_database(DatabaseInput={"Name": self._database})
        for table in tables.values():
            with suppress(self._glue.exceptions.AlreadyExistsException):
                self._glue.create_table(DatabaseName=self._database, TableInput=table)
