"""What calls the function that publishes live updates: the stream of the jobs table, and the catalog."""

from aws_cdk import Duration
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_lambda_event_sources as sources
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from infra.deployment import Deployment
from infra.project.project import Project
from queries.jobs.dynamodb import STATE

RETRIES, OLDEST = 5, Duration.minutes(5)
"""Of what cannot be published: whoever waits for it has asked by then."""


def add_triggers(
    scope: Construct,
    project: Project,
    deployment: Deployment,
    function: lambda_.Function,
    table: dynamodb.TableV2,
    dead: sqs.Queue,
) -> None:
    """Have the function called. What it goes on failing with is named in the queue `dead`."""
    function.add_event_source_mapping(
        "JobChanged",
        event_source_arn=table.table_stream_arn,
        starting_position=lambda_.StartingPosition.LATEST,
        batch_size=100,
        # Of the list of jobs that are not over, and of removals, nobody is told.
        filters=[
            lambda_.FilterCriteria.filter(
                {"dynamodb": {"NewImage": {STATE: {"S": lambda_.FilterRule.exists()}}}}
            )
        ],
        report_batch_item_failures=True,
        retry_attempts=RETRIES,
        max_record_age=OLDEST,
        on_failure=sources.SqsDlq(dead),
    )
    lambda_.CfnEventInvokeConfig(
        scope,
        "Retries",
        function_name=function.function_name,
        qualifier="$LATEST",
        maximum_retry_attempts=2,
        maximum_event_age_in_seconds=int(OLDEST.to_seconds()),
        destination_config=lambda_.CfnEventInvokeConfig.DestinationConfigProperty(
            on_failure=lambda_.CfnEventInvokeConfig.OnFailureProperty(destination=dead.queue_arn)
        ),
    )
    if not project.reports:
        return
    events.Rule(
        scope,
        "ReportPublished",
        rule_name=f"{deployment.prefix}-report-updates",
        description="A report was published: its partitions changed.",
        event_pattern=events.EventPattern(
            source=["aws.glue"],
            detail_type=["Glue Data Catalog Table State Change"],
            detail={
                "databaseName": [deployment.database],
                "tableName": sorted(project.reports),
                "typeOfChange": ["BatchCreatePartition", "BatchUpdatePartition"],
            },
        ),
        targets=[targets.LambdaFunction(function, retry_attempts=2, max_event_age=OLDEST)],
    )
