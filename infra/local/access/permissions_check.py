"""The permissions of the deployed roles, asked of the local IAM.

SimulatePrincipalPolicy for roles, SimulateCustomPolicy for the policies of people; where the question has
condition keys, the validator that decides calls when permissions are enforced.
"""

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from infra.local.access.expected_permissions import Question
from infra.local.parts.context import ACCOUNT_ID, REGION

ROLE, POLICY = "AWS::IAM::Role", "AWS::IAM::ManagedPolicy"


@dataclass(frozen=True)
class Verdict:
    """A question with IAM's decision: `allowed`, or a word for why not."""

    question: Question
    decision: str

    @property
    def is_right(self) -> bool:
        """Whether IAM decides as it must."""
        return (self.decision == "allowed") is self.question.allowed


@dataclass(frozen=True)
class Checked:
    """What was found.

    Attributes:
        verdicts: one per question about a principal that is deployed.
        unasked: deployed principals that no question is about; nothing is proved of them.
        missing: principals that questions are about and that are not deployed.
    """

    verdicts: Sequence[Verdict]
    unasked: Sequence[str]
    missing: Sequence[str]

    @property
    def wrong(self) -> list[Verdict]:
        """Where IAM decides otherwise than it must."""
        return [verdict for verdict in self.verdicts if not verdict.is_right]

    @property
    def is_right(self) -> bool:
        """Whether every role was asked about and every answer is as it must be."""
        return not (self.wrong or self.unasked or self.missing)


def deployed(document: Mapping[str, Any], region: str) -> dict[str, tuple[str, str]]:
    """Name without the region to (type, id) of each role and policy in what the deployer wrote."""
    found = {}
    for stack in document["stacks"].values():
        for resource in stack["resources"].values():
            if resource["type"] in (ROLE, POLICY):
                name = str(resource["id"]).rpartition("/")[2]
                found[name.removesuffix(f"-{region}")] = (resource["type"], str(resource["id"]))
    return found


def key_policies(kms: Any, asked: Sequence[Question]) -> dict[str, str]:
    """ARN to policy of each KMS key that is asked about. `kms` is a boto3 client. Raises ClientError."""
    keys = {each.resource for each in asked if each.resource.startswith("arn:aws:kms:")}
    return {key: kms.get_key_policy(KeyId=key, PolicyName="default")["Policy"] for key in sorted(keys)}


def check(
    iam: Any,
    principals: Mapping[str, tuple[str, str]],
    asked: Sequence[Question],
    keys: Mapping[str, str] = MappingProxyType({}),
) -> Checked:
    """Ask everything. `iam` is a boto3 client of the local IAM, `keys` what `key_policies` found.

    Raises ClientError.
    """
    policies = {
        name: _policies(iam, *principals[name]) for name in {q.principal for q in asked} & principals.keys()
    }
    groups: defaultdict[tuple[str, str], list[Question]] = defaultdict(list)
    verdicts: list[Verdict] = []
    for each in asked:
        if each.principal not in principals:
            continue
        if each.context or each.resource in keys:
            decision = _evaluated(each, policies[each.principal], keys.get(each.resource))
            verdicts.append(Verdict(each, decision))
        else:
            groups[each.principal, each.resource].append(each)
    for (principal, resource), group in groups.items():
        decisions = _simulated(iam, policies[principal], [each.action for each in group], resource)
        verdicts += [Verdict(each, decisions[each.action]) for each in group]
    named = {each.principal for each in asked}
    return Checked(verdicts, sorted(principals.keys() - named), sorted(named - principals.keys()))


@dataclass(frozen=True)
class _Policies:
    """What IAM holds of a principal: a role's arn, or none for a policy; and the documents."""

    role_arn: str
    documents: Sequence[str]


def _policies(iam: Any, kind: str, identity: str) -> _Policies:
    if kind == POLICY:
        return _Policies("", [_managed(iam, identity)])
    inline = iam.list_role_policies(RoleName=identity)["PolicyNames"]
    documents = [iam.get_role_policy(RoleName=identity, PolicyName=name)["PolicyDocument"] for name in inline]
    attached = iam.list_attached_role_policies(RoleName=identity)["AttachedPolicies"]
    arn = iam.get_role(RoleName=identity)["Role"]["Arn"]
    return _Policies(
        arn, [*map(json.dumps, documents), *(_managed(iam, policy["PolicyArn"]) for policy in attached)]
    )


def _managed(iam: Any, arn: str) -> str:
    version = iam.get_policy(PolicyArn=arn)["Policy"]["DefaultVersionId"]
    return json.dumps(iam.get_policy_version(PolicyArn=arn, VersionId=version)["PolicyVersion"]["Document"])


def _simulated(iam: Any, of: _Policies, actions: Sequence[str], resource: str) -> dict[str, str]:
    """Action to decision."""
    arguments = {"ActionNames": list(actions), "ResourceArns": [resource]}
    if of.role_arn:
        answer = iam.simulate_principal_policy(PolicySourceArn=of.role_arn, **arguments)
    else:
        answer = iam.simulate_custom_policy(PolicyInputList=list(of.documents), **arguments)
    return {each["EvalActionName"]: each["EvalDecision"] for each in answer["EvaluationResults"]}


def _evaluated(question: Question, of: _Policies, key_policy: str | None) -> str:
    """The decision where the call has condition keys, which MiniStack's simulation overlooks, or is about a
    KMS key: its policy must allow it too, and allows by itself whom it names.
    """
    from ministack.core.iam_evaluator import (
        EvalContext,
        combine_resource_policy,
        evaluate,
        parse_policy_document,
    )

    role = of.role_arn.rpartition("/")[2] or question.principal
    context = EvalContext(
        principal_arn=f"arn:aws:sts::{ACCOUNT_ID}:assumed-role/{role}/check",
        principal_type="AssumedRole",
        principal_account=ACCOUNT_ID,
        action=question.action,
        resource_arn=question.resource,
        region=REGION,
        service_context={name.lower(): value for name, value in question.context.items()},
    )
    decided = evaluate(context, [parse_policy_document(json.loads(each)) for each in of.documents])
    if key_policy is not None:
        decided = combine_resource_policy(decided, context, key_policy, ACCOUNT_ID, required=True)
    return "allowed" if decided.decision == "Allow" else f"{decided.decision}"
