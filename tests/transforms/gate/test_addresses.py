"""What of an address reaches the lake."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from producers.contracts.fields import CAMPAIGN_PARAMETERS
from tests.golden.poison.corpus import ARRIVAL_MS, GOOD, changed
from tests.shop import TABLES, WEB
from transforms.gate.addresses import cleaned, cleaned_row
from transforms.gate.enrich import url_path
from transforms.gate.outcome import Accepted, Failed
from transforms.schema.declarations import gate_of

GATE = gate_of(WEB)
KEPT = frozenset(CAMPAIGN_PARAMETERS)
CASES = {
    "https://shop.example/p/17": "https://shop.example/p/17",
    "https://shop.example/p/17?token=s3cr3t&email=jane%40example.com": "https://shop.example/p/17",
    "https://shop.example/?utm_source=n&token=s&utm_campaign=a": "https://shop.example/?utm_source=n&utm_campaign=a",
    "https://shop.example/?utm_source=n;token=s;utm_term=t": "https://shop.example/?utm_source=n&utm_term=t",
    "https://shop.example/?gclid=x&fbclid=y&utm_sourcex=z&UTM_SOURCE=q": "https://shop.example/",
    "https://jane:pw@shop.example:8443/a": "https://shop.example:8443/a",
    "https://jane@x:pw@shop.example/a?b": "https://shop.example/a",
    "https://jane%40x@shop.example": "https://shop.example",
    "https://shop.example?q=1": "https://shop.example",
    "https://shop.example/a#token=s3cr3t": "https://shop.example/a",
    "https://shop.example/#/r?utm_source=s&token=t": "https://shop.example/",
    "https://shop.example/?utm_source=n#access_token=t": "https://shop.example/?utm_source=n",
    "https://shop.example/?a=1?utm_source=n": "https://shop.example/",
    "//jane@shop.example/a?b": "//shop.example/a",
    "/account?token=s": "/account",
    "/a@b/c": "/a@b/c",
    "jane:pw@shop.example/x": "shop.example/x",
    "mailto:jane@example.com": "example.com",
    "file:///Users/jane/page.html": "file:",
    "data:text/html,jane": "data:",
    "example.com:443": "example.com:443",
    "android-app://com.example/": "android-app://com.example/",
    "?token=s": "",
    "*": "*",
    "-": "-",
}


def row_of(**payload: Any) -> dict[str, Any]:
    outcome = GATE.judge(changed(payload={**GOOD["payload"], **payload}), ARRIVAL_MS)
    assert isinstance(outcome, Accepted), outcome
    row: dict[str, Any] = json.loads(outcome.row)["page_viewed"]
    return row


@pytest.mark.parametrize("address", CASES)
def test_an_address_keeps_its_place_and_the_campaigns_parameters(address: str) -> None:
    assert cleaned(address, KEPT) == CASES[address]
    row = row_of(url=address, referrer=address)
    assert (row["url"], row["referrer"]) == (CASES[address], CASES[address])
    assert row["path"] == url_path(CASES[address].partition("?")[0])


PIECES = st.sampled_from(
    [
        "https://",
        "//",
        "/",
        "?",
        "#",
        "&",
        ";",
        "=",
        "@",
        ":",
        "utm_source",
        "utm_term=",
        "jane",
        "é",
        "\x01",
        '"',
    ]
)
ADDRESSES = st.one_of(
    st.lists(PIECES, min_size=1, max_size=14).map("".join),
    st.text(st.characters(codec="utf-8"), min_size=1, max_size=40),
)


@given(ADDRESSES, ADDRESSES)
def test_the_gate_writes_what_the_pure_function_says_also_from_memory(url: str, referrer: str) -> None:
    for _ in range(2):
        row = row_of(url=url, referrer=referrer)
        assert (row["url"], row["referrer"]) == (cleaned(url, KEPT), cleaned(referrer, KEPT))


@given(ADDRESSES)
def test_what_is_kept_is_no_longer_than_the_address_and_keeps_no_other_parameter(address: str) -> None:
    kept = cleaned(address, KEPT)
    assert len(kept) <= len(address)
    assert "#" not in kept
    _, _, query = kept.partition("?")
    assert {each.partition("=")[0] for each in query.split("&")} <= {*KEPT, ""}


@given(ADDRESSES, st.sampled_from(["seq", "payload", "source"]))
def test_a_name_that_stands_twice_is_found_however_much_of_an_address_is_removed(url: str, name: str) -> None:
    good = changed(payload={**GOOD["payload"], "url": url, "referrer": url})
    member = json.loads(good)[name]
    twice = good[:-1] + f',"{name}":{json.dumps(member)}'.encode() + b"}"
    outcome = GATE.judge(twice, ARRIVAL_MS)
    assert isinstance(outcome, Failed)
    assert outcome.reason == "duplicate_key"


def test_a_row_of_an_earlier_contract_is_replayed_with_its_addresses_shortened() -> None:
    outcome = GATE.judge(changed(), ARRIVAL_MS)
    assert isinstance(outcome, Accepted)
    old = json.loads(outcome.row)
    old["page_viewed"] |= {"url": "https://a:b@x.example/?token=s", "referrer": None}
    row = json.loads(cleaned_row(TABLES["web_events"], json.dumps(old).encode()))
    assert row["page_viewed"]["url"] == "https://x.example/"
    assert {**row, "page_viewed": 0} == {**old, "page_viewed": 0}
