"""`penstock produce`: events from the simulator, from files and from a pipe. Thin over the library."""

from collections.abc import Callable, Iterable
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from enum import IntEnum
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

import typer

from producers.commands.interruption import Interruption
from producers.commands.run import Run, told
from producers.commands.streams import declared_stream
from producers.commands.target import Target, own_target
from producers.commands.verifying import verify as read_back
from producers.contracts import echo
from producers.simulation.simulator import Simulation
from producers.spool.survey import spool_folders, survey

T = TypeVar("T")

app = typer.Typer(no_args_is_help=True, help="Send events: simulated, from a file, from a pipe.")


spool_app = typer.Typer(no_args_is_help=True, help="What lies in a spool: list it, send it.")
app.add_typer(spool_app, name="spool")


class Exit(IntEnum):
    """What exit codes mean here, besides 0 and the command's own."""

    BAD_EVENTS = 3
    NOT_DELIVERED = 75
    INTERRUPTED = 130
    TERMINATED = 143


StreamOption = Annotated[
    str | None,
    typer.Option("--stream", help="Which of the project's streams; needed where there are several."),
]
StreamName = Annotated[
    str | None, typer.Option(help="Kinesis stream, or delivery stream; the deployed one unless given.")
]
Framing = Annotated[
    Literal["kpl", "lines", "none"], typer.Option(help="How events are packed into Kinesis records.")
]
Ordering = Annotated[Literal["key", "none"], typer.Option(help="key: no event overtakes another of its key.")]
Rate = Annotated[float | None, typer.Option(help="Events per second; unlimited unless given.", min=0.001)]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Send nothing: validate, count, forecast the bill.")]
Out = Annotated[Path | None, typer.Option(help="With --dry-run: file for the records, one per line.")]
SpoolFolder = Annotated[Path | None, typer.Option("--spool", help="Folder that keeps what is not delivered.")]
DeadLetter = Annotated[Path | None, typer.Option(help="File for events that cannot be sent.")]
SpoolArgument = Annotated[Path, typer.Argument(help="Folder of the spool.", exists=True, file_okay=False)]
HourPacing = Annotated[
    bool,
    typer.Option(
        "--hour-pacing/--no-hour-pacing",
        help="Send no more event hours at a time than the delivery stream holds open.",
    ),
]
SourceName = Annotated[
    str | None,
    typer.Option("--source", help="Source of the project that reads the files: a SQL file in sources/."),
]
AsJson = Annotated[bool, typer.Option("--json", help="The summary as JSON.")]


@app.callback()
def produce(context: typer.Context) -> None:
    """Send events: simulated, from a file, from a pipe."""
    if context.obj is None:
        context.obj = own_target()


@app.command()
def simulate(
    context: typer.Context,
    count: Annotated[int, typer.Option(help="Distinct records, malformed ones included.", min=1)] = 10_000,
    seed: Annotated[int, typer.Option(help="The same seed and options give the same events.")] = 1,
    start: Annotated[
        datetime | None, typer.Option(help="Time of the first event, UTC; --span before now unless given.")
    ] = None,
    span: Annotated[
        float, typer.Option(help="Hours of traffic that the events are spread over.", min=0.01)
    ] = 3.0,
    late: Annotated[float, typer.Option(help="Share of events that are late.", min=0, max=1)] = 0.01,
    duplicate: Annotated[
        float, typer.Option(help="Share of events that are sent twice.", min=0, max=1)
    ] = 0.01,
    malformed: Annotated[
        float, typer.Option(help="Share of records that are damaged.", min=0, max=1)
    ] = 0.002,
    rate: Rate = None,
    framing: Framing = "kpl",
    ordering: Ordering = "none",
    stream: StreamOption = None,
    stream_name: StreamName = None,
    dry_run: DryRun = False,
    out: Out = None,
    spool: SpoolFolder = None,
    hour_pacing: HourPacing = True,
    as_json: AsJson = False,
) -> None:
    """Seeded traffic: sessions that browse, fill carts and order; some events late, twice or damaged."""
    length = timedelta(hours=span)
    begin = start.replace(tzinfo=UTC) if start else datetime.now(UTC).replace(microsecond=0) - length
    stop = Interruption()
    run = Run(
        _target(context, as_json),
        stream_name,
        framing,
        ordering,
        dry_run,
        out,
        spool,
        None,
        stop,
        hour_pacing,
        stream,
    )
    simulation = Simulation(run.stream, seed, count, begin, length, late, duplicate, malformed)
    _each([simulation], lambda given: run.simulate(given, rate), run, stop)


@app.command()
def replay(
    context: typer.Context,
    files: Annotated[list[str], typer.Argument(help="NDJSON, CSV, Parquet, access log; plain or gzip.")],
    form: Annotated[
        Literal["ndjson", "csv", "parquet", "access-log"] | None,
        typer.Option("--format", help="What is in the file; auto-detected unless given."),
    ] = None,
    source: SourceName = None,
    speed: Annotated[str, typer.Option(help="max, or a factor of the original timing: 1x, 10x.")] = "max",
    rate: Rate = None,
    resume: Annotated[
        Path | None, typer.Option(help="File that remembers how far the replay got, to go on from there.")
    ] = None,
    framing: Framing = "kpl",
    ordering: Ordering = "none",
    stream: StreamOption = None,
    stream_name: StreamName = None,
    dry_run: DryRun = False,
    out: Out = None,
    spool: SpoolFolder = None,
    dead_letter: DeadLetter = None,
    hour_pacing: HourPacing = True,
    as_json: AsJson = False,
) -> None:
    """Events of files, their times kept. Replaying a file again sends the same event ids."""
    stop, factor = Interruption(), _factor(speed)
    run = Run(
        _target(context, as_json),
        stream_name,
        framing,
        ordering,
        dry_run,
        out,
        spool,
        dead_letter,
        stop,
        hour_pacing,
        stream,
    )
    _read_with(run, source, form, files)
    _each(files, lambda path: run.replay(path, form, factor, rate, resume), run, stop)


@app.command()
def tail(
    context: typer.Context,
    pipe: Annotated[str, typer.Argument(help="- for standard input.")] = "-",
    form: Annotated[
        Literal["ndjson", "csv", "access-log"] | None, typer.Option("--format", help="As in replay.")
    ] = None,
    source: SourceName = None,
    framing: Framing = "kpl",
    ordering: Ordering = "none",
    stream: StreamOption = None,
    stream_name: StreamName = None,
    spool: SpoolFolder = None,
    dead_letter: DeadLetter = None,
    hour_pacing: HourPacing = True,
    as_json: AsJson = False,
) -> None:
    """Events from a pipe, each sent within a tenth of a second."""
    stop = Interruption()
    run = Run(
        _target(context, as_json),
        stream_name,
        framing,
        ordering,
        False,
        None,
        spool,
        dead_letter,
        stop,
        hour_pacing,
        stream,
    )
    _read_with(run, source, form, [])
    _each([pipe], lambda path: run.replay(path, form, None, None, None), run, stop)


@app.command()
def verify(
    context: typer.Context,
    stream: StreamOption = None,
    stream_name: StreamName = None,
    as_json: AsJson = False,
) -> None:
    """Read the stream: take records apart, check their digests, find events in foreign shards."""
    target = _target(context, as_json)
    declared = declared_stream(target.streams, stream)
    if declared.is_direct:
        raise typer.BadParameter(
            f"{declared.name} goes straight to Firehose: nothing can be read again.", param_hint="--stream"
        )
    findings = read_back(target.client("kinesis"), stream_name or target.entrance(declared.name))
    echo(told(target, asdict(findings)))
    if not findings.is_sound:
        raise typer.Exit(Exit.BAD_EVENTS)


@spool_app.command("list")
def list_spools(context: typer.Context, folder: SpoolArgument, as_json: AsJson = False) -> None:
    """What lies in a spool folder and in those that forked processes left below it. Only reads."""
    target = _target(context, as_json)
    found = {str(path): survey(path) for path in spool_folders(folder)}
    shown = {path: asdict(held) if target.json else str(held) for path, held in found.items()}
    echo(told(target, shown))


@spool_app.command()
def drain(
    context: typer.Context,
    folder: SpoolArgument,
    stream: StreamOption = None,
    stream_name: StreamName = None,
    framing: Framing = "kpl",
    as_json: AsJson = False,
) -> None:
    """Send what lies in a spool folder."""
    stop = Interruption()
    run = Run(_target(context, as_json), stream_name, framing, "none", interruption=stop, stream=stream)
    _each(spool_folders(folder), run.drain, run, stop)


def _read_with(run: Run, source: str | None, form: str | None, files: list[str]) -> None:
    if source is None:
        return
    if form is not None:
        raise typer.BadParameter("The source says what the format is. Leave it out.", param_hint="--format")
    run.read_with(source, files)


def _target(context: typer.Context, as_json: bool) -> Target:
    target: Target = context.obj
    if as_json:
        target.json = True
    return target


def _factor(speed: str) -> float | None:
    if speed == "max":
        return None
    try:
        factor = float(speed.removesuffix("x"))
    except ValueError:
        factor = 0.0
    if factor <= 0:
        raise typer.BadParameter(
            f"{speed!r} is neither max nor a factor such as 1x or 10x.", param_hint="--speed"
        )
    return factor


def _each(given: Iterable[T], one: Callable[[T], dict[str, Any]], run: Run, stop: Interruption) -> None:
    """One after the other, each with its summary; the exit code tells the worst.

    A signal ends the run as soon as what was taken is delivered or spooled; nothing further is begun.
    """
    has_bad = False
    with stop.installed():
        for each in given:
            try:
                summary = one(each)
            except KeyboardInterrupt:
                raise typer.Exit(stop.exit_code) from None
            echo(told(run.target, summary))
            if stop.signal_number is not None:
                raise typer.Exit(stop.exit_code)
            if summary["pending"]:
                raise typer.Exit(Exit.NOT_DELIVERED)
            has_bad |= any(map(summary.get, ("unreadable", "dead_lettered", "hours_exceeded")))
    if has_bad:
        raise typer.Exit(Exit.BAD_EVENTS)
