"""`penstock api`: what clients of the API of jobs and reports are written with."""

import json
from pathlib import Path
from typing import Annotated

import typer

from queries.api.openapi import openapi
from queries.commands.target import Target
from queries.contracts import echo

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    help="What clients of the API of jobs and reports are written with.",
)
_PRINTED = Path("-")


@app.callback()
def api() -> None:
    """What clients of the API of jobs and reports are written with."""


@app.command("openapi")
def write_openapi(
    context: typer.Context,
    out: Annotated[Path, typer.Option(help="File to write; `-` prints it.")] = _PRINTED,
) -> None:
    """The HTTP API of jobs and reports as OpenAPI 3.1, with the reports of the project."""
    target: Target = context.obj
    reports = {name: query.report for name, query in target.project.catalog.items()}
    text = json.dumps(openapi(reports), indent=2, ensure_ascii=False) + "\n"
    if out == _PRINTED:
        echo(text, end="")
        return
    out.write_text(text, encoding="utf-8")
    echo(f"{out} written.", err=True)
