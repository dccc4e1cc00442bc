"""`penstock reports`, `penstock query` and `penstock dlq`: thin shells over the library."""

import json
import time
from dataclasses import asdict
from typing import Annotated, Any

import typer

from queries import adhoc, present
from queries.catalog import catalog
from queries.cost import billed_bytes, dollars, human_bytes
from queries.dead_letters import dead_letters, redrive
from queries.freshness import freshness, watermark
from queries.target import Target, report_service
from queries.waiting import Standing, call, refresh_until_fresh

reports_app = typer.Typer(no_args_is_help=True, add_completion=False, help="Reports and their partitions.")
dlq_app = typer.Typer(no_args_is_help=True, add_completion=False, help="The dead-letter queue.")

Json = Annotated[bool, typer.Option("--json", help="The result as JSON.")]
Name = Annotated[str, typer.Argument(metavar="REPORT", help="Name of a report.")]


@reports_app.command("list")
def list_reports(
    context: typer.Context,
    report: Annotated[str | None, typer.Argument(help="Show the partitions of this report.")] = None,
    as_json: Json = False,
) -> None:
    """How fresh each report is, or each partition of one report."""
    target: Target = context.obj
    service = report_service(target)
    names = [present.known_report(report)] if report else list(catalog())
    rows: list[dict[str, Any]] = []
    for name in names:
        declared = catalog()[name].report
        states = service.ledger.report(name)
        if report:
            rows += [present.partition_row(freshness(state, declared)) for state in states]
        else:
            found = [freshness(state, declared) for state in states]
            rows.append(present.report_row(declared, found, watermark(states, declared)))
    present.show(rows, as_json=as_json or target.json)


@reports_app.command()
def refresh(
    context: typer.Context,
    wait: Annotated[bool, typer.Option("--wait", help="Return when no partition is stale.")] = False,
    timeout: Annotated[float, typer.Option(help="With --wait: give up after this many seconds.")] = 300,
    as_json: Json = False,
) -> None:
    """Compare the lake with the reports, and make what is stale due at once."""
    target: Target = context.obj
    if not wait:
        answer = call(target.client("lambda"), target.query_function, {"penstock": "refresh", "seconds": 1})
        present.show_one(answer, as_json=as_json or target.json)
        return

    def progress(standing: Standing) -> None:
        typer.echo(
            f"{standing.partitions} partitions, {standing.stale} stale, "
            f"{standing.queued} notifications queued, {standing.published} published",
            err=True,
        )

    standing = refresh_until_fresh(
        lambda_client=target.client("lambda"),
        sqs=target.client("sqs"),
        query_function=target.query_function,
        queue_url=target.queue_url,
        timeout_seconds=timeout,
        clock=time.monotonic,
        sleep=time.sleep,
        progress=progress,
    )
    present.show_one(asdict(standing), as_json=as_json or target.json)
    if standing.quarantined:
        for partition, reason in sorted(standing.quarantined.items()):
            typer.echo(f"set aside: {partition}: {reason}", err=True)
        raise typer.Exit(1)


def query(
    context: typer.Context,
    sql: Annotated[str, typer.Argument(help="SQL in Athena's dialect; reports and lake tables by name.")],
    as_json: Json = False,
) -> None:
    """Run SQL over the lake and the reports; says what it scanned and what it costs."""
    target: Target = context.obj
    for warning in adhoc.warnings(sql):
        typer.echo(f"warning: {warning}", err=True)
    result = report_service(target, analyst=True).engine.rows(sql)
    if as_json or target.json:
        typer.echo(
            json.dumps(
                {
                    "columns": list(result.columns),
                    "rows": present.records(result),
                    "bytes_scanned": result.bytes_scanned,
                    "seconds": result.seconds,
                }
            )
        )
        return
    present.table(result.columns, result.rows)
    billed = billed_bytes(result.bytes_scanned)
    typer.echo(
        f"{len(result.rows)} rows, {human_bytes(result.bytes_scanned)} scanned, {result.seconds:.1f} s; "
        f"on AWS {human_bytes(billed)} billed, ${dollars(billed):.6f}",
        err=True,
    )


@dlq_app.command("list")
def list_dead_letters(
    context: typer.Context,
    limit: Annotated[int, typer.Option(help="At most so many messages.")] = 20,
    as_json: Json = False,
) -> None:
    """Messages that could not be read, and why."""
    target: Target = context.obj
    found = dead_letters(target.client("sqs"), target.dead_letter_queue_url, limit)
    present.show([asdict(letter) for letter in found], as_json=as_json or target.json)


@dlq_app.command("redrive")
def redrive_dead_letters(
    context: typer.Context,
    limit: Annotated[int | None, typer.Option(help="At most so many messages; all without it.")] = None,
    as_json: Json = False,
) -> None:
    """Send the messages back to the queue. What still cannot be read comes back here."""
    target: Target = context.obj
    moved = redrive(target.client("sqs"), target.dead_letter_queue_url, target.queue_url, limit=limit)
    present.show_one({"redriven": moved}, as_json=as_json or target.json)
