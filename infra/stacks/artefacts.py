"""Which of our and the project's files, and which libraries, each Lambda function's zip holds."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from infra.deployment import dashed
from infra.project.carried import Carried
from infra.project.project import Project
from producers.contracts import Stream


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
        *_files("queries/reference", "__init__", "declaration", "versions"),
    ),
    lock="query.txt",
    project=("streams", "reports", "reference"),
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
        *_files("queries/api", "__init__", "callers", "refusals", "routes", "site_answers"),
        *_files("queries", "hours", "partitions"),
        *_files("queries/receipts", "__init__", "cell", "errors"),
        *_files("dashboards/board", "address", "cells", "csv_text"),
        *_files("dashboards/site", "views"),
        *_files("infra/site/function", "asking", "failed", "handler", "numbers", "problems"),
        "transforms/gate",
        *_files("transforms/failed", "__init__", "bucket", "error_objects", "event_review", "in_parallel"),
        *_files("transforms/failed", "index", "line_reasons", "recent", "replay_ledger", "s3_bucket"),
        *_files("transforms/function", "__init__", "batch", "marshal"),
    ),
    lock="site.txt",
    project=("streams", "reports", "dashboards"),
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
