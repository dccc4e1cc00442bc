import copy
import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.shop import SHOP, STREAMS, WEB
from transforms.schema.declarations import declaration_findings
from transforms.schema.evolution import check, describe, release_text, released

Change = Callable[[dict[str, Any]], object]


def before() -> dict[str, Any]:
    """The present contract, as if released; a test changes it so that the present one is the change."""
    found: dict[str, Any] = copy.deepcopy(json.loads(json.dumps(describe(WEB))))
    return found


def page(contract: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = contract["types"]["page_viewed.1"]["fields"]
    return found


def items(contract: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = contract["types"]["order_placed.1"]["fields"]["items"]
    return found


FORBIDDEN: dict[str, Change] = {
    "a removed field": lambda c: page(c).update(gone={"required": False, "type": "array<string>"}),
    "a query parameter kept that was removed": lambda c: page(c)["url"].update(query=["utm_source"]),
    "a renamed field": lambda c: page(c).update(uri=page(c).pop("url")),
    "a new required field": lambda c: page(c).pop("status"),
    "another type": lambda c: page(c)["status"].update(type="string"),
    "optional made required": lambda c: page(c)["status"].update(required=False),
    "null no longer allowed": lambda c: page(c)["status"].update(nullable=True),
    "a higher minimum": lambda c: page(c)["status"].update(ge=0),
    "a new minimum": lambda c: page(c)["status"].pop("ge"),
    "a lower maximum": lambda c: page(c)["status"].update(le=999),
    "a shorter text": lambda c: page(c)["url"].update(max_length=8192),
    "a longer least text": lambda c: page(c)["url"].update(min_length=0),
    "another pattern": lambda c: c["envelope"]["source"].update(pattern="^.*$"),
    "a new pattern": lambda c: c["envelope"]["source"].pop("pattern"),
    "a value taken away": lambda c: c["types"]["cart_updated.1"]["fields"]["action"]["values"].append(
        "saved"
    ),
    "personal no more": lambda c: page(c)["status"].update(personal="status_key"),
    "another personal column": lambda c: page(c)["client_address"].update(personal="other_key"),
    "a derived column taken away": lambda c: page(c)["url"]["derive"].update(host="url_host"),
    "a type removed": lambda c: c["types"].update({"gone.1": c["types"]["heartbeat.1"]}),
    "a type no longer delivered": lambda c: c["types"]["heartbeat.1"].update(delivered=True),
    "fewer items": lambda c: items(c).update(max_length=9999),
    "narrower items": lambda c: items(c)["items"]["fields"]["quantity"].update(le=99_999),
    "a member of items removed": lambda c: items(c)["items"]["fields"].update(
        x={"required": False, "type": "string"}
    ),
    "a new required member of items": lambda c: items(c)["items"]["fields"].pop("quantity"),
}

ALLOWED: dict[str, Change] = {
    "nothing": lambda c: None,
    "a new optional field": lambda c: page(c).pop("referrer"),
    "a new type": lambda c: c["types"].pop("heartbeat.1"),
    "required made optional": lambda c: page(c)["referrer"].update(required=True, nullable=False),
    "a lower minimum": lambda c: page(c)["status"].update(ge=200),
    "a higher maximum": lambda c: page(c)["status"].update(le=500),
    "a longer text": lambda c: page(c)["url"].update(max_length=100),
    "a pattern taken away": lambda c: page(c)["url"].update(pattern="^x"),
    "a value added": lambda c: c["types"]["cart_updated.1"]["fields"]["action"]["values"].remove("removed"),
    "a field made personal": lambda c: page(c)["user_id"].pop("personal"),
    "a derived column added": lambda c: page(c)["url"].pop("derive"),
}


@pytest.mark.parametrize("name", FORBIDDEN)
def test_a_forbidden_change_is_refused_with_file_line_and_remedy(name: str) -> None:
    contract = before()
    FORBIDDEN[name](contract)
    findings = check(WEB, contract)
    assert findings
    for finding in findings:
        assert finding.file.endswith(".py")
        assert finding.line >= 1
        assert finding.what
        assert finding.remedy


@pytest.mark.parametrize("name", ALLOWED)
def test_an_allowed_change_passes(name: str) -> None:
    contract = before()
    ALLOWED[name](contract)
    assert check(WEB, contract) == []


def test_a_finding_stands_at_the_line_of_its_field() -> None:
    contract = before()
    page(contract)["status"].update(le=999)
    (finding,) = check(WEB, contract)
    with open(finding.file) as source:  # noqa: PTH123
        assert source.readlines()[finding.line - 1].strip().startswith("status:")


def test_the_present_contracts_keep_their_release_and_their_rules() -> None:
    assert list(declaration_findings(STREAMS, SHOP.folders.streams)) == []
    for stream in STREAMS.values():
        kept = released(SHOP.folders.streams, stream)
        assert kept is not None
        assert check(stream, kept) == []
        assert json.loads(release_text(stream)) == kept
