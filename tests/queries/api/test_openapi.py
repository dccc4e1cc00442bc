"""The OpenAPI document of jobs and reports: valid, the one that is committed, and true of what is answered."""

import json
import re
import secrets
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
import pytest
from openapi_schema_validator import OAS31Validator
from openapi_spec_validator import validate

from queries.api.history import with_steps_of
from queries.api.openapi import openapi
from queries.api.presenting import accepted, shown, summary
from queries.api.problems import STATUS as JOB_STATUS
from queries.api.problems import problem
from queries.api.reading.problems import STATUS as READ_STATUS
from queries.api.routes import PEOPLE, PROGRAMS, ROUTES, SITE_ROUTES
from queries.api.site_answers import CODES, ViewBody
from tests.queries.api.reading.world import PLAIN, SALES, Answer, World, sale
from tests.queries.jobs.world import REQUEST
from tests.queries.jobs.world import World as Jobs
from tests.shop import SHOP

COMMITTED = Path(__file__).parents[3] / "docs" / "openapi-api.json"
DOCUMENT = openapi({report.name: report for report in (SALES, PLAIN)})
HOUR = "2026-11-24-10"


def valid(schema: Any, value: Any) -> None:
    OAS31Validator({**schema, "components": DOCUMENT["components"]}).validate(value)


def component(name: str) -> dict[str, str]:
    return {"$ref": f"#/components/schemas/{name}"}


def test_the_document_is_valid_and_the_committed_one() -> None:
    shops = openapi(SHOP.reports)
    validate(shops)
    validate(DOCUMENT)
    assert json.loads(COMMITTED.read_text(encoding="utf-8")) == shops, (
        "Run: penstock api openapi --out docs/openapi-api.json"
    )


def test_the_document_has_every_route_for_people_and_most_for_programs_and_no_other() -> None:
    found = {
        (method.upper(), path): operation
        for path, methods in DOCUMENT["paths"].items()
        for method, operation in methods.items()
    }
    assert set(found) == {
        *((route.method, f"{prefix}{route.path}") for route in ROUTES for prefix in (PEOPLE, PROGRAMS)),
        *((route.method, f"{PEOPLE}{route.path}") for route in SITE_ROUTES),
    }
    for (_, path), operation in found.items():
        assert operation["security"] == [{"signed_in" if path.startswith(PEOPLE) else "signature": []}]


def test_the_function_answers_every_route_that_is_its_own() -> None:
    world = World()
    for route in ROUTES:
        if route.function == "reader":
            path = route.path.replace("{name}", "sales")
            assert world.get(path, method=route.method).status == 200
    assert len([route for route in ROUTES if route.function == "reader"]) == 5


def requests() -> Iterator[tuple[str, str, Answer]]:
    """(method, path of the document, answer) of requests of every kind."""
    world = World()
    row = sale("DE", "a", share=0.5, amount=Decimal("1.20"), is_new=False, day=date(2026, 11, 24))
    world.publish(SALES, HOUR, [row, sale(None, "b")])
    world.publish(PLAIN, "2026-11-24", [{"name": "a"}])
    world.mark(SALES, "2026-11-24-11")
    broken = World()
    broken.publish(SALES, HOUR, [sale("DE", "a")], counted=7)
    gone = {"cursor": world.get("/v1/reports/sales/rows", query={"limit": 1}).json["next"]}
    for world_, path, options in (
        (world, "/v1/reports", {}), (world, "/v1/reports", {"query": "a=1"}), (world, "/v1/reports", {"groups": ""}),
        (world, "/v1/reports/sales", {}), (world, "/v1/reports/x", {}),
        (world, "/v1/reports/sales/rows", {}), (world, "/v1/reports/sales/rows", {"query": "limit=1"}),
        (world, "/v1/reports/plain/rows", {"groups": "viewers"}), (world, "/v1/reports/x/rows", {}),
        (world, "/v1/reports/sales/rows", {"query": "limit=x"}), (world, "/v1/reports/sales/rows", {"accept": "a/b"}),
        (world, "/v1/reports/sales/rows", {"if_none_match": "*"}), (broken, "/v1/reports/sales/rows", {}),
        (world, "/v1/reports/sales/rows", {"accept": "text/csv"}),
        (world, "/v1/reports/sales/files", {}), (world, "/v1/reports/sales/files", {"groups": "viewers"}),
        (world, "/v1/freshness", {}), (world, "/v1/freshness", {"query": "report=sales&limit=1"}),
        (world, "/v1/freshness", {"query": "report=x"}),
    ):  # fmt: skip
        named = path.replace("/sales", "/{name}").replace("/plain", "/{name}").replace("/x", "/{name}")
        yield "get", f"{PEOPLE}{named}", world_.get(path, **options)
    for _ in range(5):
        world.publish(SALES, HOUR, [sale("DE", "a")])
    yield "get", f"{PEOPLE}/v1/reports/{{name}}/rows", world.get("/v1/reports/sales/rows", query=gone)


def test_every_answer_about_reports_is_one_that_the_document_has() -> None:
    statuses = set()
    for method, path, answer in requests():
        described = DOCUMENT["paths"][path][method]["responses"][str(answer.status)]
        statuses.add(answer.status)
        for name in described.get("headers", {}):
            assert name == "Penstock-Next" or name.lower() in answer.headers
        if answer.status == 304:
            continue
        content = described["content"][answer.headers["content-type"].partition(";")[0]]
        if "json" in answer.headers["content-type"]:
            valid(content["schema"], answer.json)
    assert statuses == {200, 304, 400, 403, 404, 406, 410, 503}


def test_an_answer_that_the_document_does_not_have_is_found() -> None:
    page: dict[str, Any] = {"rows": [], "next": None, "access": "all"}
    valid(component("Page"), page)
    for wrong in (page | {"access": "few"}, page | {"more": 1}, page | {"rows": [{"event_hour": HOUR}]}):
        with pytest.raises(Exception, match=r"not one of|unexpected|not valid"):
            valid(component("Page"), wrong)


def test_what_is_answered_about_jobs_is_what_the_document_has() -> None:
    jobs = Jobs(200, broken=["000-01"])
    started = jobs.asking.start("user:a", secrets.token_hex(4), REQUEST)
    valid(component("AcceptedAnswer"), json.loads(json.dumps(accepted(started.job))))
    over = jobs.run(started.job.job_id)
    assert over.failed
    for job in (started.job, over):
        valid(component("JobAnswer"), json.loads(json.dumps(shown(job))))
        valid(component("JobsAnswer"), {"jobs": [json.loads(json.dumps(summary(job)))]})
    line = {
        "message": "step",
        "attempt": 1,
        "step": "chunk_failed",
        "timestamp": "2026-11-24 10:00:00,123+0000",
    }
    valid(component("StepsAnswer"), {"steps": with_steps_of([], [line], 1), "lines": [line]})
    body = {"kind": "backfill", **msgspec.to_builtins(REQUEST)}
    valid(component("BackfillBody"), body)
    with pytest.raises(Exception, match="unexpected"):
        valid(component("BackfillBody"), body | {"why": 1})
    valid(component("ImportBody"), {"kind": "import", "prefix": "a/", "source": "flights"})


def test_a_view_is_asked_for_as_the_document_says() -> None:
    valid(component("ViewBody"), {"sheet": "overview", "version": "1", "state": "f.a=b"})
    with pytest.raises(Exception, match="unexpected"):
        valid(component("ViewBody"), {"sheet": "a", "version": "1", "more": 1})
    with pytest.raises(msgspec.ValidationError):
        msgspec.json.decode(b'{"sheet":"","version":"1"}', type=ViewBody)


def test_every_path_names_its_parameters() -> None:
    for path, methods in DOCUMENT["paths"].items():
        for operation in methods.values():
            found = [
                DOCUMENT["components"]["parameters"][each["$ref"].rpartition("/")[2]]
                for each in operation["parameters"]
            ]
            places = [each["name"] for each in found if each["in"] == "path"]
            assert sorted(places) == sorted(re.findall(r"{(\w+)}", path)), path


def test_every_refusal_has_a_status_and_a_code_of_the_document() -> None:
    for error, (status, _) in JOB_STATUS.items():
        answer = problem(error("a"), "r-1")
        assert answer.status_code == status
        valid(component("Problem"), json.loads(answer.body or ""))
    for status, code in (*JOB_STATUS.values(), *READ_STATUS.values(), *CODES.items()):
        assert any(
            code in responses[str(status)]["description"]
            for methods in DOCUMENT["paths"].values()
            for responses in (operation["responses"] for operation in methods.values())
            if str(status) in responses
        )
