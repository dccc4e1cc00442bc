"""Who may do what with deliveries of webhooks, as data."""

from infra.deployment import Deployment
from infra.project.project import Project
from infra.stacks.permissions import Grant, arn, own_log_group, traces


def hooks_gateway_grants(deployment: Deployment) -> list[Grant]:
    """What the gateway may do for providers of webhooks: put their deliveries into one queue."""
    return [Grant("TakeDeliveries", ["sqs:SendMessage"], [arn("sqs", deployment.hooks_queue)])]


def hooks_grants(deployment: Deployment, project: Project, log_group: str) -> list[Grant]:
    """What the webhooks' worker may do: take deliveries, read the secrets that they are signed with, remember
    them, put events on the streams of their sources, keep what it refuses.
    """
    table = arn("dynamodb", f"table/{deployment.deliveries_table}")
    streams = sorted({source.stream for source in project.hooks.values()})
    return [
        own_log_group(log_group),
        traces(),
        Grant(
            "TakeDeliveries",
            [
                "sqs:ReceiveMessage",
                "sqs:DeleteMessage",
                "sqs:ChangeMessageVisibility",
                "sqs:GetQueueAttributes",
            ],
            [arn("sqs", deployment.hooks_queue)],
        ),
        Grant("KeepRefused", ["sqs:SendMessage"], [arn("sqs", deployment.hooks_dead_letter_queue)]),
        Grant("ReadSecrets", ["secretsmanager:GetSecretValue"], hook_secrets(deployment, project)),
        Grant("RememberDeliveries", ["dynamodb:PutItem", "dynamodb:BatchWriteItem"], [table]),
        Grant(
            "PutEvents",
            ["kinesis:PutRecords", "kinesis:ListShards", "kinesis:DescribeStreamSummary"],
            [arn("kinesis", f"stream/{deployment.stream(stream)}") for stream in streams],
        ),
    ]


def hook_secrets(deployment: Deployment, project: Project) -> list[str]:
    """The secrets that deliveries are signed with. Secrets Manager ends an ARN with six characters."""
    return [
        arn("secretsmanager", f"secret:{deployment.hook_secret_prefix}{name}-??????")
        for name in project.hooks
    ]
