"""The data catalog: Glue's databases, tables and partitions, as the compiler and the reader ask for them."""

from collections.abc import Iterator, Sequence
from typing import Any

from botocore.exceptions import ClientError

from infra.local.athena.errors import QueryError
from infra.local.athena.layout import is_view, layout_of, view_sql
from infra.local.athena.sql.tables import Table, TableColumn, View
from infra.local.athena.sql.types import VARCHAR

CATALOG = "awsdatacatalog"


class GlueCatalog:
    """Looks names up in Glue. One for each execution: what it has seen once stays as it was."""

    def __init__(self, glue: Any) -> None:
        self.glue = glue
        self._seen: dict[tuple[str, str], Any] = {}

    def find(self, parts: Sequence[str], database: str, place: tuple[int, int] = (0, 0)) -> Table | View:
        """The table or view that a name of one to three parts means. Raises QueryError."""
        names = [part.lower() for part in parts]
        if len(names) == 3 and names[0] != CATALOG:
            raise QueryError(
                "CATALOG_NOT_FOUND", f"Catalog '{names[0]}' does not exist. Use {CATALOG}.", *place
            )
        schema, name = (names[-2], names[-1]) if len(names) > 1 else (database.lower(), names[-1])
        if not schema:
            raise QueryError(
                "MISSING_SCHEMA_NAME", "Schema must be specified when session schema is not set", *place
            )
        found = self.table(schema, name)
        if found is None:
            what = f"Table '{CATALOG}.{schema}.{name}' does not exist"
            if not self.has_database(schema):
                raise QueryError("SCHEMA_NOT_FOUND", f"Schema '{schema}' does not exist", *place)
            raise QueryError("TABLE_NOT_FOUND", what, *place)
        if is_view(found):
            sql, inside = view_sql(found)
            return View(CATALOG, inside, name, sql)
        layout = layout_of(found)
        columns = [TableColumn(n, t) for n, t in layout.columns]
        columns += [TableColumn(n, t, partition=True) for n, t in layout.partitions]
        return Table(CATALOG, schema, name, (*columns, TableColumn("$path", VARCHAR, hidden=True)), layout)

    def table(self, database: str, name: str) -> dict[str, Any] | None:
        """Glue's own entry, or None. Raises QueryError when neither statement nor session names a schema."""
        if not database:
            raise QueryError("MISSING_SCHEMA_NAME", "Schema must be specified when session schema is not set")
        key = (database, name)
        if key not in self._seen:
            try:
                self._seen[key] = self.glue.get_table(DatabaseName=database, Name=name)["Table"]
            except ClientError as error:
                if error.response["Error"]["Code"] != "EntityNotFoundException":
                    raise
                return None
        found: dict[str, Any] = self._seen[key]
        return found

    def forget(self) -> None:
        """Look everything up again: the catalog was changed."""
        self._seen.clear()

    def has_database(self, name: str) -> bool:
        """Whether the database exists."""
        try:
            self.glue.get_database(Name=name)
        except ClientError:
            return False
        return True

    def databases(self) -> list[str]:
        """Names of all databases, sorted."""
        return sorted(d["Name"] for page in self._pages("get_databases") for d in page["DatabaseList"])

    def tables(self, database: str) -> list[dict[str, Any]]:
        """Glue's entries of a database, by name."""
        found = [t for page in self._pages("get_tables", DatabaseName=database) for t in page["TableList"]]
        return sorted(found, key=lambda table: table["Name"])

    def partitions(self, database: str, name: str) -> list[dict[str, Any]]:
        """Every registered partition, without its columns, which nobody asks for. Filtering is the caller's: not
        every catalog honours an Expression.
        """
        asked = {"DatabaseName": database, "TableName": name, "ExcludeColumnSchema": True}
        pages = self._pages("get_partitions", **asked)
        return [partition for page in pages for partition in page["Partitions"]]

    def _pages(self, operation: str, **arguments: Any) -> Iterator[dict[str, Any]]:
        call = getattr(self.glue, operation)
        token = None
        while True:
            page = call(**arguments, **({"NextToken": token} if token else {}))
            yield page
            token = page.get("NextToken")
            if not token:
                return
