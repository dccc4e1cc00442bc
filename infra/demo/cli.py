"""`penstock demo`."""

import json as json_text
import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from infra.command.exits import Exit
from infra.command.local_cli import EnforceIam, asked
from infra.command.progress import Detail, Steps
from infra.command.target import Target
from infra.local.paths import LocalPaths
from producers.commands.streams import UnknownStreamError, declared_stream
from producers.contracts import Stream, echo, printable

if TYPE_CHECKING:
    from infra.demo.outcome import Outcome, Wanted


def demo(
    context: typer.Context,
    *,
    events: Annotated[int, typer.Option(min=1, help="How many events to simulate.")] = 20_000,
    seed: Annotated[int, typer.Option(help="The same seed gives the same events.")] = 7,
    late: Annotated[float, typer.Option(min=0, max=1, help="Share of events that arrive late.")] = 0.01,
    duplicate: Annotated[float, typer.Option(min=0, max=1, help="Share of events sent twice.")] = 0.01,
    malformed: Annotated[float, typer.Option(min=0, max=1, help="Share of events that are broken.")] = 0.002,
    files: Annotated[
        list[str] | None,
        typer.Option(
            "--from",
            metavar="[STREAM=]FILE",
            help="Replay this file instead, event times kept; one for each stream where there are several.",
        ),
    ] = None,
    source: Annotated[
        str | None,
        typer.Option(help="Source of the project that reads the files: a SQL file in sources/."),
    ] = None,
    serve: Annotated[
        bool, typer.Option("--serve", help="Open the live page, and send on until Ctrl-C.")
    ] = False,
    enforce_iam: EnforceIam = False,
    down: Annotated[bool, typer.Option("--down", help="End the local cloud afterwards.")] = False,
    json: Annotated[bool, typer.Option("--json", help="One JSON object on stdout.")] = False,
) -> None:
    """Run the whole pipeline once, on this machine, and show what comes out.

    Starts the local cloud when none is up, and leaves it up: failed records, queries and the live page go on
    working until `penstock local down`. Counts are of the events that this run sends; reports are of all.
    """
    from infra.demo.demo import run
    from infra.demo.outcome import Wanted

    target, steps = Target("local", os.environ, json=json, directory=Path.cwd()), Steps()
    wanted = _of_files(target, files or (), source) or [
        Wanted(stream, events, seed, late, duplicate, malformed) for stream in _simulated(target)
    ]
    outcome = run(wanted, target, lambda detail: _bring_up(target, enforce_iam, detail), steps)
    if json or context.obj.json:
        echo(json_text.dumps(outcome.to_json()))
    else:
        _show(target, outcome)
    if serve:
        from infra.demo.serving import send_on

        send_on(target, steps)
    if down:
        _end(target, steps)
    for partition, why in sorted(outcome.set_aside.items()):
        steps.say(f"quarantined: {partition}: {why}")
    if outcome.set_aside:
        steps.say("These report partitions are not fresh. Look at: penstock reports list")
        raise typer.Exit(Exit.FAILED)
    if not outcome.accounting.is_balanced:
        raise typer.Exit(Exit.UNBALANCED)
    if outcome.accounting.produced and not outcome.accounting.landed:
        steps.say("Not one event became a row. Look at: penstock failed list")
        raise typer.Exit(Exit.FAILED)


def _of_files(target: Target, files: Sequence[str], source: str | None) -> "list[Wanted]":
    """What is sent of the files. Raises SourceError for one that cannot be read, before anything starts."""
    from infra.demo.outcome import Wanted
    from infra.demo.producing import require_readable
    from producers.sources.definition import find_source

    if source is not None and not files:
        raise typer.BadParameter("A source reads files. Name one: --from FILE", param_hint="--source")
    definition = find_source(target.sources, source) if source is not None else None
    wanted = []
    for given in files:
        if definition is None:
            stream, file = _source(target, given)
        else:
            stream, file = definition.contract(target.streams, None), given
        if not Path(file).is_file():
            raise FileNotFoundError(2, "No such file", file)
        require_readable(file, stream, definition)
        wanted.append(Wanted(stream, file=file, source=definition))
    return wanted


def _source(target: Target, given: str) -> tuple[Stream, str]:
    """The stream and the file of one `--from`."""
    name, equals, file = given.partition("=")
    if equals and name in target.streams:
        return target.streams[name], file
    return declared_stream(target.streams, None), given


def _simulated(target: Target) -> list[Stream]:
    """The streams whose traffic can be simulated."""
    found = [stream for stream in target.streams.values() if stream.traffic is not None]
    if not found:
        raise UnknownStreamError(
            f"No stream of the project declares traffic to simulate ({', '.join(target.streams)}). "
            "Give a file of events: penstock demo --from STREAM=FILE"
        )
    return found


def _bring_up(target: Target, enforce_iam: bool, detail: Detail) -> bool:
    """Start the local cloud unless one is up that serves; whether it was started."""
    from infra.local import cloud

    paths = LocalPaths.of(target.directory)
    attached = cloud.attach(paths)
    if attached is not None and (attached.context.enforce_iam or not enforce_iam):
        return False
    cloud.up(paths, asked(enforce_iam), detail, project=target.project)
    return True


def _show(target: Target, outcome: "Outcome") -> None:
    from infra.accounting.present import findings, identity, report_tables, stream_identities
    from infra.demo.demo import evidence_places

    console = Console(highlight=False, markup=False, emoji=False)
    report_tables(evidence_places(target).engine, target.project.reports.values(), console)
    for finding in findings(outcome.accounting):
        console.print(printable(finding), style="yellow", soft_wrap=True)
    for line in stream_identities(outcome.accounting, outcome.tables):
        console.print(line, soft_wrap=True)
    style = "bold green" if outcome.accounting.is_balanced else "bold red"
    console.print(identity(outcome.accounting), style=style, soft_wrap=True)
    console.print(
        f"{outcome.events_per_second:,.0f} events a second through the whole chain; reports were fresh "
        f"{outcome.freshness_seconds:.1f} s after the last event.\n"
        f'Live page: {outcome.place}   Ask: penstock query "SELECT ..."   Stop it: penstock local down',
        soft_wrap=True,
    )


def _end(target: Target, steps: Steps) -> None:
    from infra.local import cloud

    with steps.step("Ending the local cloud") as detail:
        cloud.down(LocalPaths.of(target.directory), detail)
