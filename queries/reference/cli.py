"""`penstock reference`: which reference tables there are, and publishing their rows."""

import time
from typing import Annotated, Any

import typer

from queries.commands import present
from queries.commands.target import Target, report_service
from queries.commands.waiting import wait_for
from queries.contracts import echo, printable
from queries.reference.declaration import ReferenceTable
from queries.reference.glue import GlueReferenceStore
from queries.reference.port import Version
from queries.reference.publishing import outdated, publish, readers, version_name
from queries.reference.reading import ReferenceDataError, data_file, read_rows

app = typer.Typer(
    no_args_is_help=True, add_completion=False, help="Reference tables, which reports join with."
)
Json = Annotated[bool, typer.Option("--json", help="The result as JSON.")]


class UnknownReferenceError(LookupError):
    """The project has no reference table of this name; the text lists those there are."""


@app.command("list")
def list_references(context: typer.Context, as_json: Json = False) -> None:
    """Each reference table: what queries read of it, whether its file has other rows, who joins it."""
    target: Target = context.obj
    store, rows = _store(target), []
    for table in target.project.references.values():
        version = store.current(table.table)
        rows.append(
            {
                "table": table.table,
                "keys": ", ".join(table.keys),
                "rows": version.rows if version else None,
                "published_at": present.moment(version.published_at) if version else None,
                "file": _state_of_file(table, version),
                "reports": ", ".join(
                    query.report.name for query in readers(table, target.project.catalog.values())
                ),
            }
        )
    present.show(rows, as_json=as_json or target.json)


@app.command("publish")
def publish_references(
    context: typer.Context,
    names: Annotated[
        list[str] | None, typer.Argument(metavar="[NAME]...", help="Which; all of them without.")
    ] = None,
    wait: Annotated[
        bool, typer.Option("--wait", help="Return when every report that joins them is fresh again.")
    ] = False,
    timeout: Annotated[float, typer.Option(help="With --wait: give up after this many seconds.")] = 600,
    as_json: Json = False,
) -> None:
    """Have queries read the rows of the project's files, and the reports that join them computed again.

    Every file is read and checked before any is published.
    """
    target: Target = context.obj
    checked = [(table, read_rows(table, data_file(table))) for table in _wanted(target, names or [])]
    store, service = _store(target), report_service(target)
    shown: list[dict[str, Any]] = []
    for table, rows in checked:
        done = publish(table, rows, store, lambda: time.time_ns() // 1_000_000)
        # Marked also where the rows are as before: whoever moved the pointer may have ended right after it.
        stale = outdated(table, done.version, service.queries, service.ledger)
        service.refresher.mark(stale, at_once=True)
        shown.append(
            {
                "table": table.table,
                "version": done.version.name,
                "rows": done.version.rows,
                "published": done.is_new,
                "reports": sorted({key.report for key in stale}),
                "partitions": len(stale),
            }
        )
        if wait:
            standing = wait_for(
                stale,
                ledger=service.ledger,
                lambda_client=target.client("lambda"),
                query_function=target.query_function,
                timeout_seconds=timeout,
                clock=time.monotonic,
                sleep=time.sleep,
                progress=present.progress_bar(len(stale)),
            )
            shown[-1]["quarantined"] = standing["quarantined"]
            for partition, reason in sorted(standing["quarantined"].items()):
                echo(f"quarantined: {printable(partition)}: {printable(reason)}", err=True)
    if as_json or target.json:
        present.show(shown, as_json=True)
    else:
        present.show([each | {"reports": ", ".join(each["reports"])} for each in shown], as_json=False)
    if any(each.get("quarantined") for each in shown):
        raise typer.Exit(1)


def _state_of_file(table: ReferenceTable, version: Version | None) -> str:
    try:
        rows = read_rows(table, data_file(table))
    except ReferenceDataError:
        return "refused; publish says why"
    if version is None:
        return "not published"
    return "published" if version.name == version_name(rows) else "changed"


def _wanted(target: Target, names: list[str]) -> list[ReferenceTable]:
    known = target.project.references
    if unknown := next((name for name in names if name not in known), None):
        said = ", ".join(known) or "none; declare one in reference/NAME.toml"
        raise UnknownReferenceError(f"There is no reference table {unknown!r}. There are: {said}.")
    return [known[name] for name in names or known]


def _store(target: Target) -> GlueReferenceStore:
    return GlueReferenceStore(
        target.client("s3"),
        target.client("glue"),
        bucket=target.reporting_bucket,
        database=target.database,
    )
