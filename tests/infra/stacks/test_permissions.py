"""Roles may do what they must and nothing else, asked of the synthesized templates."""

import copy
import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pytest
from ministack.core.iam_evaluator import (
    EvalContext,
    combine_resource_policy,
    evaluate,
    evaluate_trust_policy,
    parse_policy_document,
)

from infra.aws.role_matrix import PAGE, Principal, as_list, page, principals
from infra.aws.synth import PACKAGED
from infra.stacks.people import policies
from infra.stacks.templates import ACCOUNT_ID, REGION, of_type, read
from tests.infra.stacks.decision_places import KEY, LAKE, TRANSFORM, Case, through_lambda
from tests.infra.stacks.decisions import CASES
from tests.shop import SHOP

RESOURCES = read(PACKAGED)
MOST_OF_A_POLICY = 6_144
"""Characters of a managed policy, white space not counted: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html"""
PRINCIPALS = {principal.name.removeprefix("penstock-"): principal for principal in principals(RESOURCES)}


def decide(statements: Sequence[Mapping[str, Any]], case: Case) -> bool:
    context = EvalContext(
        principal_arn=f"arn:aws:sts::{ACCOUNT_ID}:assumed-role/penstock-{case.role}/run",
        principal_type="AssumedRole",
        principal_account=ACCOUNT_ID,
        action=case.action,
        resource_arn=case.resource,
        region=REGION,
        service_context=dict(case.context),
    )
    document = {"Version": "2012-10-17", "Statement": list(statements)}
    return bool(evaluate(context, [parse_policy_document(document)]).decision == "Allow")


@pytest.mark.parametrize("role", sorted({case.role for case in CASES}))
def test_each_role_may_do_what_it_must_and_nothing_else(role: str) -> None:
    wrong = [
        f"{case.action} on {case.resource} {dict(case.context) or ''}: allowed must be {case.allowed}"
        for case in CASES
        if case.role == role and decide(PRINCIPALS[role].statements, case) is not case.allowed
    ]
    assert not wrong, "\n".join(wrong)


def test_at_least_a_hundred_decisions_are_asked_with_three_denials_to_each_grant() -> None:
    counted = Counter((case.role, case.allowed) for case in CASES)
    allowed, denied = (sum(n for (_, yes), n in counted.items() if yes is want) for want in (True, False))
    assert len(CASES) == len({(c.role, c.action, c.resource, *sorted(c.context.items())) for c in CASES})
    assert allowed + denied >= 100
    assert denied >= 3 * allowed


def test_every_role_and_policy_of_the_templates_is_asked() -> None:
    assert set(PRINCIPALS) == {case.role for case in CASES}
    assert set(policies(SHOP.default, SHOP)) <= set(PRINCIPALS)


def _without(statements: Sequence[Mapping[str, Any]]) -> Iterator[tuple[str, list[Mapping[str, Any]]]]:
    for dropped in statements:
        yield str(dropped["Sid"]), [statement for statement in statements if statement is not dropped]


def _widened(statements: Sequence[Mapping[str, Any]]) -> Iterator[tuple[str, list[Mapping[str, Any]]]]:
    for number, statement in enumerate(statements):
        if as_list(statement["Resource"]) == ["*"]:
            continue
        changed: list[Any] = [copy.deepcopy(dict(each)) for each in statements]
        changed[number]["Resource"] = "*"
        yield f"{statement['Sid']} on everything", changed
        if "Condition" in statement:
            changed = [copy.deepcopy(dict(each)) for each in statements]
            del changed[number]["Condition"]
            yield f"{statement['Sid']} without its condition", changed


def _unnoticed(principal: Principal, role: str, *, widening: bool) -> list[str]:
    mutants = _widened(principal.statements) if widening else _without(principal.statements)
    relevant = [case for case in CASES if case.role == role and case.allowed is not widening]
    return [
        what
        for what, statements in mutants
        if all(decide(statements, case) is case.allowed for case in relevant)
    ]


@pytest.mark.parametrize("role", sorted(PRINCIPALS))
def test_dropping_any_statement_breaks_something_that_must_be_allowed(role: str) -> None:
    assert _unnoticed(PRINCIPALS[role], role, widening=False) == []


@pytest.mark.parametrize("role", sorted(PRINCIPALS))
def test_widening_any_statement_allows_something_that_must_be_denied(role: str) -> None:
    assert _unnoticed(PRINCIPALS[role], role, widening=True) == []


def test_no_policy_deletes_objects_or_allows_every_action() -> None:
    actions = {
        action
        for principal in PRINCIPALS.values()
        for statement in principal.statements
        for action in as_list(statement["Action"])
    }
    assert not [action for action in actions if action.startswith("s3:Delete") or "*" in action]


def test_every_policy_for_people_is_small_enough_for_iam() -> None:
    sizes = {
        str(policy.properties["ManagedPolicyName"]): len(
            "".join(json.dumps(policy.properties["PolicyDocument"], separators=(",", ":")).split())
        )
        for policy in of_type(RESOURCES, "AWS::IAM::ManagedPolicy")
    }
    assert {name: size for name, size in sizes.items() if size > MOST_OF_A_POLICY} == {}


def test_nobody_may_delete_an_object_of_the_lake_by_the_evaluator() -> None:
    for role, principal in PRINCIPALS.items():
        for action in ("s3:DeleteObject", "s3:DeleteObjectVersion", "s3:DeleteObjectTagging"):
            assert not decide(principal.statements, Case(role, action, f"{LAKE}/web_events/a.parquet", False))


@pytest.mark.parametrize("name", ["web-source", "web-delivery"])
def test_firehose_assumes_its_roles_for_this_delivery_stream_of_this_account_only(name: str) -> None:
    role = next(r for r in of_type(RESOURCES, "AWS::IAM::Role") if r.name == f"penstock-{name}-{REGION}")
    (statement,) = role.properties["AssumeRolePolicyDocument"]["Statement"]
    assert statement["Principal"] == {"Service": "firehose.amazonaws.com"}
    assert statement["Condition"] == {
        "StringEquals": {"aws:SourceAccount": ACCOUNT_ID},
        "ArnLike": {"aws:SourceArn": f"arn:aws:firehose:{REGION}:{ACCOUNT_ID}:deliverystream/penstock-web"},
    }
    assert not evaluate_trust_policy(
        role.properties["AssumeRolePolicyDocument"], f"arn:aws:iam::{ACCOUNT_ID}:user/somebody"
    )


def test_every_service_principal_is_bound_to_account_and_source() -> None:
    unbound = []
    for resource in RESOURCES:
        document = resource.properties.get("PolicyDocument", {})
        if resource.type not in ("AWS::SQS::QueuePolicy", "AWS::S3::BucketPolicy", "AWS::SNS::TopicPolicy"):
            continue
        for statement in document["Statement"]:
            principal = statement["Principal"]
            if isinstance(principal, dict) and "Service" in principal:
                tests = [each for group in statement.get("Condition", {}).values() for each in group.items()]
                keys = {key.lower() for key, _ in tests}
                if (
                    principal["Service"] == "cloudfront.amazonaws.com"
                ):  # its distribution's ARN has the account
                    assert any(ACCOUNT_ID in str(value) for _, value in tests)
                    keys.add("aws:sourceaccount")
                if not {"aws:sourceaccount", "aws:sourcearn"} <= keys:
                    unbound.append(f"{resource.logical_id}: {statement.get('Sid')}")
    assert not unbound


def test_functions_are_called_by_their_own_rules_only() -> None:
    permissions = list(of_type(RESOURCES, "AWS::Lambda::Permission"))
    assert permissions
    assert all("SourceArn" in permission.properties for permission in permissions)


def test_the_page_of_roles_is_what_the_templates_say() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(principals(RESOURCES)), (
        "Run: python -m infra.aws.role_matrix --write"
    )


def _key_policy() -> Mapping[str, Any]:
    (key,) = of_type(RESOURCES, "AWS::KMS::Key")
    document: Mapping[str, Any] = key.properties["KeyPolicy"]
    return document


def _decrypts(principal_arn: str, statements: Sequence[Mapping[str, Any]], case: Case) -> bool:
    """Whether the key's policy and the caller's own together allow it."""
    context = EvalContext(
        principal_arn=principal_arn,
        principal_type="AssumedRole",
        principal_account=ACCOUNT_ID,
        action=case.action,
        resource_arn=case.resource,
        region=REGION,
        service_context=dict(case.context),
    )
    own = parse_policy_document({"Version": "2012-10-17", "Statement": list(statements)})
    found = combine_resource_policy(
        evaluate(context, [own]), context, _key_policy(), ACCOUNT_ID, required=True
    )
    return bool(found.decision == "Allow")


def _session(role: str) -> str:
    return f"arn:aws:sts::{ACCOUNT_ID}:assumed-role/{role}/run"


READS_KEYS = Case("", "kms:Decrypt", KEY, True, through_lambda(TRANSFORM))


def test_of_all_roles_and_policies_only_the_transforms_own_role_sees_the_pseudonym_keys() -> None:
    seeing = {
        name
        for name, principal in PRINCIPALS.items()
        if _decrypts(_session(f"penstock-{name}-{REGION}"), principal.statements, READS_KEYS)
    }
    assert seeing == {"transform"}


def test_who_reads_configurations_sees_no_keys_until_the_account_lets_them_decrypt() -> None:
    reads = {"Effect": "Allow", "Action": ["lambda:Get*", "lambda:List*"], "Resource": "*"}
    everything = {"Effect": "Allow", "Action": "*", "Resource": "*"}
    at_once = Case("", "kms:Decrypt", KEY, False)
    reader, deployer = _session("read-only"), _session("deployer")
    assert not _decrypts(reader, [reads], READS_KEYS)
    assert _decrypts(deployer, [everything], READS_KEYS)
    assert not _decrypts(deployer, [everything], at_once)
    for action in ("kms:PutKeyPolicy", "kms:DisableKey", "kms:ScheduleKeyDeletion"):
        assert _decrypts(deployer, [everything], Case("", action, KEY, True))
        assert not _decrypts(reader, [reads], Case("", action, KEY, False))


def test_nobody_of_another_account_is_named_by_the_keys_policy() -> None:
    named = {
        principal
        for statement in _key_policy()["Statement"]
        for principal in as_list(statement["Principal"]["AWS"])
    }
    role = f"arn:aws:iam::{ACCOUNT_ID}:role/penstock-transform-{REGION}"
    assert named == {f"arn:aws:iam::{ACCOUNT_ID}:root", role}
