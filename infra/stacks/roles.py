"""Grants as IAM resources: roles that services assume, and policies that people's roles are given."""

from collections.abc import Mapping, Sequence
from typing import Any

from aws_cdk import Fn
from aws_cdk import aws_iam as iam
from constructs import Construct, IConstruct

from infra.stacks.findings import accept
from infra.stacks.permissions import Grant


def runtime_role(
    scope: Construct,
    identifier: str,
    *,
    name: str,
    service: str,
    grants: Sequence[Grant],
    trust_conditions: Mapping[str, Any] | None = None,
) -> iam.Role:
    """A role whose whole policy is there from the moment it exists, trusted for one service."""
    role = iam.Role(
        scope,
        identifier,
        role_name=Fn.sub(name),
        assumed_by=iam.ServicePrincipal(service, conditions=substituted(trust_conditions or {})),
        inline_policies={"runtime": iam.PolicyDocument(statements=[_statement(grant) for grant in grants])},
    )
    _explain(role, grants)
    return role


def policy_for_people(
    scope: Construct, identifier: str, *, name: str, description: str, grants: Sequence[Grant]
) -> iam.ManagedPolicy:
    """A policy that the deployer attaches to whom it is for."""
    policy = iam.ManagedPolicy(
        scope,
        identifier,
        managed_policy_name=Fn.sub(name),
        description=description,
        statements=[_statement(grant) for grant in grants],
    )
    _explain(policy, grants)
    return policy


def substituted(value: Any) -> Any:
    """The value with its pseudo parameters for CloudFormation to fill in."""
    if isinstance(value, Mapping):
        return {name: substituted(member) for name, member in value.items()}
    if isinstance(value, list):
        return [substituted(member) for member in value]
    return Fn.sub(value) if isinstance(value, str) and "${" in value else value


def _statement(grant: Grant) -> iam.PolicyStatement:
    return iam.PolicyStatement(
        sid=grant.sid,
        actions=list(grant.actions),
        resources=substituted(list(grant.resources)),
        conditions=substituted(grant.conditions) or None,
    )


def _explain(construct: IConstruct, grants: Sequence[Grant]) -> None:
    reasons = {
        f"AwsSolutions::AwsSolutions-IAM5[Resource::{_as_reported(resource)}]": grant.why_wildcard
        for grant in grants
        for resource in grant.resources
        if "*" in resource
    }
    if reasons:
        accept(construct, reasons)


def _as_reported(resource: str) -> str:
    return resource.replace("${", "<").replace("}", ">")
