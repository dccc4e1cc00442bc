"""The collector's OpenAPI document: valid, the one that is committed, and true of what the collector answers."""

import json
from pathlib import Path
from typing import Any

import pytest
from openapi_schema_validator import OAS31Validator
from openapi_spec_validator import validate

from infra.collector.commands import API_VERSION
from infra.collector.key_routes import CODES
from infra.collector.openapi import openapi
from producers.collector.problems import TITLES
from tests.producers.collector.bodies import CASES, JSON, TEXT, Body
from tests.producers.collector.world import World
from tests.shop import SHOP

DOCUMENT = openapi(SHOP.streams, API_VERSION)
COMMITTED = Path(__file__).parents[3] / "docs" / "openapi.json"
OUTSIDE = {"bad_time", "time_in_future", "time_too_old", "no_time"}
"""What a schema of shapes does not say: which times there are, and which of them are taken."""
OF_NO_TIME = "an id of the year 10889"


def validator(name: str) -> OAS31Validator:
    """Of one of the document's schemas."""
    return OAS31Validator({"$ref": f"#/components/schemas/{name}", "components": DOCUMENT["components"]})


def test_the_document_is_valid_and_the_committed_one() -> None:
    validate(DOCUMENT)
    assert json.loads(COMMITTED.read_text(encoding="utf-8")) == DOCUMENT, (
        "Run: penstock collector openapi --out docs/openapi.json"
    )


@pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
def test_every_answer_is_one_that_the_document_has(case: Body) -> None:
    headers = {name.replace("-", "_"): value for name, value in case.headers.items()}
    answer = World(**case.allows).send(case.body, case.media, query=case.query, **headers)
    [media, described] = next(
        iter(DOCUMENT["paths"]["/v1/batch"]["post"]["responses"][str(answer.status)]["content"].items())
    )
    assert answer.headers["content-type"] == media
    OAS31Validator({**described["schema"], "components": DOCUMENT["components"]}).validate(
        json.loads(answer.body)
    )


DOCUMENTS = [
    case
    for case in CASES
    if case.media.partition(";")[0].lower() in (JSON, TEXT)
    and case.status in (200, 207, 422)
    and case.name != OF_NO_TIME
]


@pytest.mark.parametrize("case", DOCUMENTS, ids=[case.name for case in DOCUMENTS])
def test_what_keeps_its_contract_is_what_the_document_describes(case: Body) -> None:
    body: Any = json.loads(case.body)
    if set(case.kept.values()) & OUTSIDE:
        return
    is_described = validator("Batch").is_valid(body)
    assert is_described == (not case.kept), list(validator("Batch").iter_errors(body))[:1]


def test_every_problem_is_described_with_its_status() -> None:
    responses = DOCUMENT["paths"]["/v1/batch"]["post"]["responses"]
    for code, (status, _) in TITLES.items():
        if status not in (404, 405):
            assert (f"{code}: " in responses[str(status)]["description"]) == (code not in CODES)
    create = DOCUMENT["paths"]["/v1/keys"]["post"]["responses"]
    assert create["422"]["description"] == f"invalid_key: {TITLES['invalid_key'][1]}."
    assert "Retry-After" in responses["503"]["headers"]
