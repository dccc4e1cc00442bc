"""A Lambda function of the pipeline: arm64, own role, own log group, traced, its code from
`infra.stacks.artefact_zips`.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

from aws_cdk import Duration, RemovalPolicy, Size
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from constructs import Construct

from infra.project.project import Folders
from infra.stacks.artefact_zips import asset_hash
from infra.stacks.artefacts import Artefact
from infra.stacks.findings import accept
from infra.stacks.permissions import Grant
from infra.stacks.roles import runtime_role

_RETENTION = {
    7: logs.RetentionDays.ONE_WEEK,
    30: logs.RetentionDays.ONE_MONTH,
    90: logs.RetentionDays.THREE_MONTHS,
}


def log_group_name(function: str) -> str:
    """Lambda's own name for it, so that every console finds it."""
    return f"/aws/lambda/{function}"


def kept_logs(scope: Construct, identifier: str, name: str, days: int) -> logs.LogGroup:
    """A log group that expires; `days` is one of 7, 30 and 90."""
    return logs.LogGroup(
        scope,
        identifier,
        log_group_name=name,
        retention=_RETENTION[days],
        removal_policy=RemovalPolicy.DESTROY,
    )


class PipelineFunction(Construct):
    """The function with what belongs to it. `function`, `role` and `log_group` are its parts."""

    def __init__(
        self,
        scope: Construct,
        identifier: str,
        *,
        name: str,
        role_name: str,
        artefact: Artefact,
        folders: Folders,
        code: Path,
        environment: Mapping[str, str],
        grants: Sequence[Grant],
        memory: int,
        timeout_seconds: int,
        log_days: int,
        reserved_concurrency: int | None = None,
        scratch_mebibytes: int | None = None,
    ) -> None:
        """`scratch_mebibytes` is the room of its temporary folder where Lambda's 512 MB do not suffice."""
        super().__init__(scope, identifier)
        self.log_group = kept_logs(self, "Logs", log_group_name(name), log_days)
        self.role = runtime_role(self, "Role", name=role_name, service="lambda.amazonaws.com", grants=grants)
        self.function = lambda_.Function(
            self,
            "Function",
            function_name=name,
            runtime=lambda_.Runtime.PYTHON_3_13,
            architecture=lambda_.Architecture.ARM_64,
            handler=artefact.handler,
            code=lambda_.Code.from_asset(str(code), asset_hash=asset_hash(artefact, folders)),
            role=self.role.without_policy_updates(),
            environment=dict(environment),
            memory_size=memory,
            timeout=Duration.seconds(timeout_seconds),
            log_group=self.log_group,
            tracing=lambda_.Tracing.ACTIVE,
            reserved_concurrent_executions=reserved_concurrency,
            ephemeral_storage_size=None if scratch_mebibytes is None else Size.mebibytes(scratch_mebibytes),
        )
        resource = self.function.node.default_child
        assert isinstance(resource, lambda_.CfnFunction)
        resource.add_deletion_override("DependsOn")  # the role's ARN says the same
        self._resource = resource
        accept(
            self.function,
            {"AwsSolutions::AwsSolutions-L1": "The locked libraries are built for this Python."},
        )

    def encrypt_environment(self, key_arn: str) -> None:
        """Have Lambda keep the environment under this KMS key, whose policy may name the function's role.

        The construct's own property would add statements to the key's policy and to the role.
        """
        self._resource.kms_key_arn = key_arn
