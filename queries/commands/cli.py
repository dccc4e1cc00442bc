"""`penstock reports` and `penstock query`: thin shells over the library."""

import json
import time
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer

from queries.analysts import adhoc
from queries.commands import health_cli, present, sealing_cli, trials
from queries.commands.backfill_cli import compute_again
from queries.commands.cost import billed_bytes, dollars, human_bytes
from queries.commands.delivery import clock_time, wait_until_delivered
from queries.commands.target import Target, report_service
from queries.commands.waiting import Standing, call, refresh_until_fresh, told_of
from queries.contracts import echo, file_text, message, printable, report_texts
from queries.engine.port import Rows
from queries.partitions import Key
from queries.reference.versions import require_published
from queries.refresh.catalog import ReportQuery, parse_report, report_query
from queries.refresh.freshness import freshness, watermark

reports_app = typer.Typer(no_args_is_help=True, add_completion=False, help="Reports and their partitions.")

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
    queries = target.project.catalog
    wanted = [report_query(queries, report)] if report else queries.values()
    rows: list[dict[str, Any]] = []
    for found_query in wanted:
        declared = found_query.report
        states = service.ledger.report(declared.name)
        if report:
            rows += [present.partition_row(freshness(state, declared)) for state in states]
        else:
            found = [freshness(state, declared) for state in states]
            rows.append(present.report_row(declared, found, watermark(states, declared)))
    present.show(rows, as_json=as_json or target.json)


@reports_app.command()
def refresh(
    context: typer.Context,
    wait: Annotated[
        bool,
        typer.Option("--wait", help="Return when every report has all that is on the stream now."),
    ] = False,
    timeout: Annotated[float, typer.Option(help="With --wait: give up after this many seconds.")] = 600,
    accept_missing: Annotated[
        bool,
        typer.Option("--accept-missing", help="Compute quarantined and stale partitions from what is left."),
    ] = False,
    as_json: Json = False,
) -> None:
    """Compare the lake with the reports, and make what is stale due at once.

    With --wait: first wait until what was on the stream at the start is in the lake, as Firehose reports it.
    """
    target: Target = context.obj
    if accept_missing:
        request = {"penstock": "refresh", "seconds": 1, "accept_missing": True}
        answer = call(target.client("lambda"), target.query_function, request)
        if not wait:
            present.show_one(answer, as_json=as_json or target.json)
            return
    if not wait:
        answer = call(target.client("lambda"), target.query_function, {"penstock": "refresh", "seconds": 1})
        present.show_one(answer, as_json=as_json or target.json)
        return

    last = ""

    def progress(standing: Standing) -> None:
        nonlocal last
        why = f"\nwaiting: {told_of(standing.held)}" if standing.held else ""
        said = (
            f"{standing.partitions} partitions, {standing.stale} stale, "
            f"{standing.queued} notifications queued, {standing.published} published{why}"
        )
        if said != last:
            echo(said, err=True)
        last = said

    asked_at = time.time()
    until = _delivered(target, asked_at, timeout)
    standing = refresh_until_fresh(
        lambda_client=target.client("lambda"),
        sqs=target.client("sqs"),
        query_function=target.query_function,
        queue_url=target.queue_url,
        timeout_seconds=max(1.0, asked_at + timeout - time.time()),
        clock=time.monotonic,
        sleep=time.sleep,
        progress=progress,
    )
    told = {
        "asked_at": present.moment(int(asked_at * 1000)),
        "delivered_until": present.moment(int(until * 1000)),
    }
    present.show_one(told | asdict(standing), as_json=as_json or target.json)
    if standing.quarantined:
        for partition, reason in sorted(standing.quarantined.items()):
            echo(f"quarantined: {printable(partition)}: {printable(reason)}", err=True)
        raise typer.Exit(1)


def _delivered(target: Target, asked_at: float, timeout: float) -> float:
    """Wait until what is on the stream is in the lake, and say so; until when everything is."""
    last = ""

    def progress(until: float | None) -> None:
        nonlocal last
        come = "no report from Firehose" if until is None else f"the lake has all until {clock_time(until)}"
        said = f"waiting for what was on the stream at {clock_time(asked_at)}: {come}"
        if said != last and (until is None or until < asked_at):
            echo(said, err=True)
        last = said

    return min(
        wait_until_delivered(
            target.client("cloudwatch"),
            delivery_stream,
            asked_at=asked_at,
            timeout_seconds=timeout,
            now=time.time,
            sleep=time.sleep,
            progress=progress,
            reads_stream=reads_stream,
        )
        for delivery_stream, reads_stream in target.deliveries.items()
    )


Hour = Annotated[str | None, typer.Option("--hour", help="An hour, like 2026-11-24-10.")]
Day = Annotated[str | None, typer.Option("--day", help="A day, like 2026-11-24.")]
SqlFile = Annotated[Path | None, typer.Option("--sql", help="A report file that is not deployed yet.")]


@reports_app.command()
def lint(
    context: typer.Context,
    files: Annotated[
        list[Path] | None, typer.Argument(help="Report files; all deployed ones without.")
    ] = None,
    explain: Annotated[
        bool, typer.Option("--explain", help="Also ask the target's Athena, which costs nothing.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Say what is wrong with reports before they run."""
    from queries.commands.lint import Finding
    from queries.commands.lint import lint as lint_file

    target: Target = context.obj
    project = target.project
    if files:
        texts: Mapping[str, str] = {str(path): file_text(path.read_bytes(), str(path)) for path in files}
    else:
        texts = report_texts(project.folders.reports)
    findings = [
        finding
        for file, text in texts.items()
        for finding in lint_file(text, file, project.tables, project.references)
    ]
    if explain:
        engine = report_service(target).engine
        wrong = {finding.file for finding in findings}
        for file, text in texts.items():
            refused = (
                None if file in wrong else trials.validate(engine, parse_report(text, file, project.tables))
            )
            if refused:
                findings.append(Finding(file, 1, "athena", refused))
    if as_json or target.json:
        echo(json.dumps([asdict(finding) for finding in findings]))
    else:
        for finding in findings:
            echo(message(str(finding)))
        echo(f"{len(texts)} reports, {len(findings)} findings", err=True)
    if findings:
        raise typer.Exit(1)


@reports_app.command()
def run(
    context: typer.Context,
    report: Name,
    hour: Hour = None,
    day: Day = None,
    sql: SqlFile = None,
    as_json: Json = False,
) -> None:
    """Compute one partition and show its rows; nothing is published."""
    target: Target = context.obj
    found, service = _query(target, report, sql), report_service(target, analyst=True)
    require_published(service.store, found.report)
    result = trials.run(service.engine, found, _partition(found, hour, day))
    _show_rows(result, as_json=as_json or target.json)


@reports_app.command()
def diff(
    context: typer.Context,
    report: Name,
    hour: Hour = None,
    day: Day = None,
    sql: SqlFile = None,
    as_json: Json = False,
) -> None:
    """Compare what the SQL gives now with what is published; non-zero when they differ."""
    target: Target = context.obj
    found, service = _query(target, report, sql), report_service(target, analyst=True)
    require_published(service.store, found.report)
    partition = _partition(found, hour, day)
    new, old = (
        trials.run(service.engine, found, partition),
        trials.published(service.engine, report_query(target.project.catalog, report).report, partition),
    )
    differing = trials.differences(found.report, old, new)
    present.show([asdict(one) for one in differing], as_json=as_json or target.json)
    scanned = old.bytes_scanned + new.bytes_scanned
    echo(f"{len(differing)} rows differ; {human_bytes(scanned)} scanned", err=True)
    if differing:
        raise typer.Exit(1)


@reports_app.command()
def backfill(
    context: typer.Context,
    report: Name,
    first: Annotated[str, typer.Option("--from", help="First hour or day.")],
    last: Annotated[str, typer.Option("--to", help="Last hour or day, included.")],
    force: Annotated[bool, typer.Option("--force", help="Also what would not change.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    timeout: Annotated[float, typer.Option(help="Give up waiting after this many seconds.")] = 3600,
    as_json: Json = False,
) -> None:
    """Compute a period again, 96 partitions in a statement. Run it again to go on after an interruption."""
    target: Target = context.obj
    service, found = report_service(target), report_query(target.project.catalog, report)
    compute_again(
        target,
        service,
        found,
        (first, last),
        words=("partitions", "up to date"),
        force=force,
        yes=yes,
        timeout=timeout,
        as_json=as_json,
    )


@reports_app.command()
def rollback(
    context: typer.Context, report: Name, hour: Hour = None, day: Day = None, as_json: Json = False
) -> None:
    """Serve the version of one partition before the current one, until new input arrives."""
    target: Target = context.obj
    service, found = report_service(target), report_query(target.project.catalog, report)
    key = Key(report, _partition(found, hour, day))
    state = service.roll_back(key)
    assert state.published is not None
    present.show_one(
        {"partition": str(key), "location": state.published.location, "rows": state.published.rows},
        as_json=as_json or target.json,
    )


reports_app.command("health")(health_cli.health)
reports_app.command("hours")(sealing_cli.hours)
reports_app.command("seal")(sealing_cli.seal)


def _query(target: Target, report: str, sql: Path | None) -> ReportQuery:
    if sql is not None:
        return parse_report(file_text(sql.read_bytes(), str(sql)), str(sql), target.project.tables)
    return report_query(target.project.catalog, report)


def _partition(query: ReportQuery, hour: str | None, day: str | None) -> str:
    wanted = hour if query.report.grain == "event_hour" else day
    if wanted is None:
        option = "--hour 2026-11-24-10" if query.report.grain == "event_hour" else "--day 2026-11-24"
        raise typer.BadParameter(f"{query.report.name} is kept by {query.report.grain}. Say which: {option}")
    return wanted


def _show_rows(result: Rows, *, as_json: bool) -> None:
    billed = billed_bytes(result.bytes_scanned)
    if as_json:
        found = {
            "columns": list(result.columns),
            "rows": present.records(result),
            "bytes_scanned": result.bytes_scanned,
            "seconds": result.seconds,
        }
        echo(json.dumps(found))
        return
    present.table(result.columns, result.rows)
    echo(
        f"{len(result.rows)} rows, {human_bytes(result.bytes_scanned)} scanned, {result.seconds:.1f} s; "
        f"on AWS {human_bytes(billed)} billed, ${dollars(billed):.6f}",
        err=True,
    )


def query(
    context: typer.Context,
    sql: Annotated[str, typer.Argument(help="SQL in Athena's dialect; reports and lake tables by name.")],
    as_json: Json = False,
) -> None:
    """Run SQL over the lake and the reports; says what it scanned and what it costs."""
    target: Target = context.obj
    for warning in adhoc.warnings(sql, target.project.tables):
        echo(f"warning: {warning}", err=True)
    _show_rows(report_service(target, analyst=True).engine.rows(sql), as_json=as_json or target.json)
