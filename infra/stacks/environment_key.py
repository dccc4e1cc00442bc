"""The KMS key under which Lambda keeps the transform's environment, which holds the pseudonym keys.

Whoever reads a function's configuration without `kms:Decrypt` on its key gets an error in place of the
environment. What is lost with the key is that one copy: the secret stays, and a deploy encrypts it again
under a new key. So the key goes with its stack, see docs/decisions/0053.
"""

from collections.abc import Sequence

from aws_cdk import RemovalPolicy
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from constructs import Construct

from infra.deployment import REGION, Deployment
from infra.stacks.permissions import arn
from infra.stacks.roles import substituted
from producers.contracts import Stream

DELETION_DAYS = 30
"""How long a key that nothing uses can be taken back, the most that KMS allows."""
ADMINISTRATION: Sequence[str] = (
    "kms:CancelKeyDeletion",
    "kms:CreateAlias",
    "kms:DeleteAlias",
    "kms:DescribeKey",
    "kms:DisableKey",
    "kms:DisableKeyRotation",
    "kms:EnableKey",
    "kms:EnableKeyRotation",
    "kms:GetKeyPolicy",
    "kms:GetKeyRotationStatus",
    "kms:ListAliases",
    "kms:ListGrants",
    "kms:ListKeyPolicies",
    "kms:ListKeyRotations",
    "kms:ListResourceTags",
    "kms:PutKeyPolicy",
    "kms:RevokeGrant",
    "kms:RotateKeyOnDemand",
    "kms:ScheduleKeyDeletion",
    "kms:TagResource",
    "kms:UntagResource",
    "kms:UpdateAlias",
    "kms:UpdateKeyDescription",
)
"""All that keeps a key, and nothing that uses it."""
CONFIGURATION: Sequence[str] = ("kms:CreateGrant", "kms:Decrypt", "kms:Encrypt")
"""What Lambda asks of whoever sets or reads the environment of a function that has a key."""


def environment_key(scope: Construct, deployment: Deployment, stream: Stream, role: iam.IRole) -> kms.CfnKey:
    """The key with its alias. `role` is the function's own: the only principal that the policy names."""
    number = deployment.transform_key_number
    identifier = "EnvironmentKey" if number == 1 else f"EnvironmentKey{number}"
    key = kms.CfnKey(
        scope,
        identifier,
        description=f"Encrypts the environment of the function {deployment.transform_function(stream)}",
        enable_key_rotation=True,
        key_policy=iam.PolicyDocument(statements=_statements(deployment, stream, role)),
        pending_window_in_days=DELETION_DAYS,
    )
    key.apply_removal_policy(RemovalPolicy.DESTROY)
    kms.CfnAlias(
        scope,
        "EnvironmentKeyAlias",
        alias_name=deployment.transform_key_alias(stream),
        target_key_id=key.ref,
    )
    return key


def _statements(deployment: Deployment, stream: Stream, role: iam.IRole) -> list[iam.PolicyStatement]:
    through_lambda = substituted({"kms:ViaService": f"lambda.{REGION}.amazonaws.com"})
    function = substituted(arn("lambda", f"function:{deployment.transform_function(stream)}"))
    return [
        iam.PolicyStatement(
            sid="AdministerByIam",
            principals=[iam.AccountRootPrincipal()],
            actions=list(ADMINISTRATION),
            resources=["*"],
        ),
        iam.PolicyStatement(
            sid="ConfigureByIam",
            principals=[iam.AccountRootPrincipal()],
            actions=list(CONFIGURATION),
            resources=["*"],
            conditions={"StringEquals": through_lambda},
        ),
        iam.PolicyStatement(
            sid="DecryptOwnEnvironment",
            principals=[iam.ArnPrincipal(role.role_arn)],
            actions=["kms:Decrypt"],
            resources=["*"],
            conditions={
                "StringEquals": {**through_lambda, "kms:EncryptionContext:aws:lambda:FunctionArn": function}
            },
        ),
    ]
