"""Who may do what: the function of the collector, as data."""

from infra.deployment import Deployment
from infra.project.project import Project
from infra.stacks.permissions import Grant, arn, own_log_group, traces
from producers.collector.key_items import KEY, USE
from producers.keys.settings import PATH

KEY_ROUTES = (
    (PATH, "GET"),
    (PATH, "POST"),
    (f"{PATH}/{{key_id}}/disable", "POST"),
    (f"{PATH}/{{key_id}}/rotate", "POST"),
)
"""Path and method of the routes that ask for a signature and for `execute-api:Invoke`."""


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
            ["kinesis:PutRecords", "kinesis:ListShards"],
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


def keys_grants(deployment: Deployment, log_group: str) -> list[Grant]:
    """What the function behind `/v1/keys` may do."""
    return [own_log_group(log_group), traces(), *write_keys(deployment)]


def write_keys(deployment: Deployment) -> list[Grant]:
    """Listing and writing keys. Only their items are written; a listing cannot be limited to them, and shows
    counts of a day too.
    """
    table = arn("dynamodb", f"table/{deployment.write_keys_table}")
    return [
        Grant("ListKeys", ["dynamodb:Scan"], [table]),
        Grant(
            "WriteKeys",
            ["dynamodb:PutItem"],
            [table],
            {"ForAllValues:StringLike": {"dynamodb:LeadingKeys": [f"{KEY}*"]}},
        ),
    ]
