"""Who may do what is read from what the gateway has found out, and from nothing that the client says."""

from typing import Any

import pytest

from queries.api.bodies import read_key, read_request
from queries.api.callers import ForbiddenError, UnknownCallerError, caller_of
from queries.jobs.errors import RequestError
from queries.jobs.state import Backfill


def signed_in(groups: Any) -> dict[str, Any]:
    return {"authorizer": {"jwt": {"claims": {"sub": "abc", "cognito:groups": groups}}}}


@pytest.mark.parametrize(
    ("groups", "operates", "views"),
    [
        ("[operators]", True, True),
        ("[viewers operators]", True, True),
        ("[viewers]", False, True),
        (["viewers"], False, True),
        ("[operators2]", False, False),
        ("", False, False),
    ],
)
def test_a_person_may_do_what_the_groups_of_the_token_allow(groups: Any, operates: bool, views: bool) -> None:
    caller = caller_of(signed_in(groups))
    assert (caller.subject, caller.operates, caller.views) == ("user:abc", operates, views)
    if not views:
        with pytest.raises(ForbiddenError, match="operators and viewers"):
            caller.must_view()
    if not operates:
        with pytest.raises(ForbiddenError, match="group operators"):
            caller.must_operate()


def test_a_principal_of_iam_is_named_by_its_arn() -> None:
    caller = caller_of({"authorizer": {"iam": {"userArn": "arn:aws:iam::1:user/a"}}})
    assert (caller.subject, caller.operates) == ("iam:arn:aws:iam::1:user/a", True)


@pytest.mark.parametrize(
    "context", [{}, {"authorizer": None}, {"authorizer": {"iam": {}}}, {"authorizer": {"lambda": {}}}]
)
def test_a_request_of_nobody_is_refused(context: dict[str, Any]) -> None:
    with pytest.raises(UnknownCallerError):
        caller_of(context)


def test_a_body_is_read_whole_or_refused_with_the_member_that_is_wrong() -> None:
    body = b'{"kind": "backfill", "report": "a", "from": "2026-11-24-10", "to": "2026-11-24-11"}'
    assert read_request(body) == Backfill(report="a", first="2026-11-24-10", last="2026-11-24-11")
    for wrong, words in (
        (b"", "truncated"),
        (b"[" * 100_000, "Send a JSON object"),
        (body.replace(b'"a"', b'""'), "report"),
        (body.replace(b"backfill", b"erase"), "erase"),
        (body.replace(b'"to"', b'"till"'), "till"),
    ):
        with pytest.raises(RequestError, match=words):
            read_request(wrong)


@pytest.mark.parametrize("key", [None, "", " ", "a b", "ä", "a\n", "a" * 201])
def test_a_key_that_cannot_be_one_is_refused_with_what_it_may_be(key: str | None) -> None:
    assert read_key("a" * 200) == "a" * 200
    with pytest.raises(RequestError, match="1 to 200 visible ASCII"):
        read_key(key)
