"""`penstock import`."""

import hashlib
import json as json_text
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from infra.command.exits import Exit
from infra.command.progress import Steps
from producers.contracts import echo, printable

if TYPE_CHECKING:
    from infra.command.target import Target
    from infra.importing.run import Pool
    from infra.importing.session import Outcome, Places
    from producers.sources.definition import SourceDefinition
    from transforms.contracts import LakeTable
    from transforms.importing.rows import Sender

STATE = Path(".penstock") / "imports"
FEW_EVENTS = 20_000
"""Fewer are written by the command's own process: others take longer to start."""
OnChange = Literal["keep", "replace"]
_KEPT = {"keep": "which keeps what it has", "replace": "which has them now"}
SHOWN = 10
"""Corrected rows that are named."""


def import_files(
    context: typer.Context,
    files: Annotated[list[str], typer.Argument(help="CSV, NDJSON or Parquet; plain or gzip.")],
    source: Annotated[str, typer.Option(help="The source that says what the rows are.")],
    stream: Annotated[str | None, typer.Option(help="Only if the source is of this stream.")] = None,
    state: Annotated[Path, typer.Option(help="Folder that remembers imports that have not ended.")] = STATE,
    processes: Annotated[int, typer.Option(help="Processes that make lake objects.", min=1)] = 2,
    on_change: Annotated[
        OnChange,
        typer.Option(help="What becomes of a row that says something else than the lake: see the docs."),
    ] = "keep",
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Write nothing: validate every row, and list the reasons.")
    ] = False,
    json: Annotated[bool, typer.Option("--json", help="One JSON object on stdout.")] = False,
) -> None:
    """Bring the events of files into the lake, past the stream: history of any age and length.

    Rows are validated and enriched as on the stream. Importing the same rows again changes nothing, whichever
    file they stand in. After any end the same command goes on where the last one was. Exits with 3 when rows
    are not events, or say something else than the lake.
    """
    from infra.importing.session import Session
    from producers.sources.definition import find_source
    from producers.sources.reader import SourceReader

    target: Target = context.obj
    tables = target.project.tables.values()
    definition = find_source(target.project.sources, source)
    table = next((each for each in tables if each.stream.name == definition.stream), None)
    if table is None or (stream is not None and stream != definition.stream):
        known = ", ".join(each.stream.name for each in tables)
        raise definition.error(
            f"The source is of stream {definition.stream!r}, which is not "
            f"{stream or f'one of the streams: {known}'}.",
            definition.line_of("stream"),
        )
    as_json = json or target.json
    if dry_run:
        _dry_run(definition, table, files, state, as_json=as_json)
        return
    places = _places(target, table, processes)
    now_ms = time.time_ns() // 1_000_000
    head = {"producer_id": f"import-{definition.name}"[:64], "epoch": now_ms, "arrival_ms": now_ms}
    steps = Steps()
    with steps.step(f"Importing {len(files)} file{'s' if len(files) > 1 else ''}") as detail:
        folder = state / _name(definition, files, on_change)
        session = Session(folder, places, _Told(detail), on_change=on_change)
        with SourceReader(definition, table.stream) as reader:
            outcome = session.run(reader, definition.name, files, head)
    facts = _facts(outcome)
    if as_json:
        echo(json_text.dumps(facts))
    else:
        echo("\n".join(map(printable, _said(outcome, files, on_change))))
    if outcome.failures or outcome.totals.failed or outcome.corrections:
        raise typer.Exit(Exit.UNBALANCED)


def _dry_run(
    definition: "SourceDefinition", table: "LakeTable", files: Sequence[str], state: Path, *, as_json: bool
) -> None:
    """Say what an import would find. Asks no target: it works before anything is deployed."""
    from infra.importing.trial import try_files
    from producers.commands.unreadable_reasons import reason_lines
    from producers.sources.reader import SourceReader

    steps = Steps()
    reading = f"Reading {len(files)} file{'s' if len(files) > 1 else ''}"
    with steps.step(reading) as detail, SourceReader(definition, table.stream) as reader:
        trial = try_files(reader, files, state, _Told(detail))
    found = [each.as_dict() for each in trial.files]
    if as_json:
        facts = {"events": trial.events, "failed": trial.failures, "hours": trial.hours, "files": found}
        echo(json_text.dumps({**facts, "dry_run": True}))
    else:
        echo(f"{trial.events:,} events of {trial.hours:,} hours. Nothing was written.")
        for each in found:
            echo(
                printable(f"{each['file']}: {each['events']:,} events, {each['failed']:,} rows that are not")
            )
            if reasons := each.get("unreadable_reasons"):
                echo(reason_lines(reasons))
    if trial.failures:
        raise typer.Exit(Exit.UNBALANCED)


class _Told:
    """Says how far the import is: rows while files are read, then hours and the time that is left."""

    def __init__(self, detail: Any) -> None:
        self._detail, self._began = detail, time.monotonic()
        self._writing_since: float | None = None

    def __call__(self, found: Any) -> None:
        now = time.monotonic()
        if hasattr(found, "hours"):
            self._writing_since = self._writing_since or now
            spent = now - self._writing_since
            left = f", {spent / found.hours * (found.of - found.hours):,.0f} s left" if spent > 1 else ""
            self._detail(
                f"{found.hours:,} of {found.of:,} hours, {found.totals.landed:,} events written{left}"
            )
        else:
            rate = found.events / max(now - self._began, 0.001)
            self._detail(f"{found.events:,} events read, {rate:,.0f}/s")


def _places(target: "Target", table: "LakeTable", processes: int) -> "Places":
    from infra.importing.here import Here
    from infra.importing.notices import send
    from infra.importing.session import Places
    from infra.importing.workers import Processes, Setup
    from transforms.failed.s3_bucket import S3Objects
    from transforms.gate.gate import Gate
    from transforms.importing.rows import RowMaker
    from transforms.target import deployed_keys

    key_id, key = next(iter(deployed_keys(target, table.stream.name).items()))
    sqs, bucket = target.client("sqs"), target.lake_bucket
    maker = RowMaker(table, Gate(table, key_id=key_id, key=key))

    def pool(sender: "Sender", events: int) -> "Pool":
        setup = Setup(target.project.file, bucket, table.name, key_id, key, sender)
        if events < FEW_EVENTS:
            return Here(setup.writer(target.client("s3")))
        return Processes(setup, processes)

    def notify(keys: Sequence[str]) -> None:
        send(sqs, target.queue_url, bucket, keys)

    return Places(
        S3Objects(target.client("s3"), bucket),
        table,
        maker,
        pool,
        notify,
    )


def _name(definition: "SourceDefinition", files: Sequence[str], on_change: str) -> str:
    """The import's folder: the same for the same files as they are now, the same source and option."""
    source = f"{definition.stream}\n{definition.name}\n{definition.version}"
    digest = hashlib.sha256((source if on_change == "keep" else f"{source}\n{on_change}").encode())
    for file in files:
        found = Path(file).stat()
        digest.update(f"\n{Path(file).resolve()}\n{found.st_size}\n{found.st_mtime_ns}".encode())
    return f"{definition.name}-{digest.hexdigest()[:16]}"


def _facts(outcome: "Outcome") -> dict[str, Any]:
    totals = outcome.totals
    return {
        "events": outcome.read.events,
        "landed": totals.landed,
        "already_there": totals.settled,
        "copies": totals.copies,
        "failed": totals.failed + outcome.failures,
        "failed_before": outcome.failures_known,
        "left_out": outcome.read.left_out,
        "dropped": outcome.read.undelivered,
        "corrections": len(outcome.corrections),
        "corrected_rows": [list(place) for place in outcome.corrections[:SHOWN]],
        "hours": outcome.hours,
        "objects": totals.objects,
        "bytes": totals.bytes,
        "producer_id": outcome.producer_id,
        "epoch": outcome.epoch,
    }


def _said(outcome: "Outcome", files: Sequence[str], on_change: str) -> list[str]:
    facts = _facts(outcome)
    lines = [
        f"{facts['events']:,} events of {facts['hours']:,} hours: {facts['landed']:,} new in "
        f"{facts['objects']:,} objects, {facts['already_there']:,} in the lake already, "
        f"{facts['copies']:,} given more than once."
    ]
    if facts["failed"]:
        lines.append(f"{facts['failed']:,} rows are not events. See them with: penstock failed list")
    if facts["corrections"]:
        rows = ", ".join(f"{files[place.file]}:{place.row}" for place in outcome.corrections[:SHOWN])
        lines.append(
            f"{facts['corrections']:,} rows say something else than the lake, {_KEPT[on_change]}: {rows}"
        )
    if facts["landed"]:
        lines.append("Reports follow. Wait for them with: penstock reports refresh --wait")
    return lines
