"""`penstock jobs`: long work that goes on by itself."""

import secrets
import time
from typing import Annotated, Any

import typer

from queries.commands import jobs_present, present
from queries.commands.cost import human_bytes
from queries.commands.jobs_client import JobsClient
from queries.commands.target import Target
from queries.contracts import echo

app = typer.Typer(no_args_is_help=True, add_completion=False, help="Long work that goes on by itself.")
start_app = typer.Typer(no_args_is_help=True, add_completion=False, help="Ask for a job.")
app.add_typer(start_app, name="start")

Json = Annotated[bool, typer.Option("--json", help="The result as JSON.")]
JobId = Annotated[str, typer.Argument(metavar="JOB", help="As `penstock jobs list` names it.")]
Wait = Annotated[bool, typer.Option("--wait", help="Show its progress until it is over.")]
Key = Annotated[
    str | None,
    typer.Option("--key", help="Makes the same request the same job, however often it is sent."),
]
POLL_SECONDS = 1.0


class JobFailedError(RuntimeError):
    """A job that was waited for did not succeed; the text says how far it came."""


@start_app.command("backfill")
def start_backfill(
    context: typer.Context,
    report: Annotated[str, typer.Argument(help="The report.")],
    *,
    first: Annotated[str, typer.Option("--from", help="First partition, like 2026-11-24-10 or 2026-11-24.")],
    last: Annotated[str, typer.Option("--to", help="Last partition, included.")],
    force: Annotated[bool, typer.Option("--force", help="Also what would not change.")] = False,
    key: Key = None,
    wait: Wait = False,
    as_json: Json = False,
) -> None:
    """Compute a report's partitions again, also when this computer is off."""
    target: Target = context.obj
    client = _client(target)
    request = {"kind": "backfill", "report": report, "from": first, "to": last, "force": force}
    made = client.start(request, key or secrets.token_hex(16))
    takes = made["expected"]
    echo(
        f"{takes['partitions']} partitions ({takes['unchanged']} more are unchanged), "
        f"{takes['statements']} statements, {'about' if takes['measured'] else 'at most'} "
        f"{human_bytes(takes['bytes_scanned'])} scanned, ${takes['dollars']:.4f}",
        err=True,
    )
    _started(client, made, wait=wait, as_json=as_json or target.json)


@start_app.command("import")
def start_import(
    context: typer.Context,
    *,
    prefix: Annotated[str, typer.Option(help="Of the files in the inbox, like flights/2013/.")],
    source: Annotated[str, typer.Option(help="The source that says what the rows are.")],
    key: Key = None,
    wait: Wait = False,
    as_json: Json = False,
) -> None:
    """Bring the files of the deployment's inbox into the lake, also when this computer is off."""
    target: Target = context.obj
    client = _client(target)
    request = {"kind": "import", "prefix": prefix, "source": source}
    made = client.start(request, key or secrets.token_hex(16))
    takes = made["expected"]
    echo(f"{takes['files']} files, {human_bytes(takes['file_bytes'])}", err=True)
    _started(client, made, wait=wait, as_json=as_json or target.json)


@app.command("list")
def list_jobs(
    context: typer.Context,
    limit: Annotated[int, typer.Option(min=1, max=100, help="At most so many jobs.")] = 20,
    as_json: Json = False,
) -> None:
    """The newest jobs."""
    target: Target = context.obj
    found = _client(target).newest(limit)
    is_json = as_json or target.json
    present.show(found if is_json else [jobs_present.row(job) for job in found], as_json=is_json)


@app.command("show")
def show_job(context: typer.Context, job: JobId, wait: Wait = False, as_json: Json = False) -> None:
    """One job: its steps, each with state, input, outcome, duration and lines of the log."""
    target: Target = context.obj
    client, is_json = _client(target), as_json or target.json
    if wait:
        _follow(client, job, as_json=is_json)
        return
    found, told = client.show(job), client.steps(job)
    if is_json:
        present.show_one(found | told, as_json=True)
        return
    echo(jobs_present.described(found))
    for line in jobs_present.step_lines(told["steps"], told["lines"]):
        echo(line)


@app.command("watch")
def watch_jobs(
    context: typer.Context,
    job: Annotated[
        str | None, typer.Argument(metavar="[JOB]", help="Until it is over; every job without it.")
    ] = None,
    timeout: Annotated[
        float, typer.Option(min=1, help="Give up when nothing has answered for this many seconds.")
    ] = 600,
    as_json: Json = False,
) -> None:
    """Jobs, and each change of one as soon as it happens; the deployment is not asked again and again."""
    from queries.commands.watch_cli import watched

    target: Target = context.obj
    state = watched(target, job, as_json=as_json or target.json, patience=timeout)
    if state != "SUCCEEDED":
        raise JobFailedError(f"Job {job} is {state}. See: penstock jobs show {job}")


@app.command("cancel")
def cancel_job(context: typer.Context, job: JobId, as_json: Json = False) -> None:
    """Begin nothing more of a job. What runs is finished, and what is done stays done."""
    _change(context.obj, job, "cancel", as_json)


@app.command("retry")
def retry_job(context: typer.Context, job: JobId, as_json: Json = False) -> None:
    """Do what a job left undone: what failed, and what it never began."""
    _change(context.obj, job, "retry", as_json)


def _started(client: JobsClient, made: dict[str, Any], *, wait: bool, as_json: bool) -> None:
    if wait:
        _follow(client, made["job_id"], as_json=as_json)
    else:
        present.show_one(made, as_json=as_json)


def _change(target: Target, job: str, verb: str, as_json: bool) -> None:
    found = _client(target).change(job, verb)
    if as_json or target.json:
        present.show_one(found, as_json=True)
    else:
        echo(jobs_present.described(found))


def _follow(client: JobsClient, job_id: str, *, as_json: bool) -> None:
    """Show progress until the job is over. Raises JobFailedError unless it has succeeded then."""
    job = client.show(job_id)
    progress = present.progress_bar(job["partitions"])
    while not job["ended_at"]:
        progress(jobs_present.partitions_done(job))
        time.sleep(POLL_SECONDS)
        job = client.show(job_id)
    progress(jobs_present.partitions_done(job))
    if as_json:
        present.show_one(job, as_json=True)
    else:
        echo(jobs_present.described(job))
    if job["state"] != "SUCCEEDED":
        raise JobFailedError(f"Job {job_id} is {job['state']}. See: penstock jobs show {job_id}")


def _client(target: Target) -> JobsClient:
    url = target.jobs_url  # and the environment points at the target from here on
    from queries.engine.aws_session import aws_session

    session: Any = aws_session()
    return JobsClient(url, session.get_credentials(), session.region_name or target.region)
