"""`penstock dashboards`: lint, preview, export, impact, plan, refresh."""

import json
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from importlib.metadata import version as installed
from pathlib import Path
from typing import Annotated, Any, Protocol

import typer

from dashboards import emit
from dashboards.impact import impacts
from dashboards.lint import output
from dashboards.lint.run import lint as check
from dashboards.model import Dashboard
from dashboards.plan import plan as planned
from dashboards.preview.port import Receipts
from dashboards.reading import definition_files, read_dashboards
from queries.contracts import CommandTarget, Report, echo, file_text, parse_header

app = typer.Typer(
    no_args_is_help=True, help="QuickSight dashboards: as code, and as seen before they are deployed."
)
_NOWHERE: dict[str, Any] = {
    "prefix": "penstock",
    "account": "000000000000",
    "region": "us-east-1",
    "database": "penstock",
    "work_group": "penstock-reports",
}


class Folders(Protocol):
    """The project's folders that commands name."""

    @property
    def reports(self) -> Path: ...
    @property
    def dashboards(self) -> Path: ...


class Project(Protocol):
    """The project that the command works on: its reports and its dashboards, by name."""

    @property
    def folders(self) -> Folders: ...
    @property
    def reports(self) -> Mapping[str, Report]: ...
    @property
    def dashboards(self) -> Mapping[str, Dashboard]: ...


class Target(CommandTarget, Protocol):
    """What these verbs read of the target; dashboards query as analysts do."""

    @property
    def region(self) -> str: ...
    @property
    def account_id(self) -> str: ...
    @property
    def database(self) -> str: ...
    @property
    def analyst_work_group(self) -> str: ...
    @property
    def project(self) -> Project: ...
    def publishes(self, lost: Callable[[], None]) -> Iterator[Any] | None: ...
    @property
    def receipts(self) -> Receipts: ...


class DashboardsFailedError(RuntimeError):
    """A check found something; the message is what it found."""


@app.command()
def lint(
    ctx: typer.Context,
    sarif: Annotated[bool, typer.Option(help="As SARIF, for code hosts.")] = False,
) -> None:
    """Check everything that would be deployed, without AWS. Exit code 1 when something is wrong."""
    started = time.perf_counter()
    project = _project(ctx)
    resources = emit.resources(project.reports, project.dashboards, **_NOWHERE)
    found = check(resources, project.dashboards, project.reports)
    if sarif:
        _print(json.dumps(output.sarif(found, installed("penstock"), Path.cwd())))
    elif _as_json(ctx):
        _print(json.dumps(output.rows(found)))
    else:
        _print(output.text(found))
    seconds = time.perf_counter() - started
    defects = sum(not finding.is_note for finding in found)
    notes = f", {len(found) - defects} notes" if len(found) > defects else ""
    _say(f"{len(resources)} resources of {len(project.dashboards)} dashboards checked in {seconds:.1f} s: "
         f"{defects or 'nothing'} found{notes}.")  # fmt: skip
    if defects:
        raise typer.Exit(1)


@app.command(name="emit")
def emit_json(ctx: typer.Context) -> None:
    """Print every resource as JSON: what goes into the CloudFormation template."""
    project = _project(ctx)
    found = emit.resources(project.reports, project.dashboards, **_NOWHERE)
    shown = {name: {"Type": r.type, "Properties": r.properties} for name, r in found.items()}
    _print(json.dumps(shown, indent=2, sort_keys=True))


@app.command()
def preview(
    ctx: typer.Context,
    file: Annotated[Path | None, typer.Argument(help="A Definition exported from QuickSight.")] = None,
    port: Annotated[int, typer.Option(min=1, max=65_535, help="Port on this machine.")] = 4712,
) -> None:
    """Serve the dashboards as they would be deployed, with the numbers of the reports."""
    from dashboards.preview.server import HOST, Preview, serve

    board, watch = _foreign(file) if file else _board(ctx.obj)
    name = f"/{file.stem}" if file else ""
    _say("Reading the reports ...")
    serve(
        Preview(board, watch, None if file else ctx.obj.receipts).application(),
        port,
        listening=lambda: _say(f"http://{HOST}:{port}{name}   (Ctrl-C stops it)"),
    )


@app.command()
def export(
    ctx: typer.Context,
    dashboard: Annotated[str, typer.Argument(help="Name of a dashboard.")],
    to: Annotated[Path, typer.Argument(help="File to write, .html; or a folder, for a PNG of every visual.")],
) -> None:
    """Write a dashboard as one HTML file that needs no server, or as pictures."""
    from dashboards.preview.files import png_of
    from dashboards.preview.server import exported
    from dashboards.render.state import State

    board, _ = _board(ctx.obj)
    board.rebuild()
    board.load()
    if dashboard not in board.pages:
        raise DashboardsFailedError(
            f"There is no dashboard {dashboard!r}. Use one of: {', '.join(board.pages)}."
        )
    if to.suffix == ".html":
        to.write_text(exported(board, dashboard, []), encoding="utf-8")
        _say(f"{to} written.")
        return
    to.mkdir(parents=True, exist_ok=True)
    view = board.view(dashboard, State())
    for visual in view.page.visuals.values():
        (to / f"{dashboard}-{visual.id}.png").write_bytes(png_of(view, visual, view.now))
    _say(f"{len(view.page.visuals)} pictures written to {to}.")


@app.command()
def impact(
    ctx: typer.Context,
    revision: Annotated[
        str, typer.Argument(help="Git revision to compare the report contracts with.")
    ] = "HEAD",
) -> None:
    """What the changed report contracts do to the dashboards. Exit code 1 when something would break."""
    project = _project(ctx)
    before = dict(_reports_at(revision, project.folders.reports))
    found = impacts(before, project.reports, project.dashboards)
    if _as_json(ctx):
        _print(json.dumps([entry.__dict__ | {"is_safe": entry.is_safe} for entry in found]))
    else:
        _print("\n".join(str(entry) for entry in found))
    unsafe = [entry for entry in found if not entry.is_safe]
    _say(f"{len(found)} changed columns since {revision}, {len(unsafe)} of them break something.")
    if unsafe:
        raise typer.Exit(1)


@app.command()
def plan(ctx: typer.Context) -> None:
    """What a deployment would create, update, replace or delete, and what was edited in the console."""
    from dashboards.quicksight import deployed

    target: Target = ctx.obj
    there = deployed(target.client("quicksight"), target.account_id)
    steps = planned(_resources(target, target.project.dashboards), there, _prefix(target))
    if target.json:
        _print(json.dumps([step.__dict__ for step in steps]))
    else:
        _print("\n".join(str(step) for step in steps if step.action != "none"))
    changes = [step for step in steps if step.action != "none"]
    _say(f"{len(changes)} of {len(steps)} assets would change.")


@app.command()
def refresh(
    ctx: typer.Context,
    report: Annotated[str, typer.Argument(help="Report whose SPICE dataset is refreshed now.")],
) -> None:
    """Start one SPICE ingestion now, out of the reserve that the controller leaves to people."""
    target: Target = ctx.obj
    sources = {s.report: s for d in target.project.dashboards.values() for s in d.sources.values()}
    if report not in sources or sources[report].import_mode != "spice":
        spice = ", ".join(name for name, source in sources.items() if source.import_mode == "spice")
        raise DashboardsFailedError(
            f"{report!r} has no SPICE dataset; it is always as fresh as its report. SPICE: {spice}."
        )
    data_set = f"{_prefix(target)}-{report.replace('_', '-')}"
    now = datetime.now(UTC)
    answer = target.client("quicksight").create_ingestion(
        AwsAccountId=target.account_id,
        DataSetId=data_set,
        IngestionId=f"{data_set}-by-hand-{now:%Y%m%d%H%M%S}",
    )
    _print(json.dumps(answer["IngestionId"]) if target.json else answer["IngestionId"])


def _board(target: Target) -> Any:
    from dashboards.board.board import Board
    from dashboards.preview.athena import AthenaReader
    from dashboards.preview.server import Watch
    from dashboards.publishes import served

    reader = AthenaReader(
        target.client("athena"),
        target.client("s3"),
        work_group=target.analyst_work_group,
        database=target.database,
    )
    project = target.project
    glue, names, folder = target.client("glue"), list(project.reports), project.folders.dashboards

    def build() -> Mapping[str, emit.Resource]:
        return _resources(target, read_dashboards(folder))

    sources = [source for each in project.dashboards.values() for source in each.sources.values()]
    stale_after = {source.report: source.stale_after_seconds for source in sources}
    board = Board(build, reader.query, stale_after=stale_after, clock=lambda: datetime.now(UTC))
    return board, Watch(
        lambda: served(glue, target.database, names), lambda: _token(folder), publishes=target.publishes
    )


def _foreign(file: Path) -> Any:
    from dashboards.board.board import Board
    from dashboards.preview.foreign import adopt, definition_of
    from dashboards.preview.server import Watch

    definition = definition_of(file_text(file.read_bytes(), str(file)), str(file))

    def nothing(_: str) -> Any:
        raise LookupError("The data of this definition is not here.")

    board = Board(dict, nothing, stale_after={}, clock=lambda: datetime.now(UTC))
    adopt(board, file.stem, file.stem, definition)
    return board, Watch(dict)


def _resources(target: Target, declared: Mapping[str, Dashboard]) -> Mapping[str, emit.Resource]:
    return emit.resources(
        target.project.reports, declared, prefix=_prefix(target), account=target.account_id,
        region=target.region, database=target.database, work_group=target.analyst_work_group,
    )  # fmt: skip


def _prefix(target: Target) -> str:
    """The deployment's prefix, of which the database's name is the form without dashes."""
    return str(target.database).replace("_", "-")


def _project(ctx: typer.Context) -> Project:
    target: Target = ctx.obj
    return target.project


def _token(folder: Path) -> str:
    return " ".join(f"{file.name}:{file.stat().st_mtime_ns}" for file in definition_files(folder))


def _reports_at(revision: str, folder: Path) -> Iterator[tuple[str, Report]]:
    """The report contracts of a git revision, in the same folder. Raises DashboardsFailedError."""
    for file in _git(folder, "ls-tree", "--name-only", revision, "./").splitlines():
        if file.endswith(".sql"):
            report = parse_header(_git(folder, "show", f"{revision}:./{file}"), file)
            yield report.name, report


def _git(folder: Path, *arguments: str) -> str:
    done = subprocess.run(  # noqa: S603
        ["git", "-C", str(folder), *arguments],  # noqa: S607
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.returncode:
        raise DashboardsFailedError(f"git {' '.join(arguments)}: {done.stderr.strip()}")
    return done.stdout


def _as_json(ctx: typer.Context) -> bool:
    return bool(getattr(ctx.obj, "json", False))


def _print(text: str) -> None:
    if text:
        echo(text)


def _say(text: str) -> None:
    echo(text, err=True)
