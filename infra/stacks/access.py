"""Policies for people and programs outside the pipeline, for the deployer to attach."""

from aws_cdk import Stack
from constructs import Construct

from infra.deployment import Deployment
from infra.project.project import Project
from infra.stacks.people import policies
from infra.stacks.roles import policy_for_people


class AccessStack(Stack):
    """Managed policies, attached to nobody."""

    def __init__(
        self, scope: Construct, identifier: str, *, project: Project, deployment: Deployment
    ) -> None:
        super().__init__(scope, identifier, description="Penstock: policies for people and programs")
        for name, policy in policies(deployment, project).items():
            policy_for_people(
                self,
                "".join(part.title() for part in name.split("-")),
                name=deployment.role(name),
                description=policy.description,
                grants=policy.grants,
            )
