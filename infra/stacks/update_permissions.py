"""Who may do what with live updates, as data."""

from infra.deployment import Deployment
from infra.project.project import Project
from infra.stacks.permissions import Grant, arn, catalog, own_log_group, traces
from queries.updates.messages import MUTATIONS

API_ID = "LiveUpdates.ApiId"
"""The attribute of the API's resource that names it: a template knows no more of it."""
MADE_LATER = "AWS makes the API's id when it is deployed; the field's name is ours."
LABEL = "The rest of a stream's ARN is the time at which it was made."


def updates_grants(deployment: Deployment, project: Project, log_group: str) -> list[Grant]:
    """What the publishing function may do: follow the jobs table, see what is published, and publish."""
    table = arn("dynamodb", f"table/{deployment.jobs_table}")
    return [
        own_log_group(log_group),
        traces(),
        Grant(
            "FollowJobs",
            ["dynamodb:DescribeStream", "dynamodb:GetRecords", "dynamodb:GetShardIterator"],
            [f"{table}/stream/*"],
            why_wildcard=LABEL,
        ),
        Grant(
            "FindStream",
            ["dynamodb:ListStreams"],
            ["*"],
            why_wildcard="Streams can be listed for all tables or not at all; it shows their names.",
        ),
        Grant("SeePublished", ["dynamodb:Query"], [arn("dynamodb", f"table/{deployment.ledger_table}")]),
        Grant("SeeServed", ["glue:BatchGetPartition"], catalog(deployment, project.reports)),
        Grant(
            "Publish",
            ["appsync:GraphQL"],
            [_field(f"${{{API_ID}}}", "Mutation", name) for name in MUTATIONS.values()],
        ),
        Grant("NameFailures", ["sqs:SendMessage"], [arn("sqs", deployment.updates_dead_letter_queue)]),
    ]


def resolver_grants(function: str) -> list[Grant]:
    """What AppSync may do for a query: call the function that answers it."""
    return [Grant("CallResolver", ["lambda:InvokeFunction"], [arn("lambda", f"function:{function}")])]


def log_grants() -> list[Grant]:
    """What AppSync may do to write its log."""
    groups = arn("logs", "log-group:/aws/appsync/apis/*")
    return [
        Grant(
            "OwnLog",
            ["logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents"],
            [groups],
            why_wildcard="The group is named by the API's id, which AWS makes; the API names this role.",
        )
    ]


def follow_jobs() -> Grant:
    """Asking what jobs are, and being told when they change."""
    fields = (("Query", "job"), ("Query", "jobs"), ("Subscription", "jobChanged"))
    return Grant(
        "FollowJobs",
        ["appsync:GraphQL"],
        [_field("*", kind, name) for kind, name in fields],
        why_wildcard=MADE_LATER,
    )


def follow_reports() -> Grant:
    """Asking which versions of reports there are, and being told when there is another."""
    fields = (("Query", "reports"), ("Subscription", "reportPublished"))
    return Grant(
        "FollowReports",
        ["appsync:GraphQL"],
        [_field("*", kind, name) for kind, name in fields],
        why_wildcard=MADE_LATER,
    )


def _field(api: str, kind: str, name: str) -> str:
    return arn("appsync", f"apis/{api}/types/{kind}/fields/{name}")
