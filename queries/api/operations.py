"""What each route of the API does, as the OpenAPI document says it (pure)."""

from collections.abc import Mapping
from typing import NamedTuple

from queries.api.reading.asking import CSV


class Does(NamedTuple):
    """What a route does. `status` and `answer` are of success, `refuses` has the statuses of problems."""

    name: str
    summary: str
    status: int
    answer: str
    refuses: tuple[int, ...]
    parameters: tuple[str, ...] = ()


_ALWAYS = (401, 403)
_READS = (400, *_ALWAYS)
DOES: Mapping[tuple[str, str], Does] = {
    ("POST", "/v1/jobs"): Does(
        "start_job", "Have a job done.", 202, "AcceptedAnswer", (*_READS, 409, 422, 429, 503), ("key",)
    ),
    ("GET", "/v1/jobs"): Does("list_jobs", "The newest jobs.", 200, "JobsAnswer", _READS, ("jobs",)),
    ("GET", "/v1/jobs/{job_id}"): Does("show_job", "One job.", 200, "JobAnswer", (*_ALWAYS, 404)),
    ("GET", "/v1/jobs/{job_id}/steps"): Does(
        "show_steps", "What the steps of its last execution did.", 200, "StepsAnswer", (*_ALWAYS, 404)
    ),
    ("POST", "/v1/jobs/{job_id}/cancel"): Does(
        "cancel_job", "Begin nothing more of it.", 200, "JobAnswer", (*_ALWAYS, 404, 409, 503)
    ),
    ("POST", "/v1/jobs/{job_id}/retry"): Does(
        "retry_job", "Do what it left undone.", 202, "JobAnswer", (*_ALWAYS, 404, 409, 429, 503)
    ),
    ("GET", "/v1/reports"): Does("list_reports", "Every report.", 200, "ReportsAnswer", _READS, ("known",)),
    ("GET", "/v1/reports/{name}"): Does(
        "show_report", "One report.", 200, "OneReportAnswer", (*_READS, 404), ("known",)
    ),
    ("GET", "/v1/reports/{name}/rows"): Does(
        "read_rows",
        "A page of its rows, as far as the caller's groups see them.",
        200,
        "Page",
        (*_READS, 404, 406, 410, 413, 503),
        ("from", "to", "rows", "cursor", "filters", "known"),
    ),
    ("GET", "/v1/reports/{name}/files"): Does(
        "read_files",
        "Addresses of its Parquet files, for five minutes; only for callers who see every row.",
        200,
        "FilesAnswer",
        (*_READS, 404),
        ("from", "to", "partitions"),
    ),
    ("GET", "/v1/freshness"): Does(
        "read_freshness",
        "How fresh partitions are: of one report, or the newest ones of each.",
        200,
        "FreshnessesAnswer",
        (*_READS, 404),
        ("report", "from", "to", "partitions", "known"),
    ),
    ("GET", "/v1/dashboards"): Does(
        "list_dashboards", "Every dashboard that is published.", 200, "DashboardsAnswer", (*_ALWAYS, 503)
    ),
    ("GET", "/v1/dashboards/{name}/sheets/{sheet}"): Does(
        "read_sheet", "A sheet as it was published.", 200, "SheetAnswer", (*_READS, 404, 410), ("version",)
    ),
    ("GET", "/v1/dashboards/{name}/sheets/{sheet}/visuals/{file}"): Does(
        "read_csv",
        "The numbers of a visual, unrounded, under choices.",
        200,
        CSV,
        (*_READS, 404, 409, 410),
        ("version", "choices"),
    ),
    ("POST", "/v1/dashboards/{name}/view"): Does(
        "view_sheet", "A sheet under choices.", 200, "SheetAnswer", (*_READS, 404, 410)
    ),
    ("POST", "/v1/dashboards/{name}/number"): Does(
        "trace_number",
        "The numbers of a report that a number on a sheet is computed from.",
        200,
        "NumberAnswer",
        (*_READS, 404, 409, 410),
    ),
    ("GET", "/v1/failed"): Does(
        "show_failed", "What failed lately, by reason; for operators.", 200, "FailedAnswer", _READS, ("days",)
    ),
}
