"""`penstock collector`: what clients of the collector are written with."""

import json
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Protocol, cast

import typer

from infra.collector.openapi import openapi
from infra.collector.typings import typings
from infra.project.project import Project
from producers.contracts import echo

app = typer.Typer(
    no_args_is_help=True, add_completion=False, help="What clients of the collector are written with."
)
API_VERSION = "1"

Out = Annotated[Path, typer.Option(help="File to write; `-` prints it.")]
_PRINTED = Path("-")


class Target(Protocol):
    """What is read of the target."""

    @property
    def project(self) -> Project:
        """The project, whose streams are described."""
        ...


@app.command("openapi")
def write_openapi(context: typer.Context, out: Out = _PRINTED) -> None:
    """The collector's HTTP API as OpenAPI 3.1, with the event types of the project."""
    streams = cast("Target", context.obj).project.streams
    _write(json.dumps(openapi(streams, API_VERSION), indent=2, ensure_ascii=False) + "\n", out)


@app.command("script")
def write_script(out: Out = _PRINTED) -> None:
    """`penstock.js`, with which pages send events."""
    _write(script(), out)


@app.command("typings")
def write_typings(context: typer.Context, out: Out = _PRINTED) -> None:
    """`penstock.d.ts`: the event types of the project for pages written in TypeScript."""
    _write(typings(cast("Target", context.obj).project.streams), out)


def script() -> str:
    """The text of `penstock.js`."""
    return files("producers").joinpath("collector/browser/penstock.js").read_text(encoding="utf-8")


def _write(text: str, out: Path) -> None:
    if out == _PRINTED:
        echo(text, end="")
        return
    out.write_text(text, encoding="utf-8")
    echo(f"{out} written.", err=True)
