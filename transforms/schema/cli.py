"""`penstock contracts`: list, show, schemas, check, release, docs."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, cast

import typer

from producers.contracts import EventType, Stream, echo
from transforms.contracts import payload_type
from transforms.schema.ddl import create_table
from transforms.schema.declarations import declaration_findings
from transforms.schema.evolution import check, release_text, released, released_path
from transforms.schema.json_schema import json_schema
from transforms.schema.page import contract_page
from transforms.schema.schema_files import schema_files
from transforms.target import Project, Target
from transforms.text_table import text_table

contracts_app = typer.Typer(no_args_is_help=True, help="Event types and what they promise.")


class UnknownTypeError(LookupError):
    """No stream declares this event type, or several do and none is named."""


class UnknownStreamError(LookupError):
    """The project has no stream of that name."""


OfStream = Annotated[str | None, typer.Option("--stream", help="Of this stream alone; of each unless given.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


@contracts_app.command("list")
def list_contracts(ctx: typer.Context, stream: OfStream = None, as_json: AsJson = False) -> None:
    """Every event type of every stream."""
    context = cast("Target", ctx.obj)
    rows = [
        (
            of.name,
            each.name,
            each.version,
            "yes" if each.delivered else "no",
            each.partition_key,
            _doc(each),
        )
        for of in _streams(context.project, stream)
        for each in of.all_types
    ]
    header = ("stream", "event_type", "version", "delivered", "partition_key", "what")
    if as_json or context.json:
        echo(json.dumps([dict(zip(header, row, strict=True)) for row in rows], indent=2))
    else:
        echo(text_table(header, rows))


@contracts_app.command("show")
def show_contract(
    ctx: typer.Context,
    name: Annotated[str, typer.Argument(help="An event type, or a lake table for its DDL.")],
    version: Annotated[int | None, typer.Option(help="Version; the newest by default.")] = None,
    stream: OfStream = None,
) -> None:
    """The JSON Schema of an event type and its lake column, or the Athena DDL of a lake table."""
    project = cast("Target", ctx.obj).project
    if name in project.tables:
        echo(create_table(project.tables[name], "s3://LAKE_BUCKET"))
        return
    found = _find(project, name, version, stream)
    schema = json_schema(found.event_class)
    document = {"schema": schema, "lake_column": payload_type(found) if found.delivered else None}
    echo(json.dumps(document, indent=2))


@contracts_app.command("schemas")
def write_schemas(
    ctx: typer.Context,
    out: Annotated[Path, typer.Option(help="The folder to write into.")],
    stream: OfStream = None,
) -> None:
    """JSON Schema of whole events, for producers in other languages: one file a type and version."""
    project = cast("Target", ctx.obj).project
    files = schema_files(_streams(project, stream))
    for path, text in files.items():
        place = out / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(text, encoding="utf-8")
    echo(f"{len(files)} files written into {out}.", err=True)


@contracts_app.command("check")
def check_contracts(ctx: typer.Context) -> None:
    """Check names, sizes, examples, and every change since the last release. Exit code 1 on findings."""
    project = cast("Target", ctx.obj).project
    findings = list(declaration_findings(project.streams, project.folders.streams))
    for name, each in project.streams.items():
        before = released(project.folders.streams, each)
        if before is None:
            findings.append(f"{name}: no contract is released. Run: penstock contracts release")
        else:
            findings += map(str, check(each, before))
    for finding in findings:
        echo(finding)
    echo(f"{len(findings)} findings.", err=True)
    if findings:
        raise typer.Exit(1)


@contracts_app.command("release")
def release_contracts(ctx: typer.Context, stream: OfStream = None) -> None:
    """Keep the present contracts as the released ones. Refused while `check` has findings about changes."""
    project = cast("Target", ctx.obj).project
    folder = project.folders.streams
    for each in _streams(project, stream):
        before = released(folder, each)
        findings = check(each, before) if before is not None else []
        for finding in findings:
            echo(str(finding))
        if findings:
            raise typer.Exit(1)
        path = released_path(folder, each)
        path.parent.mkdir(exist_ok=True)
        path.write_text(release_text(each))
        echo(f"{path.name} released.", err=True)


@contracts_app.command("docs")
def contract_docs(
    ctx: typer.Context,
    out: Annotated[Path, typer.Option(help="File to write; `-` prints it.")] = Path("-"),
) -> None:
    """An HTML page of the event types: fields, bounds, what becomes of personal data, examples."""
    project = cast("Target", ctx.obj).project
    page = contract_page(project.streams, project.folders.streams)
    if str(out) == "-":
        echo(page, end="")
    else:
        out.write_text(page)
        echo(f"{out} written.", err=True)


def _streams(project: Project, name: str | None) -> Sequence[Stream]:
    if name is None:
        return list(project.streams.values())
    if name not in project.streams:
        raise UnknownStreamError(f"The project has no stream {name!r}. It has: {', '.join(project.streams)}.")
    return [project.streams[name]]


def _find(project: Project, name: str, version: int | None, of: str | None) -> EventType:
    streams = _streams(project, of)
    found: dict[str, EventType] = {}
    for stream in streams:
        versions = [
            each for each in stream.all_types if each.name == name and version in (None, each.version)
        ]
        if versions:
            found[stream.name] = max(versions, key=lambda each: each.version)
    if len(set(map(id, found.values()))) > 1:
        raise UnknownTypeError(f"Several streams declare {name}: {', '.join(found)}. Name one with --stream.")
    for each in found.values():
        return each
    known = ", ".join(sorted({each.name for stream in streams for each in stream.all_types}))
    wanted = name if version is None else f"{name} version {version}"
    raise UnknownTypeError(
        f"No stream declares {wanted}. Declared: {known}; lake tables: {', '.join(project.tables)}."
    )


def _doc(event_type: EventType) -> str:
    return (event_type.payload.__doc__ or "").partition("\n")[0]
