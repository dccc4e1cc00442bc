"""`penstock add`."""

from pathlib import Path
from typing import Annotated, Any, cast

import typer

from infra.command.target import Target
from infra.project.adding.adding import Added, AddingError, prepare, write
from producers.contracts import echo

app = typer.Typer(
    no_args_is_help=True, add_completion=False, help="Add to a project: a stream from a sample."
)


@app.callback()
def add() -> None:
    """Add to the project of the working directory."""


@app.command()
def stream(
    context: typer.Context,
    name: Annotated[str, typer.Argument(metavar="NAME", help="Name of the new stream.")],
    sample: Annotated[
        Path, typer.Option("--from", help="A file of rows: CSV, NDJSON or Parquet; plain or gzip.")
    ],
    *,
    plain: Annotated[
        list[str] | None, typer.Option(help="A column that looks personal and is not; may be repeated.")
    ] = None,
    personal: Annotated[
        list[str] | None, typer.Option(help="A column that is personal; may be repeated.")
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Overwrite files that are there already.")] = False,
) -> None:
    """Infer a stream from a sample, with a source, examples, two reports and a dashboard, for you to read.

    The first 500,000 rows or 96 MiB are read. What was decided is printed, and what the sample does not
    settle.
    """
    target = cast("Target", context.obj)
    project = target.project
    if project.assembly is not None:
        raise AddingError("There is no project here to add to. Run: penstock init NAME")
    added = prepare(name, str(sample), plain=plain or (), personal=personal or ())
    files = [_shown(file, project.root) for file in write(added, project.folders, force=force)]
    if target.json:
        import json

        echo(json.dumps(_document(added, files), indent=2))
        return
    for file in files:
        echo(file)
    echo("")
    for sentence in added.inferred.decided:
        echo(sentence)
    for sentence in (*_refusals(added), *added.inferred.unsure):
        echo(f"Unsure: {sentence}")
    echo(f"\nNext: read streams/{name}.py and sources/{name}.sql, then: penstock contracts release")


def _refusals(added: Added) -> list[str]:
    """Rows of the sample that its own contract refuses."""
    if not added.trial.failures:
        return []
    rows = added.trial.failures + added.trial.events
    found = [f"{added.trial.failures:,} of {rows:,} rows of the sample would become failed records."]
    found += [
        f"{each['reason']} ({each['count']:,} rows, first {each['lines'][0]:,})"
        for each in added.trial.reasons.get("unreadable_reasons", ())
    ]
    return found


def _document(added: Added, files: list[str]) -> dict[str, Any]:
    return {
        "files": files,
        "decided": list(added.inferred.decided),
        "unsure": [*_refusals(added), *added.inferred.unsure],
        "events": added.trial.events,
        "failed": added.trial.failures,
    }


def _shown(file: Path, root: Path) -> str:
    return str(file.relative_to(root)) if file.is_relative_to(root) else str(file)
