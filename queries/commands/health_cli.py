"""`penstock reports health`: a thin shell over `queries.commands.health`."""

from typing import Annotated

import typer

from queries.commands.health import health_sql, table_of
from queries.commands.target import Target
from queries.contracts import echo


def health(
    context: typer.Context,
    stream: Annotated[
        str | None, typer.Option("--stream", help="The stream; needed where there are several.")
    ] = None,
) -> None:
    """Print the SQL of a report on one stream's health: events, duplicates, late ones and lag by hour.

    Keep it in a file of the project's folder of reports, under the report's name.
    """
    target: Target = context.obj
    name, sql = health_sql(table_of(target.project.tables, stream))
    echo(sql, end="")
    echo(f"Keep it as {target.project.folders.reports / name}.sql", err=True)
