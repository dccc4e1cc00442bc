"""What the functions of the HTTP API answer when AppSync asks them."""

from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

import pytest

from queries.api import handler as jobs_handler
from queries.api.callers import ForbiddenError, UnknownCallerError
from queries.api.reading import handler as reports_handler
from queries.jobs.errors import RequestError
from queries.jobs.state import Job
from queries.updates.job_answer import job_answer
from tests.queries.api.reading.world import World
from tests.queries.updates.things import IMPORTED, PLANNED

VIEWER = {"sub": "a", "claims": {"sub": "a", "cognito:groups": ["viewers"]}, "groups": ["viewers"]}
PROGRAM = {"accountId": "1", "userArn": "arn:aws:iam::1:user/a", "username": "a"}
STRANGER = {"sub": "b", "claims": {"sub": "b"}, "groups": None}


class Table:
    def job(self, job_id: str) -> Job | None:
        return {each.job_id: each for each in (PLANNED, IMPORTED)}.get(job_id)

    def newest(self, limit: int) -> Sequence[Job]:
        return [IMPORTED, PLANNED][:limit]


@pytest.fixture(autouse=True)
def deployed(monkeypatch: pytest.MonkeyPatch) -> World:
    world = World()
    monkeypatch.setattr(jobs_handler, "jobs", lambda: SimpleNamespace(table=Table()))
    monkeypatch.setattr(reports_handler, "reading", lambda: world.reading)
    return world


def asked(handler: Any, field: str, identity: Any, **arguments: Any) -> Any:
    event = {
        "arguments": arguments,
        "identity": identity,
        "source": None,
        "request": {"headers": {}},
        "prev": None,
        "info": {
            "fieldName": field,
            "parentTypeName": "Query",
            "selectionSetList": ["jobId"],
            "variables": {},
        },
        "stash": {},
    }
    return handler.lambda_handler(event, SimpleNamespace(function_name="api"))


@pytest.mark.parametrize("identity", [VIEWER, PROGRAM])
def test_jobs_are_given_to_viewers_and_to_programs(identity: Any) -> None:
    assert asked(jobs_handler, "job", identity, jobId="one") == job_answer(PLANNED)
    assert asked(jobs_handler, "job", identity, jobId="nothing") is None
    newest = [job_answer(IMPORTED), job_answer(PLANNED)]
    for limit in ({}, {"limit": None}, {"limit": 20}):
        assert asked(jobs_handler, "jobs", identity, **limit) == newest
    assert asked(jobs_handler, "jobs", identity, limit=1) == newest[:1]


@pytest.mark.parametrize("limit", [0, -1, 101, 10**9])
def test_a_limit_out_of_range_is_refused(limit: int) -> None:
    with pytest.raises(RequestError, match="from 1 to 100"):
        asked(jobs_handler, "jobs", VIEWER, limit=limit)


def test_reports_are_given_as_the_groups_see_them() -> None:
    found = {each["name"]: each for each in asked(reports_handler, "reports", VIEWER)}
    assert {name: each["access"] for name, each in found.items()} == {"sales": "none", "plain": "all"}
    told = {each["name"]: each["access"] for each in asked(reports_handler, "reports", PROGRAM)}
    assert told == {"sales": "all", "plain": "all"}


@pytest.mark.parametrize(("handler", "field"), [(jobs_handler, "jobs"), (reports_handler, "reports")])
def test_the_functions_do_not_trust_that_appsync_has_looked(handler: Any, field: str) -> None:
    with pytest.raises(ForbiddenError):
        asked(handler, field, STRANGER)
    with pytest.raises(UnknownCallerError):
        asked(handler, field, None)
