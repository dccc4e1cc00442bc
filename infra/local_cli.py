"""`penstock local`: start, end, empty and look at the local cloud."""

import json as json_text
import os
import shlex
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from infra.exits import Exit
from infra.local.paths import LocalPaths
from infra.progress import Steps

if TYPE_CHECKING:
    from infra.local.cloud import LocalCloud

app = typer.Typer(no_args_is_help=True, help="The pipeline on this machine.")

Json = Annotated[bool, typer.Option("--json", help="One JSON object on stdout.")]


@app.command()
def up(context: typer.Context, json: Json = False) -> None:
    """Start the local cloud and deploy the pipeline to it. Does only what is not done yet."""
    from infra.local import cloud

    _answer(context, json, *_started("Local cloud", cloud.up))


@app.command()
def down(context: typer.Context, json: Json = False) -> None:
    """End the local cloud. What it holds is there again after the next `up`."""
    from infra.local import cloud

    with Steps().step("Ending the local cloud") as detail:
        ended = cloud.down(here(), detail)
    text = "The local cloud has ended; its data is kept." if ended else "No local cloud was up."
    _answer(context, json, {"ended": ended}, text)


@app.command()
def reset(context: typer.Context, json: Json = False) -> None:
    """Forget every event and every report, and deploy anew."""
    from infra.local import cloud

    _answer(context, json, *_started("Emptying the local cloud", cloud.reset))


@app.command()
def status(context: typer.Context, json: Json = False) -> None:
    """What runs, what passed each stage, and what waits. Exits with 4 when no local cloud is up."""
    from infra.local.status import summary

    found = summary.of(here())
    _answer(context, json, found, summary.text(found))
    if not found["up"]:
        raise typer.Exit(Exit.NO_TARGET)


@app.command()
def env(context: typer.Context, json: Json = False) -> None:
    """Variables that point any AWS client here, for a shell: eval "$(penstock local env)"."""
    found = context.obj.cloud.environment()
    text = "\n".join(f"export {name}={shlex.quote(value)}" for name, value in sorted(found.items()))
    _answer(context, json, found, text)


@app.command()
def watch(context: typer.Context) -> None:
    """Give the functions new code whenever a source file changes. Ends with Ctrl-C."""
    from infra.local.watching import watch_sources

    watch_sources(context.obj.cloud.context, context.obj.outputs, Steps().say)


def here() -> LocalPaths:
    """The local cloud of the working directory."""
    return LocalPaths.of(Path.cwd())


def _started(title: str, start: "Callable[..., LocalCloud]") -> tuple[Mapping[str, Any], str]:
    from infra.local.settings import LocalSettings

    with Steps().step(title) as detail:
        started = start(here(), LocalSettings.from_environ(os.environ), detail)
    where = {"page": started.context.server_url, "endpoint": started.context.endpoint_url}
    return where, (
        f"Up: {where['page']} shows it live. AWS clients find it at {where['endpoint']}.\n"
        "End it with: penstock local down"
    )


def _answer(context: typer.Context, json: bool, facts: Mapping[str, Any], text: str) -> None:
    typer.echo(json_text.dumps(facts) if json or context.obj.json else text)
