"""The routes of the HTTP API, and which function answers each (pure)."""

from typing import Literal, NamedTuple

PEOPLE, PROGRAMS = "/api", "/iam"
"""What paths begin with: for people with a token of the user pool, and for programs that sign with IAM."""


class Route(NamedTuple):
    """A route below both prefixes; `function` answers it."""

    path: str
    method: Literal["GET", "POST"]
    function: Literal["jobs", "reader", "site"]


ROUTES = (
    Route("/v1/jobs", "POST", "jobs"),
    Route("/v1/jobs", "GET", "jobs"),
    Route("/v1/jobs/{job_id}", "GET", "jobs"),
    Route("/v1/jobs/{job_id}/steps", "GET", "jobs"),
    Route("/v1/jobs/{job_id}/cancel", "POST", "jobs"),
    Route("/v1/jobs/{job_id}/retry", "POST", "jobs"),
    Route("/v1/reports", "GET", "reader"),
    Route("/v1/reports/{name}", "GET", "reader"),
    Route("/v1/reports/{name}/rows", "GET", "reader"),
    Route("/v1/reports/{name}/files", "GET", "reader"),
    Route("/v1/freshness", "GET", "reader"),
)
SITE_ROUTES = (
    Route("/v1/dashboards", "GET", "site"),
    Route("/v1/dashboards/{name}/sheets/{sheet}", "GET", "site"),
    Route("/v1/dashboards/{name}/sheets/{sheet}/visuals/{file}", "GET", "site"),
    Route("/v1/dashboards/{name}/view", "POST", "site"),
    Route("/v1/dashboards/{name}/number", "POST", "site"),
    Route("/v1/failed", "GET", "site"),
)
"""Of the report site, where there is one: for people alone."""
