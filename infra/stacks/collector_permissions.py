"""Who may do what: the function of the collector, as data."""

from infra.deployment import Deployment
from infra.project.project import Project
from infra.stacks.permissions import Grant, arn, own_log_group, traces
from producers.collector.key_items import KEY, USE


def collector_grants(deployment: Deployment, project: Project, log_group: str) -> list[Grant]:
    """What the collector may do: put events on the streams, keep in its queue what they do not take, read
    keys, count the use of a day.
    """
    queue = arn("sqs", deployment.collector_queue)
    table = arn("dynamodb", f"table/{deployment.write_keys_table}")
    streams = [stream for stream in project.streams.values() if not stream.is_direct]
    return [
        own_log_group(log_group),
        traces(),
        Grant(
            "PutEvents",
            ["kinesis:PutRecords", "kinesis:ListShards", "kinesis:DescribeStreamSummary"],
            [arn("kinesis", f"stream/{deployment.stream(stream.name)}") for stream in streams],
        ),
        Grant("KeepSpilled", ["sqs:SendMessage"], [queue]),
        Grant(
            "TakeSpilled",
            [
                "sqs:ReceiveMessage",
                "sqs:DeleteMessage",
                "sqs:ChangeMessageVisibility",
                "sqs:GetQueueAttributes",
            ],
            [queue],
        ),
        Grant(
            "ReadKeys",
            ["dynamodb:GetItem"],
            [table],
            {"ForAllValues:StringLike": {"dynamodb:LeadingKeys": [f"{KEY}*"]}},
        ),
        Grant(
            "CountUse",
            ["dynamodb:UpdateItem"],
            [table],
            {"ForAllValues:StringLike": {"dynamodb:LeadingKeys": [f"{USE}*"]}},
        ),
    ]
