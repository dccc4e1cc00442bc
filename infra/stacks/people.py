"""What people and programs outside the pipeline may do, each as one policy to attach to their roles."""

from collections.abc import Mapping

from infra.deployment import Deployment
from infra.project.project import Project
from infra.stacks.collector_permissions import KEY_ROUTES, write_keys
from infra.stacks.hook_permissions import hook_secrets
from infra.stacks.operators import inspector, operator
from infra.stacks.people_grants import (
    QUERY,
    READ_CATALOG,
    Policy,
    console,
    find_buckets,
    lake_prefixes,
    put_events,
    read_objects,
    results,
    see_delivery,
    see_names,
)
from infra.stacks.permissions import (
    ANALYST_RESULTS,
    OBJECTS,
    REPORTS_PREFIX,
    SEALED_PREFIX,
    Grant,
    arn,
    bucket_arn,
    catalog,
    default_database,
    list_below,
    list_uploads,
    reference_prefixes,
    reference_tables,
)
from infra.stacks.update_permissions import follow_jobs, follow_reports
from producers.contracts import Stream
from queries.jobs.import_plan import INBOX
from queries.refresh.freshness import FRESHNESS_TABLE
from queries.refresh.sealing import sealing_queries
from queries.store.event_views import event_views
from transforms.contracts import FAILED_PREFIX, FAILED_TABLE
from transforms.failed.replay_ledger import REPLAYS_PREFIX


def policies(deployment: Deployment, project: Project) -> Mapping[str, Policy]:
    """Every policy by its short name."""
    plain = next((stream for stream in project.streams.values() if stream.plain_names), None)
    return {
        **({"producer": producer_policy(deployment, plain)} if plain is not None else {}),
        "analyst": _analyst(deployment, project),
        "quicksight": _quicksight(deployment, project),
        "operator": operator(deployment, project),
        "inspector": inspector(deployment, project),
        "reconciler": _reconciler(deployment, project),
        "failed-reader": _failed_reader(deployment, project),
        "replayer": _replayer(deployment, project),
        "importer": _importer(deployment, project),
        **(_of_jobs(deployment, project) if deployment.jobs else {}),
        **({"key-keeper": _key_keeper(deployment, project)} if deployment.collector else {}),
    }


def producer_policy(deployment: Deployment, stream: Stream) -> Policy:
    """For the programs whose events the stream carries, and for no other stream's."""
    which = "the streams" if stream.plain_names else f"the stream {stream.name}"
    return Policy(
        f"Puts events on {which}, and reads nothing back",
        (see_names(deployment), put_events(deployment, stream)),
    )


def _analyst(deployment: Deployment, project: Project) -> Policy:
    lake, prefixes, tables = deployment.lake_bucket, lake_prefixes(project), project.tables
    reports = [REPORTS_PREFIX, SEALED_PREFIX, *reference_prefixes(project)]
    return Policy(
        "Reads events and reports through Athena, in the analysts' work group",
        (
            see_names(deployment),
            Grant("Query", QUERY, [arn("athena", f"workgroup/{deployment.analyst_work_group}")]),
            *console(deployment, deployment.analyst_work_group),
            Grant(
                "ReadCatalog",
                READ_CATALOG,
                catalog(
                    deployment,
                    [
                        *tables,
                        *sealing_queries(tables),
                        *event_views(tables),
                        *project.reports,
                        FRESHNESS_TABLE,
                        *reference_tables(project),
                    ],
                ),
            ),
            # A receipt: which versions a number had, and the SQL that each was computed by.
            Grant(
                "ReadLedger",
                ["dynamodb:BatchGetItem"],
                [arn("dynamodb", f"table/{deployment.ledger_table}")],
            ),
            Grant(
                "ReadStatements",
                ["athena:GetQueryExecution"],
                [arn("athena", f"workgroup/{deployment.work_group}")],
            ),
            read_objects("ReadLake", lake, prefixes),
            list_below("ListLake", lake, prefixes),
            read_objects("ReadReports", deployment.reporting_bucket, reports),
            list_below("ListReports", deployment.reporting_bucket, reports),
            results(deployment, ANALYST_RESULTS),
            list_below("ListResults", deployment.results_bucket, [ANALYST_RESULTS]),
            list_uploads(deployment.results_bucket),
            default_database(),
            find_buckets(lake, deployment.reporting_bucket, deployment.results_bucket),
        ),
    )


def _quicksight(deployment: Deployment, project: Project) -> Policy:
    reporting = deployment.reporting_bucket
    return Policy(
        "For QuickSight's service role: reads reports through Athena, in the analysts' work group",
        (
            Grant("Query", QUERY, [arn("athena", f"workgroup/{deployment.analyst_work_group}")]),
            *console(deployment, deployment.analyst_work_group),
            Grant("ReadCatalog", READ_CATALOG, catalog(deployment, [*project.reports, FRESHNESS_TABLE])),
            read_objects("ReadReports", reporting, [REPORTS_PREFIX]),
            list_below("ListReports", reporting, [REPORTS_PREFIX]),
            results(deployment, ANALYST_RESULTS),
            list_below("ListResults", deployment.results_bucket, [ANALYST_RESULTS]),
            list_uploads(deployment.results_bucket),
            default_database(),
            find_buckets(reporting, deployment.results_bucket),
        ),
    )


def _key_keeper(deployment: Deployment, project: Project) -> Policy:
    """Write keys by their table, as `penstock keys`, and over HTTP."""
    hooks = Grant(
        "KeepSecrets",
        ["secretsmanager:GetSecretValue", "secretsmanager:PutSecretValue"],
        hook_secrets(deployment, project),
    )
    routes = [
        arn("execute-api", f"*/$default/{method}{path.replace('{key_id}', '*')}")
        for path, method in KEY_ROUTES
    ]
    ask = Grant(
        "AskForKeys",
        ["execute-api:Invoke"],
        routes,
        why_wildcard="An API's id is not known before it exists, and ids of keys are made later.",
    )
    return Policy(
        "Makes, disables and rotates write keys of the collector, and secrets of webhooks",
        (
            see_names(deployment),
            *write_keys(deployment),
            ask,
            *([hooks] if project.hooks else []),
        ),
    )


def _job_keeper(deployment: Deployment, project: Project) -> Policy:
    place = arn("execute-api", "*/$default/*/iam/v1/jobs")
    return Policy(
        "Starts, shows, cancels and retries jobs, with penstock jobs",
        (
            see_names(deployment),
            Grant(
                "AskForJobs",
                ["execute-api:Invoke"],
                [place, f"{place}/*"],
                why_wildcard="AWS makes the API's id when it is deployed; the route's path is ours.",
            ),
            *(_inbox(deployment) if project.sources else ()),
            follow_jobs(),
        ),
    )


def _inbox(deployment: Deployment) -> tuple[Grant, ...]:
    """Copying files to where jobs import them from, and seeing which are there; not what is in them."""
    files = [bucket_arn(deployment.lake_bucket, f"{INBOX}*")]
    return (
        Grant("FillInbox", ["s3:PutObject", "s3:AbortMultipartUpload"], files, why_wildcard=OBJECTS),
        list_below("ListInbox", deployment.lake_bucket, [INBOX]),
    )


def _of_jobs(deployment: Deployment, project: Project) -> Mapping[str, Policy]:
    return {"job-keeper": _job_keeper(deployment, project), "report-reader": _report_reader()}


def _report_reader() -> Policy:
    place = arn("execute-api", "*/$default/GET/iam/v1")
    return Policy(
        "Reads every row and file of every report over HTTP, whatever row rules there are",
        (
            Grant(
                "ReadReports",
                ["execute-api:Invoke"],
                [f"{place}/reports", f"{place}/reports/*", f"{place}/freshness"],
                why_wildcard="AWS makes the API's id when it is deployed; the routes' paths are ours.",
            ),
            follow_reports(),
        ),
    )


def _reconciler(deployment: Deployment, project: Project) -> Policy:
    lake, prefixes = deployment.lake_bucket, lake_prefixes(project)
    functions = [deployment.transform_function(stream) for stream in project.streams.values()]
    return Policy(
        "Accounts for every event: reads lake, failed records and the transform's log, and writes no data",
        (
            see_names(deployment),
            Grant("Query", QUERY, [arn("athena", f"workgroup/{deployment.analyst_work_group}")]),
            Grant("ReadCatalog", READ_CATALOG, catalog(deployment, [*project.tables, FAILED_TABLE])),
            read_objects("ReadLake", lake, [*prefixes, FAILED_PREFIX]),
            list_below("ListLake", lake, [*prefixes, FAILED_PREFIX]),
            Grant(
                "ReadDropped",
                ["logs:FilterLogEvents", "logs:GetLogEvents"],
                [arn("logs", f"log-group:/aws/lambda/{function}:*") for function in functions],
                why_wildcard="The log group's own ARN ends so.",
            ),
            results(deployment, ANALYST_RESULTS),
            list_below("ListResults", deployment.results_bucket, [ANALYST_RESULTS]),
            list_uploads(deployment.results_bucket),
            default_database(),
            find_buckets(lake, deployment.results_bucket),
            see_delivery(),
        ),
    )


def _failed_reader(deployment: Deployment, project: Project) -> Policy:
    lake, prefixes = deployment.lake_bucket, lake_prefixes(project)
    written = [bucket_arn(lake, f"{prefix}*") for prefix in (*prefixes, REPLAYS_PREFIX)]
    return Policy(
        "Reads failed records, which hold events as they came with all personal data, and puts them back",
        (
            see_names(deployment),
            # An object that a replay writes is read first: rows of other events stay in it.
            read_objects("ReadFailed", lake, [FAILED_PREFIX, REPLAYS_PREFIX, *prefixes]),
            list_below("ListFailed", lake, [FAILED_PREFIX, REPLAYS_PREFIX, *prefixes]),
            Grant("PutThemBack", ["s3:PutObject"], written, why_wildcard=OBJECTS),
        ),
    )


def _replayer(deployment: Deployment, project: Project) -> Policy:
    """Besides the reader of failed records: a replay makes pseudonyms as the transformation does."""
    secrets = [deployment.pseudonym_secret(stream) for stream in project.streams.values()]
    return Policy(
        "Lets who reads failed records replay them: reads the keys of pseudonyms, which undo them",
        (
            Grant(
                "ReadPseudonymKeys",
                ["secretsmanager:GetSecretValue"],
                [arn("secretsmanager", f"secret:{name}-??????") for name in secrets],
            ),
        ),
    )


def _importer(deployment: Deployment, project: Project) -> Policy:
    lake, prefixes = deployment.lake_bucket, [table.prefix for table in project.tables.values()]
    written = [bucket_arn(lake, f"{prefix}*") for prefix in (*prefixes, FAILED_PREFIX)]
    return Policy(
        "Imports files into the lake, past the stream, and has the reports follow",
        (
            see_names(deployment),
            # What an hour holds already is read, so that no event is there twice.
            read_objects("ReadLake", lake, prefixes),
            list_below("ListLake", lake, [*prefixes, FAILED_PREFIX]),
            Grant("WriteLake", ["s3:PutObject"], written, why_wildcard=OBJECTS),
            Grant("Notify", ["sqs:SendMessage"], [arn("sqs", deployment.queue)]),
        ),
    )
