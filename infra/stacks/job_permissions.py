"""Who may do what with jobs, as data."""

from collections.abc import Iterable

from dashboards.site.places import DATA, LATEST, ROWS
from infra.deployment import Deployment
from infra.project.project import Project
from infra.stacks.people_grants import lake_prefixes
from infra.stacks.permissions import (
    OBJECTS,
    REPORTS_PREFIX,
    Grant,
    arn,
    bucket_arn,
    catalog,
    list_below,
    own_log_group,
    traces,
)
from queries.jobs.dynamodb import NEWEST_INDEX
from queries.jobs.import_plan import INBOX, MANIFESTS, SCRATCH
from transforms.contracts import FAILED_PREFIX
from transforms.failed.replay_ledger import REPLAYS_PREFIX

EXECUTIONS = "An execution is named after its job."
LOG_DELIVERY = "The delivery of logs to a group knows no resources: it can be granted for all or not at all."


def jobs_grants(deployment: Deployment, project: Project, log_group: str) -> list[Grant]:
    """What the function of jobs may do: take messages, begin executions, keep jobs and their plans, mark
    report partitions, and have the query function compute them.
    """
    queue = arn("sqs", deployment.jobs_queue)
    return [
        own_log_group(log_group),
        traces(),
        Grant(
            "TakeJobs",
            [
                "sqs:ReceiveMessage",
                "sqs:DeleteMessage",
                "sqs:ChangeMessageVisibility",
                "sqs:GetQueueAttributes",
            ],
            [queue],
        ),
        Grant("SendAgain", ["sqs:SendMessage"], [queue]),
        Grant("Begin", ["states:StartExecution"], [_machine(deployment)]),
        Grant(
            "SeeExecutions",
            ["states:DescribeExecution"],
            [_executions(deployment)],
            why_wildcard=EXECUTIONS,
        ),
        Grant("KeepJobs", ["dynamodb:GetItem", "dynamodb:PutItem"], [_table(deployment)]),
        Grant(
            "KeepPlans",
            ["s3:GetObject", "s3:PutObject"],
            [bucket_arn(deployment.reporting_bucket, f"{MANIFESTS}*")],
            why_wildcard=OBJECTS,
        ),
        Grant("MarkPartitions", ["dynamodb:BatchGetItem", "dynamodb:PutItem"], [_ledger(deployment)]),
        Grant("SeePublished", ["glue:BatchGetPartition"], catalog(deployment, project.reports)),
        list_below("ListLake", deployment.lake_bucket, _listed(project)),
        Grant("Compute", ["lambda:InvokeFunction"], [arn("lambda", f"function:{deployment.query_function}")]),
    ]


def api_grants(deployment: Deployment, project: Project, log_group: str) -> list[Grant]:
    """What the API may do: keep jobs, put them into their queue, forecast, and say what their steps did."""
    table = _table(deployment)
    return [
        own_log_group(log_group),
        traces(),
        Grant("QueueJobs", ["sqs:SendMessage"], [arn("sqs", deployment.jobs_queue)]),
        Grant("KeepJobs", ["dynamodb:GetItem", "dynamodb:PutItem"], [table]),
        Grant("ListJobs", ["dynamodb:Query"], [f"{table}/index/{NEWEST_INDEX}"]),
        Grant("Forecast", ["dynamodb:BatchGetItem"], [_ledger(deployment)]),
        list_below("ListLake", deployment.lake_bucket, _listed(project)),
        Grant(
            "SeeSteps",
            ["states:GetExecutionHistory"],
            [_executions(deployment)],
            why_wildcard=EXECUTIONS,
        ),
        Grant(
            "ReadStepsLog",
            ["logs:FilterLogEvents"],
            [arn("logs", f"log-group:/aws/lambda/{deployment.jobs_function}:*")],
            why_wildcard="The log group's own ARN ends so.",
        ),
    ]


def reader_grants(deployment: Deployment, log_group: str) -> list[Grant]:
    """What the function that reads reports may do: see what is published, and read its files."""
    return [
        own_log_group(log_group),
        traces(),
        Grant("SeePublished", ["dynamodb:Query"], [_ledger(deployment)]),
        list_below("FindFiles", deployment.reporting_bucket, [REPORTS_PREFIX]),
        Grant(
            "ReadFiles",
            ["s3:GetObject"],
            [bucket_arn(deployment.reporting_bucket, f"{REPORTS_PREFIX}*")],
            why_wildcard=OBJECTS,
        ),
    ]


def extract_grants(deployment: Deployment, reports: Iterable[str], log_group: str) -> list[Grant]:
    """What the function that draws dashboards may do: see what is published of their reports, read its files,
    write what the site shows, and say that it has.
    """
    data = deployment.site_data_bucket
    return [
        own_log_group(log_group),
        traces(),
        Grant("SeePublished", ["glue:GetPartitions"], catalog(deployment, reports)),
        list_below("FindFiles", deployment.reporting_bucket, [REPORTS_PREFIX]),
        Grant(
            "ReadFiles",
            ["s3:GetObject"],
            [bucket_arn(deployment.reporting_bucket, f"{REPORTS_PREFIX}*")],
            why_wildcard=OBJECTS,
        ),
        Grant("ReadPointer", ["s3:GetObject"], [bucket_arn(data, LATEST)]),
        list_below("FindPointer", data, [LATEST]),
        Grant(
            "WriteExtracts",
            ["s3:PutObject"],
            [bucket_arn(data, f"{DATA}*"), bucket_arn(data, f"{ROWS}*")],
            why_wildcard=OBJECTS,
        ),
        Grant("Tell", ["events:PutEvents"], [arn("events", "event-bus/default")]),
    ]


def site_grants(deployment: Deployment, log_group: str) -> list[Grant]:
    """What the function behind the site's routes may do: read what was drawn, and what failed."""
    data = deployment.site_data_bucket
    return [
        own_log_group(log_group),
        traces(),
        Grant(
            "ReadExtracts",
            ["s3:GetObject"],
            [bucket_arn(data, f"{DATA}*"), bucket_arn(data, f"{ROWS}*")],
            why_wildcard=OBJECTS,
        ),
        list_below("FindExtracts", data, [DATA, ROWS]),
        Grant(
            "ReadFailed",
            ["s3:GetObject"],
            [bucket_arn(deployment.lake_bucket, f"{prefix}*") for prefix in (FAILED_PREFIX, REPLAYS_PREFIX)],
            why_wildcard=OBJECTS,
        ),
        list_below("FindFailed", deployment.lake_bucket, [FAILED_PREFIX, REPLAYS_PREFIX]),
    ]


def importer_grants(deployment: Deployment, project: Project, log_group: str) -> list[Grant]:
    """What the importer may do: read the inbox, keep sorted rows, write the lake as `penstock import` does,
    and have the reports follow.
    """
    lake, prefixes = deployment.lake_bucket, lake_prefixes(project)

    def below(*folders: str) -> list[str]:
        return [bucket_arn(lake, f"{folder}*") for folder in folders]

    plans = [bucket_arn(deployment.reporting_bucket, f"{MANIFESTS}*")]
    return [
        own_log_group(log_group),
        traces(),
        Grant("ReadFiles", ["s3:GetObject"], below(INBOX, SCRATCH, *prefixes), why_wildcard=OBJECTS),
        Grant("WriteLake", ["s3:PutObject"], below(SCRATCH, *prefixes, FAILED_PREFIX), why_wildcard=OBJECTS),
        list_below("ListLake", lake, [SCRATCH, *prefixes, FAILED_PREFIX]),
        Grant("KeepOutcomes", ["s3:GetObject", "s3:PutObject"], plans, why_wildcard=OBJECTS),
        Grant("Notify", ["sqs:GetQueueUrl", "sqs:SendMessage"], [arn("sqs", deployment.queue)]),
        Grant(
            "MakePseudonyms",
            ["secretsmanager:GetSecretValue"],
            [
                arn("secretsmanager", f"secret:{deployment.pseudonym_secret(stream)}-??????")
                for stream in project.streams.values()
            ],
        ),
    ]


def machine_grants(deployment: Deployment, *, imports: bool) -> list[Grant]:
    """What the state machine may do: call the functions of its steps, and write its log."""
    called = [deployment.jobs_function, *([deployment.importer_function] if imports else [])]
    return [
        Grant("CallSteps", ["lambda:InvokeFunction"], [arn("lambda", f"function:{name}") for name in called]),
        Grant(
            "DeliverLog",
            [
                "logs:CreateLogDelivery",
                "logs:GetLogDelivery",
                "logs:UpdateLogDelivery",
                "logs:DeleteLogDelivery",
                "logs:ListLogDeliveries",
                "logs:PutResourcePolicy",
                "logs:DescribeResourcePolicies",
                "logs:DescribeLogGroups",
            ],
            ["*"],
            why_wildcard=LOG_DELIVERY,
        ),
        Grant(
            "Traces",
            [
                "xray:PutTraceSegments",
                "xray:PutTelemetryRecords",
                "xray:GetSamplingRules",
                "xray:GetSamplingTargets",
            ],
            ["*"],
            why_wildcard="X-Ray knows no resources: the action can be granted for everything or not at all.",
        ),
    ]


def _table(deployment: Deployment) -> str:
    return arn("dynamodb", f"table/{deployment.jobs_table}")


def _ledger(deployment: Deployment) -> str:
    return arn("dynamodb", f"table/{deployment.ledger_table}")


def _machine(deployment: Deployment) -> str:
    return arn("states", f"stateMachine:{deployment.jobs_machine}")


def _executions(deployment: Deployment) -> str:
    return arn("states", f"execution:{deployment.jobs_machine}:*")


def _listed(project: Project) -> list[str]:
    """What of the lake is listed: its tables, and the inbox where there is something to read files by."""
    return [*lake_prefixes(project), *([INBOX] if project.sources else [])]
