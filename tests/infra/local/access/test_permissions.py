"""`penstock local check` proves each role's permissions, and notices what is taken away or given too much."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from typer.testing import CliRunner

from infra.aws.outputs import Outputs
from infra.command.cli import app
from infra.command.exits import Exit
from infra.command.local_check_cli import _facts, _sentence
from infra.local.access import permissions_check as rights_check
from infra.local.access.expected_permissions import Question, questions
from infra.local.access.permissions_check import ROLE, Checked, Verdict
from infra.local.cloud import LocalCloud
from tests.shop import SHOP

PREFIX = SHOP.default.prefix
QUERIES = f"{PREFIX}-queries"


def _check(cloud: LocalCloud) -> Checked:
    names = Outputs.from_document(cloud.outputs)
    deployed = rights_check.deployed(cloud.outputs, names.region)
    asked = questions(names, PREFIX, SHOP)
    keys = rights_check.key_policies(cloud.context.client("kms"), asked)
    return rights_check.check(cloud.context.client("iam"), deployed, asked, keys)


@pytest.mark.cloud
def test_every_deployed_role_may_what_it_must_and_nothing_that_it_must_not(local_cloud: LocalCloud) -> None:
    found = _check(local_cloud)
    assert found.is_right, [*map(_sentence, found.wrong), *found.unasked, *found.missing]
    asked = [verdict.question.allowed for verdict in found.verdicts]
    assert asked.count(False) >= 3 * asked.count(True) >= 150


@pytest.fixture
def inline(local_cloud: LocalCloud) -> Iterator[tuple[Any, str, str]]:
    """(IAM, the query function's role, the name of its policy), put back afterwards."""
    iam, names = local_cloud.context.client("iam"), Outputs.from_document(local_cloud.outputs)
    _, role = rights_check.deployed(local_cloud.outputs, names.region)[QUERIES]
    policy = iam.list_role_policies(RoleName=role)["PolicyNames"][0]
    before = json.dumps(iam.get_role_policy(RoleName=role, PolicyName=policy)["PolicyDocument"])
    yield iam, role, policy
    iam.put_role_policy(RoleName=role, PolicyName=policy, PolicyDocument=before)


@pytest.mark.cloud
def test_a_grant_that_is_missing_and_one_that_is_too_wide_are_named(
    local_cloud: LocalCloud, inline: tuple[Any, str, str]
) -> None:
    iam, role, policy = inline
    statement = {"Effect": "Allow", "Action": "s3:*", "Resource": "*"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    iam.put_role_policy(RoleName=role, PolicyName=policy, PolicyDocument=document)
    found = _check(local_cloud)
    assert {verdict.question.principal for verdict in found.wrong} == {QUERIES}
    told = "\n".join(map(_sentence, found.wrong))
    assert f"{QUERIES}: s3:DeleteObject on " in told
    assert "is allowed, and must not be: narrow the grant" in told
    assert f"{QUERIES}: sqs:ReceiveMessage on " in told
    assert "is denied (implicitDeny), and the chain needs it" in told


def test_a_role_that_nobody_asks_about_and_one_that_is_not_deployed_are_reported() -> None:
    document = {
        "stacks": {
            "s": {"resources": {"A": {"type": ROLE, "id": "new-us-east-1"}, "B": {"type": "X", "id": "b"}}}
        }
    }
    deployed = rights_check.deployed(document, "us-east-1")
    assert deployed == {"new": (ROLE, "new-us-east-1")}
    found = rights_check.check(None, deployed, [Question("old", "s3:GetObject", "*", True)])
    assert (found.unasked, found.missing, found.is_right) == (["new"], ["old"], False)


def test_facts_say_of_a_wrong_answer_all_that_is_needed_to_ask_again() -> None:
    question = Question("r", "s3:ListBucket", "arn:aws:s3:::b", False, {"s3:prefix": "x/"})
    facts = _facts(Checked([Verdict(question, "allowed")], [], []))
    assert facts["right"] is False
    assert facts["wrong"] == [
        {
            "role": "r", "action": "s3:ListBucket", "resource": "arn:aws:s3:::b", "context": {"s3:prefix": "x/"},
            "must_be_allowed": False, "decision": "allowed",
        }
    ]  # fmt: skip


def test_without_a_local_cloud_there_is_nothing_to_check(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    from infra.command.cli import main

    monkeypatch.chdir(tmp_path_factory.mktemp("empty"))
    assert main(["local", "check"]) == Exit.NO_TARGET
    assert CliRunner().invoke(app, ["local", "check", "--help"]).exit_code == Exit.OK
