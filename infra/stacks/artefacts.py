"""The Lambda functions' zips: which of our and the project's files, which libraries, and one key.

Two zips may lie under one key. AWS gets the sources and the libraries for arm64; the local cloud gets the
sources alone, since its functions run in the product's own environment. The key is the hash of everything
that decides the full zip: sources, locked libraries, Python version, architecture and this builder's version.
"""

import hashlib
import io
import zipfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from importlib.resources import files
from pathlib import Path

from infra import placement
from infra.deployment import dashed
from infra.project.carried import CHARTS, FOLDER, Carried, project_files
from infra.project.project import Folders, Project
from producers.contracts import Stream

PYTHON_VERSION = "3.13"
PLATFORMS = ("manylinux_2_28_aarch64", "manylinux2014_aarch64")
BUILDER_VERSION = "1"
"""Raise it when the same inputs would make another zip."""

_ZIP_TIME = (1980, 1, 1, 0, 0, 0)


@dataclass(frozen=True)
class Artefact:
    """What one function's zip holds.

    Attributes:
        name: short name, `transform`, `query` or `refresh`.
        handler: what Lambda calls.
        sources: files and folders of ours, as the repository has them.
        lock: file in `infra/locked` with the libraries, every version and hash.
        project: which of the project's folders it carries, each as `project/<name>`.
        charts: it carries the compiled charts of the dashboards too, as `project/charts.json`.
        stream: of the streams it carries this one's file alone; every one when it is empty.
    """

    name: str
    handler: str
    sources: tuple[str, ...]
    lock: str
    project: tuple[Carried, ...] = ()
    stream: str = ""
    charts: bool = False


def _files(package: str, *modules: str) -> tuple[str, ...]:
    return tuple(f"{package}/{module}.py" for module in modules)


_PROMISES = ("penstock/__init__.py", "penstock/contracts.py", "producers/__init__.py", "producers/contracts")

TRANSFORM = Artefact(
    name="transform",
    handler="transforms.handler.lambda_handler",
    sources=(
        *_PROMISES,
        *_files("transforms", "__init__", "contracts", "handler", "settings", "telemetry", "type_text"),
        "transforms/gate",
        "transforms/function",
    ),
    lock="transform.txt",
    project=("streams",),
)
QUERY = Artefact(
    name="query",
    handler="queries.handler.lambda_handler",
    sources=(
        *_PROMISES,
        *_files("transforms", "__init__", "contracts", "telemetry", "type_text"),
        *_files("queries", "__init__", "contracts", "handler", "hours", "partitions", "requests"),
        *_files("queries", "service", "settings", "telemetry"),
        *(
            "queries/engine",
            "queries/lake",
            "queries/ledger",
            "queries/refresh",
            "queries/store",
        ),
    ),
    lock="query.txt",
    project=("streams", "reports"),
)
REFRESH = Artefact(
    name="refresh",
    handler="dashboards.handler.lambda_handler",
    sources=_files("dashboards", "__init__", "handler", "ingestions", "publishes", "settings", "telemetry"),
    lock="refresh.txt",
)
COLLECTOR = Artefact(
    name="collector",
    handler="producers.collector.handler.lambda_handler",
    sources=(
        *_PROMISES,
        "producers/collector",
        *_files("producers", "errors", "identity"),
        *_files("producers/packing", "__init__", "aggregation", "codec"),
        *_files("producers/sinks", "__init__", "aws_errors", "body", "port", "shard_map"),
    ),
    lock="collector.txt",
    project=("streams",),
)
KEYS = Artefact(
    name="keys",
    handler="producers.keys.handler.lambda_handler",
    sources=(
        *_PROMISES,
        "producers/keys",
        *_files("producers/collector", "__init__", "key_items", "keys", "messages", "problems"),
    ),
    lock="keys.txt",
    project=("streams",),
)
_READING_SOURCES = (
    *_files("producers/sources", "__init__", "access_log", "blocks", "chunks", "conversion"),
    *_files(
        "producers/sources", "columns", "csv_blocks", "csv_cells", "csv_chunks", "csv_rows", "definition"
    ),
    *_files("producers/sources", "encoding", "engine", "faults", "files", "lines", "making", "plan"),
    *_files("producers/sources", "read", "reader"),
    *_files("producers/sources", "results", "rows", "statement", "tables", "times", "webhook"),
    *_files("producers/sources", "zones"),
)
"""What reads rows by a source."""
HOOKS = Artefact(
    name="hooks",
    handler="producers.hooks.handler.lambda_handler",
    sources=(
        *_PROMISES,
        "producers/hooks",
        *_READING_SOURCES,
        *_files("producers", "errors", "identity"),
        *_files("producers/collector", "__init__", "prepared", "records", "sequence"),
        *_files("producers/packing", "__init__", "aggregation", "codec"),
        *_files(
            "producers/sinks",
            "__init__",
            "aws_calls",
            "aws_errors",
            "body",
            "inherited",
            "kinesis",
            "port",
            "shard_map",
        ),
    ),
    lock="hooks.txt",
    project=("streams", "sources"),
)
_JOBS_SOURCES = (
    *_PROMISES,
    *_files("transforms", "__init__", "contracts", "telemetry", "type_text"),
    *_files("queries", "__init__", "contracts", "hours", "partitions", "telemetry"),
    *_files("queries/commands", "__init__", "backfill", "cost"),
    *_files("queries/engine", "__init__", "port"),
    *_files("queries/jobs", "__init__", "asking", "aws", "changing", "composing", "dynamodb", "errors"),
    *_files("queries/jobs", "import_plan", "imports"),
    *_files("queries/jobs", "port", "reports", "rules", "running", "scheduled", "settings", "state", "steps"),
    *_files("queries/lake", "__init__", "inputs", "port", "s3"),
    "queries/ledger",
    *_files("queries/refresh", "__init__", "catalog", "marking", "publication", "rendering", "summary"),
    *_files("queries/store", "__init__", "checks", "glue", "parquet_footer", "port"),
)
IMPORTER = Artefact(
    name="importer",
    handler="infra.importing.function.handler.lambda_handler",
    sources=(
        *_PROMISES,
        *_files("infra", "__init__"),
        *_files("infra/importing", "__init__", "here", "journal", "notices", "run", "session"),
        "infra/importing/function",
        "producers/importing",
        *_READING_SOURCES,
        *_files("producers", "errors", "identity"),
        *_files("producers/packing", "__init__", "codec"),
        *_files("queries", "__init__"),
        *_files("queries/jobs", "__init__", "import_plan"),
        *_files(
            "transforms", "__init__", "contracts", "pseudonym_keys", "settings", "telemetry", "type_text"
        ),
        *_files("transforms/failed", "__init__", "arrow", "bucket", "s3_bucket"),
        "transforms/gate",
        "transforms/importing",
    ),
    lock="importer.txt",
    project=("streams", "sources"),
)
JOBS = Artefact(
    name="jobs",
    handler="queries.jobs.handler.lambda_handler",
    sources=(*_JOBS_SOURCES, *_files("queries/jobs", "handler")),
    lock="jobs.txt",
    project=("streams", "reports"),
)
API = Artefact(
    name="api",
    handler="queries.api.handler.lambda_handler",
    sources=(
        *_JOBS_SOURCES,
        *_files("queries/api", "__init__", "bodies", "callers", "handler", "history", "presenting"),
        *_files("queries/api", "problems", "refusals", "routes"),
        *_files("queries/updates", "__init__", "job_answer", "spelling"),
    ),
    lock="jobs.txt",
    project=("streams", "reports"),
)
READER = Artefact(
    name="reader",
    handler="queries.api.reading.handler.lambda_handler",
    sources=(
        *_PROMISES,
        *_files("transforms", "__init__", "contracts", "telemetry", "type_text"),
        *_files("queries", "__init__", "contracts", "hours", "partitions", "telemetry"),
        *_files("queries/api", "__init__", "callers", "refusals", "routes"),
        "queries/api/reading",
        *_files("queries/jobs", "__init__", "settings"),
        *_files("queries/ledger", "__init__", "dynamodb", "port", "state"),
        *_files("queries/updates", "__init__", "report_answer", "spelling"),
        *_files("queries/refresh", "__init__", "catalog", "freshness", "housekeeping"),
        *_files("queries/store", "__init__", "port"),
    ),
    lock="reader.txt",
    project=("reports", "dashboards"),
)
_SITE_SOURCES = (
    *_PROMISES,
    *_files("transforms", "__init__", "contracts", "telemetry", "type_text"),
    *_files("queries", "__init__", "contracts", "telemetry"),
    *_files("dashboards", "__init__", "binding", "column_types", "declaration", "ingestions", "model"),
    *_files("dashboards", "money", "reading"),
    *_files("dashboards/board", "__init__", "access", "board", "data", "payload"),
    *("dashboards/emit", "dashboards/expressions", "dashboards/render"),
    *_files("dashboards/site", "__init__", "charts", "drawing", "place", "places", "pointer", "publishing"),
    *_files("dashboards/site", "tables"),
    *_files("infra", "__init__"),
    *_files("infra/site", "__init__"),
    *_files("infra/site/function", "__init__", "clients", "declarations", "published", "settings", "store"),
)
EXTRACT = Artefact(
    name="extract",
    handler="infra.site.function.extract_handler.lambda_handler",
    sources=(*_SITE_SOURCES, *_files("infra/site/function", "extract_handler", "extracting")),
    lock="site.txt",
    project=("reports", "dashboards"),
    charts=True,
)
SITE = Artefact(
    name="site",
    handler="infra.site.function.handler.lambda_handler",
    sources=(
        *_SITE_SOURCES,
        *_files("queries/api", "__init__", "callers", "refusals", "routes"),
        *_files("dashboards/board", "address", "csv_text"),
        *_files("dashboards/site", "views"),
        *_files("infra/site/function", "asking", "handler", "problems"),
    ),
    lock="site.txt",
    project=("reports", "dashboards"),
    charts=True,
)
UPDATES = Artefact(
    name="updates",
    handler="queries.updates.handler.lambda_handler",
    sources=(
        *_PROMISES,
        *_files("transforms", "__init__", "contracts", "telemetry", "type_text"),
        *_files("queries", "__init__", "contracts", "hours", "partitions", "telemetry"),
        *_files("queries/api", "__init__", "callers"),
        *_files("queries/api/reading", "__init__", "answers", "asking", "cursors", "dynamodb", "errors"),
        *_files("queries/api/reading", "port", "row_rules", "versions"),
        *_files("queries/jobs", "__init__", "dynamodb", "errors", "import_plan", "port", "rules"),
        *_files("queries/jobs", "settings", "state"),
        *_files("queries/ledger", "__init__", "dynamodb", "port", "state"),
        *_files("queries/refresh", "__init__", "catalog", "freshness", "housekeeping"),
        *_files("queries/store", "__init__", "checks", "glue", "parquet_footer", "port"),
        *_files("queries/updates", "__init__", "appsync", "handler", "messages", "port", "publishing"),
        *_files("queries/updates", "rules", "settings", "stream"),
    ),
    lock="jobs.txt",
    project=("reports",),
)
_EVERY = (
    *(TRANSFORM, QUERY, REFRESH, COLLECTOR, KEYS, HOOKS),
    *(JOBS, IMPORTER, API, READER, UPDATES, EXTRACT, SITE),
)
ARTEFACTS: Mapping[str, Artefact] = {artefact.name: artefact for artefact in _EVERY}


def transform_artefact(stream: Stream) -> Artefact:
    """The transformation of one stream. No other stream's contract is in it, so none changes it."""
    return replace(TRANSFORM, name=dashed(stream.named(TRANSFORM.name)), stream=stream.name)


def artefacts_of(project: Project) -> Mapping[str, Artefact]:
    """Every artefact of the project's deployments by name."""
    transforms = [transform_artefact(stream) for stream in project.streams.values()]
    collectors = [COLLECTOR, KEYS, *([HOOKS] if project.hooks else [])]
    if not any(each.collector for each in project.deployments.values()):
        collectors = []
    jobs = [JOBS, *([IMPORTER] if project.sources else []), API, READER, UPDATES]
    if not any(each.jobs for each in project.deployments.values()):
        jobs = []
    site = [EXTRACT, SITE] if any(each.jobs and each.site for each in project.deployments.values()) else []
    made = (*transforms, QUERY, REFRESH, *collectors, *jobs, *site)
    return {artefact.name: artefact for artefact in made}


_SUFFIXES = frozenset({".py", ".sql"})
_SHOP = "shop"
"""The example project lies among our packages; a function carries its own project as `project/`."""


def source_files(artefact: Artefact, folders: Folders, root: Path | None = None) -> dict[str, bytes]:
    """The artefact's files of ours and of the project: path in the zip to content, in order of path.

    Where a wheel is installed ours lie below `penstock/`, in the zip too, as the imports in them say.
    """
    root = root or placement.root()
    found: dict[str, bytes] = {}
    carried = {
        name.as_posix(): file.read_bytes()
        for name, file in project_files(folders, artefact.project, artefact.stream)
    }
    # Below `penstock` every package needs the one around it.
    around = (f"{placement.PARENT}/__init__.py",) if placement.PREFIX else ()
    if artefact.charts:
        from infra.site.charts_file import charts_file  # what draws is loaded where something is drawn

        carried[f"{FOLDER.as_posix()}/{CHARTS}"] = charts_file(folders)
    for source in (*artefact.sources, *around):
        start = root / placement.placed(source)
        for path in [start] if start.is_file() else start.rglob("*"):
            relative = path.relative_to(root)
            if path.is_file() and _belongs(relative):
                found[relative.as_posix()] = path.read_bytes()
    return dict(sorted({**found, **carried}.items()))


def _belongs(path: Path) -> bool:
    return path.suffix in _SUFFIXES and _SHOP not in path.parts


def locked_requirements(artefact: Artefact) -> str:
    """The libraries of the artefact as pip reads them, with hashes."""
    return files("infra").joinpath("locked", artefact.lock).read_text(encoding="utf-8")


def asset_hash(artefact: Artefact, folders: Folders, root: Path | None = None) -> str:
    """64 hexadecimal digits that change exactly when the full zip would."""
    digest = hashlib.sha256()
    for part in (BUILDER_VERSION, PYTHON_VERSION, *PLATFORMS, locked_requirements(artefact)):
        _add(digest, part.encode())
    for path, content in source_files(artefact, folders, root).items():
        _add(digest, path.encode())
        _add(digest, content)
    return digest.hexdigest()


def _add(digest: "hashlib._Hash", part: bytes) -> None:
    # The length keeps two different lists of parts from running into the same bytes.
    digest.update(len(part).to_bytes(8, "big"))
    digest.update(part)


def source_zip(artefact: Artefact, folders: Folders, root: Path | None = None) -> bytes:
    """The zip for the local cloud: our files and the project's alone."""
    return zip_bytes(source_files(artefact, folders, root).items())


def zip_bytes(entries: Iterable[tuple[str, bytes]]) -> bytes:
    """A zip that depends on names and contents alone: fixed times and modes, sorted, one compression
    level.
    """
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for name, content in sorted(entries):
            info = zipfile.ZipInfo(name, _ZIP_TIME)
            info.compress_type = zipfile.ZIP_DEFLATED
            info.external_attr = 0o100644 << 16
            info.create_system = 3
            archive.writestr(info, content)
    return buffer.getvalue()
