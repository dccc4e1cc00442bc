"""`penstock local`: start, end, empty and look at the local cloud."""

import json as json_text
import os
import shlex
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from infra.command.exits import Exit
from infra.command.local_check_cli import check
from infra.command.progress import Steps
from infra.local.paths import PEOPLE_FILE, LocalPaths
from infra.local.settings import LocalSettings
from infra.project.finding import home_of
from producers.contracts import echo

if TYPE_CHECKING:
    from infra.command.target import Target
    from infra.local.cloud import LocalCloud

app = typer.Typer(no_args_is_help=True, help="The pipeline on this machine.")
app.command()(check)

Json = Annotated[bool, typer.Option("--json", help="One JSON object on stdout.")]
EnforceIam = Annotated[
    bool,
    typer.Option(
        "--enforce-iam", help="Check every call against the permissions of its role, as AWS does; over TLS."
    ),
]


@app.command()
def up(context: typer.Context, *, enforce_iam: EnforceIam = False, json: Json = False) -> None:
    """Start the local cloud and deploy the pipeline to it. Does only what is not done yet.

    A local cloud that is up with other settings is ended first; what it holds stays.
    """
    from infra.local import cloud

    _answer(context, json, *_started(context.obj, "Local cloud", cloud.up, asked(enforce_iam)))


@app.command()
def down(context: typer.Context, json: Json = False) -> None:
    """End the local cloud. What it holds is there again after the next `up`."""
    from infra.local import cloud, state

    with Steps().step("Ending the local cloud") as detail:
        ended = cloud.down(here(), detail)
    whole = ended and state.is_whole(here())
    text = _ENDED[whole] if ended else "No local cloud was up."
    _answer(context, json, {"ended": ended, "kept": whole}, text)


@app.command()
def reset(context: typer.Context, json: Json = False) -> None:
    """Forget every event and every report, and deploy anew."""
    from infra.local import cloud

    attached = cloud.attach(here())
    keep = attached is not None and attached.context.enforce_iam
    _answer(context, json, *_started(context.obj, "Emptying the local cloud", cloud.reset, asked(keep)))


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
    from infra.local.deploy.watching import watch_sources

    watch_sources(context.obj.cloud.context, context.obj.outputs, context.obj.project, Steps().say)


def here() -> LocalPaths:
    """The local cloud of the project that the working directory lies in."""
    return LocalPaths.of(home_of(Path.cwd()))


def asked(enforce_iam: bool) -> LocalSettings:
    """The environment's settings, with permissions checked when the command says so."""
    settings = LocalSettings.from_environ(os.environ)
    return replace(settings, enforce_iam=settings.enforce_iam or enforce_iam)


def _started(
    target: "Target", title: str, start: "Callable[..., LocalCloud]", settings: LocalSettings
) -> tuple[Mapping[str, Any], str]:
    with Steps().step(title) as detail:
        started = start(here(), settings, detail, project=target.project)
    where: dict[str, Any] = {"page": started.context.server_url, "endpoint": started.context.endpoint_url}
    collector = started.collector_url
    if collector:
        where["collector"] = collector
    if started.jobs_url:
        where["jobs"] = started.jobs_url
    if started.site_url:
        where["site"] = started.site_url
    if started.notes:
        where["notes"] = list(started.notes)
    return where, "".join(f"{note}\n" for note in started.notes) + (
        f"Up: {where['page']} shows it live. AWS clients find it at {where['endpoint']}.\n"
        + (f"Events over HTTP go to {collector}/v1/batch.\n" if collector else "")
        + _site(started.site_url)
        + "Stop it with: penstock local down"
    )


def _site(address: str) -> str:
    """Where the dashboards are, and the file with who can sign in."""
    if not address:
        return ""
    file = here().run / PEOPLE_FILE
    named = file.relative_to(Path.cwd()) if file.is_relative_to(Path.cwd()) else file
    return f"Dashboards are at {address}; who can sign in, and how, is in {named}.\n"


def _answer(context: typer.Context, json: bool, facts: Mapping[str, Any], text: str) -> None:
    echo(json_text.dumps(facts) if json or context.obj.json else text)


_ENDED = {
    True: "The local cloud has ended; its data is kept.",
    False: "The local cloud had to be killed. The next `up` goes on from what it wrote last.",
}
