"""Whatever a request says, the API answers, and never with a fault of its own. `make job-requests` asks more often."""

import json
import os
from itertools import count
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from queries.api import handler
from tests.queries.jobs.world import World

BODIES = int(os.environ.get("PENSTOCK_TEST_BODIES", "150"))
ANY = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
HOURS = st.sampled_from(["2026-11-01-00", "2026-11-30-23", "2026-11-31-00", "0000-00-00-00"]) | ANY
NEARLY = st.fixed_dictionaries(
    {"kind": st.sampled_from(["backfill", "import", "erase"]) | ANY},
    optional={
        "report": st.sampled_from(["orders_by_hour", "nothing"]) | ANY,
        "from": HOURS,
        "to": HOURS,
        "force": st.booleans() | ANY,
        "prefix": ANY,
        "source": ANY,
        "why": ANY,
    },
).map(json.dumps)
WHOLE = st.booleans().map(
    lambda force: json.dumps(
        {
            "kind": "backfill",
            "report": "orders_by_hour",
            "from": "2026-11-01-00",
            "to": "2026-11-01-05",
            "force": force,
        }
    )
)
TEXT = st.text(max_size=200) | ANY.map(json.dumps)


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> World:
    made = World(10)
    monkeypatch.setattr(handler, "asking", lambda: made.asking)
    return made


def asked(body: str, key: str) -> Any:
    event = {
        "version": "2.0",
        "routeKey": "POST /iam/v1/jobs",
        "rawPath": "/iam/v1/jobs",
        "headers": {"idempotency-key": key, "content-type": "application/json"},
        "requestContext": {
            "requestId": "r",
            "http": {"method": "POST", "path": "/iam/v1/jobs"},
            "authorizer": {"iam": {"userArn": "arn:aws:iam::111122223333:user/somebody"}},
            "stage": "$default",
        },
        "body": body,
        "isBase64Encoded": False,
    }
    return handler.lambda_handler(event, SimpleNamespace(function_name="api"))  # type: ignore[arg-type]


@settings(max_examples=BODIES, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(body=NEARLY | WHOLE | TEXT)
def test_no_body_is_answered_with_a_fault_of_the_api(world: World, body: str) -> None:
    answer = asked(body, f"key-{next(NUMBERS)}")
    assert answer["statusCode"] in (202, 400, 409, 422, 429), answer
    if answer["statusCode"] >= 400:
        assert json.loads(answer["body"])["detail"]


NUMBERS = count()


def test_a_body_that_is_right_makes_a_job(world: World) -> None:
    body = json.dumps(
        {"kind": "backfill", "report": "orders_by_hour", "from": "2026-11-01-00", "to": "2026-11-01-05"}
    )
    answer = asked(body, "a")
    assert answer["statusCode"] == 202
    assert json.loads(answer["body"])["job_id"] in world.table.active().jobs
