"""The API of jobs and reports as OpenAPI 3.1, made of its routes, its answers and the project's reports."""

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import msgspec

from queries.api.bodies import BackfillBody, ImportBody
from queries.api.job_answers import AcceptedAnswer, JobAnswer, JobsAnswer, StepsAnswer
from queries.api.operations import DOES, Does
from queries.api.problems import STATUS as JOB_STATUS
from queries.api.reading.answers import (
    FilesAnswer,
    FreshnessesAnswer,
    OneReportAnswer,
    ReportsAnswer,
    names_of,
)
from queries.api.reading.asking import CSV, JSON, MOST_PARTITIONS, MOST_ROWS, PARTITIONS, ROWS
from queries.api.reading.problems import NO_ROUTE
from queries.api.reading.problems import STATUS as READ_STATUS
from queries.api.refusals import MEDIA_TYPE
from queries.api.routes import PEOPLE, PROGRAMS, ROUTES, SITE_ROUTES, Route
from queries.api.site_answers import (
    CODES,
    MOST_DAYS,
    USUAL_DAYS,
    DashboardsAnswer,
    FailedAnswer,
    NumberAnswer,
    NumberBody,
    SheetAnswer,
    ViewBody,
)
from queries.contracts import Report

VERSION = "1"
_REF = "#/components/schemas/{name}"
_SECURITY: Mapping[str, list[dict[str, list[str]]]] = {
    PEOPLE: [{"signed_in": []}],
    PROGRAMS: [{"signature": []}],
}


def openapi(reports: Mapping[str, Report]) -> dict[str, Any]:
    """The document for a project with these reports."""
    paths: defaultdict[str, dict[str, Any]] = defaultdict(dict)
    for prefix, routes in ((PEOPLE, (*ROUTES, *SITE_ROUTES)), (PROGRAMS, ROUTES)):
        for route in routes:
            paths[f"{prefix}{route.path}"][route.method.lower()] = _operation(route, prefix)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Penstock jobs and reports",
            "version": VERSION,
            "description": "Routes are there twice: below /api for people of the user pool, below /iam for "
            "programs that sign with IAM. Those of the report site are for people alone, where there is one.",
        },
        "paths": dict(paths),
        "components": {
            "schemas": _schemas(reports),
            "parameters": _parameters(reports),
            "securitySchemes": {
                "signed_in": {
                    "type": "http", "scheme": "bearer", "bearerFormat": "JWT",
                    "description": "An access token of the user pool, whose groups decide what one may do.",
                },
                "signature": {
                    "type": "apiKey", "name": "Authorization", "in": "header",
                    "description": "Signature Version 4 of AWS, for the service execute-api.",
                    "x-amazon-apigateway-authtype": "awsSigv4",
                },
            },
        },
    }  # fmt: skip


_BODIES: Mapping[str, Any] = {"backfill": BackfillBody, "import": ImportBody}
"""What `POST /v1/jobs` takes, by kind."""


def _operation(route: Route, prefix: str) -> dict[str, Any]:
    does = DOES[route.method, route.path]
    named = {"name": "dashboard" if route.function == "site" else "name"}
    places = re.findall(r"{(\w+)}", route.path)
    found = [*(named.get(place, place) for place in places if place != "job_id"), *does.parameters]
    found += ["job_id"] if "job_id" in places else []
    operation: dict[str, Any] = {
        "operationId": f"{does.name}{'' if prefix == PEOPLE else '_as_program'}",
        "summary": does.summary,
        "security": _SECURITY[prefix],
        "parameters": [{"$ref": f"#/components/parameters/{name}"} for name in found],
        "responses": {str(does.status): _good(does), **_unchanged(does), **_problems(route, does)},
    }
    if route.method == "POST" and does.name in _TAKES:
        operation["requestBody"] = {"required": True, "content": {JSON: {"schema": _TAKES[does.name]()}}}
    return operation


def _job_body() -> dict[str, Any]:
    bodies = {kind: _REF.format(name=body.__name__) for kind, body in _BODIES.items()}
    return {
        "oneOf": [{"$ref": body} for body in bodies.values()],
        "discriminator": {"propertyName": "kind", "mapping": bodies},
    }


def _body(of: type) -> Callable[[], dict[str, Any]]:
    return lambda: {"$ref": _REF.format(name=of.__name__)}


_TAKES = {"start_job": _job_body, "view_sheet": _body(ViewBody), "trace_number": _body(NumberBody)}
"""What a request's body is, by the name of its operation."""


def _good(does: Does) -> dict[str, Any]:
    text = {"schema": {"type": "string"}}
    content = (
        {CSV: text} if does.answer == CSV else {JSON: {"schema": {"$ref": _REF.format(name=does.answer)}}}
    )
    made: dict[str, Any] = {"description": does.summary, "content": content}
    if does.answer == "Page":
        made["content"][CSV] = text
        made["headers"] = {"Penstock-Next": {"description": "As `next` of JSON.", **text}}
    if does.name == "start_job":
        made["headers"] = {
            "Location": {"description": "The path of the job.", **text},
            "Idempotent-Replayed": {"schema": {"enum": ["true", "false"]}},
            "Retry-After": {"description": "Seconds.", "schema": {"type": "integer", "minimum": 0}},
        }
    if "known" in does.parameters:
        made["headers"] = {**made.get("headers", {}), "ETag": {"description": "Names this answer.", **text}}
    return made


def _unchanged(does: Does) -> dict[str, Any]:
    return {"304": {"description": "The caller has this answer."}} if "known" in does.parameters else {}


def _refusals(function: str) -> Iterable[tuple[int, str]]:
    """Statuses and codes with which a function refuses."""
    if function == "site":
        return CODES.items()
    return (JOB_STATUS if function == "jobs" else READ_STATUS).values()


def _problems(route: Route, does: Does) -> dict[str, Any]:
    codes: defaultdict[int, list[str]] = defaultdict(list)
    for status, code in _refusals(route.function):
        codes[status].append(code)
    content = {MEDIA_TYPE: {"schema": {"$ref": _REF.format(name="Problem")}}}
    return {
        str(status): {"description": f"{', '.join(codes[status])}.", "content": content}
        for status in sorted(set(does.refuses))
    }


def _parameters(reports: Mapping[str, Report]) -> dict[str, Any]:
    text: dict[str, Any] = {"type": "string"}
    name = {"enum": sorted(reports)} if reports else text
    said: Mapping[str, tuple[str, dict[str, Any], str]] = {
        "from": ("from", text, "The first partition, like 2026-11-24-10 or 2026-11-24."),
        "to": ("to", text, "The last partition, included."),
        "rows": ("limit", _number(MOST_ROWS, ROWS), "Rows, at most. A page may have fewer."),
        "partitions": ("limit", _number(MOST_PARTITIONS, PARTITIONS), "Partitions, at most."),
        "jobs": ("limit", _number(100, 20), "Jobs, at most."),
        "cursor": ("cursor", text, "`next` of the page before."),
        "report": ("report", name, "Of this report alone."),
        "days": ("days", _number(MOST_DAYS, USUAL_DAYS), "Days, today included."),
    }
    found = {
        key: {"name": parameter, "in": "query", "description": words, "schema": schema}
        for key, (parameter, schema, words) in said.items()
    }
    values = {"type": "array", "items": text}
    return {
        **found,
        "name": {"name": "name", "in": "path", "required": True, "schema": name},
        **{
            place: {"name": each, "in": "path", "required": True, "schema": text, "description": words}
            for place, each, words in (
                ("dashboard", "name", "Of the dashboard."),
                ("sheet", "sheet", "Id of the sheet."),
                ("file", "file", "Id of the visual, and `.csv`."),
            )
        },
        "version": {
            "name": "v", "in": "query", "required": True, "schema": text,
            "description": "The version, as the list of dashboards says it.",
        },
        "choices": {
            "name": "choices", "in": "query", "style": "form", "explode": True,
            "description": "p.NAME=VALUE, f.FILTER=VALUE, c.VISUAL=VALUE, d.VISUAL=UNIT@START, as the page's "
            "address has them.",
            "schema": {"type": "object", "additionalProperties": values},
        },
        "job_id": {"name": "job_id", "in": "path", "required": True, "schema": text},
        "filters": {
            "name": "filters", "in": "query", "style": "form", "explode": True,
            "description": "COLUMN=VALUE, once or several times: rows that have one of the values.",
            "schema": {"type": "object", "additionalProperties": values},
        },
        "known": {
            "name": "If-None-Match", "in": "header", "schema": text,
            "description": "ETags of answers that the caller has.",
        },
        "key": {
            "name": "Idempotency-Key", "in": "header", "required": True,
            "description": "The same key of the same caller is the same job.",
            "schema": {"type": "string", "pattern": "^[!-~]{1,200}$"},
        },
    }  # fmt: skip


def _number(most: int, usual: int) -> dict[str, Any]:
    return {"type": "integer", "minimum": 1, "maximum": most, "default": usual}


def _schemas(reports: Mapping[str, Report]) -> dict[str, Any]:
    answers = [
        AcceptedAnswer, JobAnswer, JobsAnswer, StepsAnswer, ReportsAnswer, OneReportAnswer, FilesAnswer,
        FreshnessesAnswer, *_BODIES.values(), DashboardsAnswer, SheetAnswer, ViewBody, NumberBody,
        NumberAnswer, FailedAnswer,
    ]  # fmt: skip
    _, made = msgspec.json.schema_components(answers, ref_template=_REF)
    rows = {f"Row_{name}": _row(report) for name, report in reports.items()}
    return {
        **msgspec.json.decode(msgspec.json.encode(made)),  # defaults are tuples
        **rows,
        "Page": {
            "type": "object",
            "description": "A page of rows. `access` says which of the report's rows the caller sees.",
            "required": ["rows", "next", "access"],
            "additionalProperties": False,
            "properties": {
                "rows": {
                    "type": "array",
                    "items": {"anyOf": [{"$ref": _REF.format(name=name)} for name in rows]},
                },
                "next": {"type": ["string", "null"], "description": "To be sent as `cursor`; null: no more."},
                "access": {"enum": ["all", "some", "none"]},
            },
        },
        "Problem": _problem(),
    }


_TYPES: Mapping[str, Mapping[str, Any]] = {
    "bigint": {"type": ["integer", "null"]},
    "integer": {"type": ["integer", "null"]},
    "double": {"type": ["number", "null"]},
    "boolean": {"type": ["boolean", "null"]},
    "date": {"type": ["string", "null"], "format": "date"},
}


def _row(report: Report) -> dict[str, Any]:
    """A row of the report. Timestamps are in UTC, without a zone; decimals are texts."""
    types = {column.name: column.type for column in report.columns}
    text = {"type": ["string", "null"]}
    return {
        "type": "object",
        "description": report.title,
        "required": names_of(report),
        "additionalProperties": False,
        "properties": {
            report.grain: {"type": "string"},
            **{name: dict(_TYPES.get(kind, text)) for name, kind in types.items()},
        },
    }


def _problem() -> dict[str, Any]:
    known = (*JOB_STATUS.values(), *READ_STATUS.values(), *CODES.items(), NO_ROUTE)
    codes = {code for _, code in known}
    text = {"type": "string"}
    return {
        "type": "object",
        "description": "A problem of RFC 9457.",
        "required": ["type", "title", "status", "detail", "request_id"],
        "additionalProperties": False,
        "properties": {
            "type": {"enum": sorted(f"urn:penstock:{code}" for code in codes)},
            "title": text,
            "status": {"type": "integer"},
            "detail": text,
            "request_id": text,
            "job_id": {"type": "string", "description": "Of the job that overlaps."},
        },
    }
