"""Reports: their bucket and tables, the ledger, Athena's work groups, and the query function with its
triggers.
"""

from pathlib import Path

from aws_cdk import CfnOutput, Duration, Fn, RemovalPolicy, Stack
from aws_cdk import aws_athena as athena
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_lambda_event_sources as sources
from aws_cdk import aws_logs as logs
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from infra.deployment import Deployment
from infra.functions import PipelineFunction, log_group_name
from infra.project.project import Project
from infra.stacks.analyst_tables import add_event_views, add_questions
from infra.stacks.artefacts import QUERY
from infra.stacks.buckets import expire, private_bucket
from infra.stacks.lake import glue_table
from infra.stacks.permissions import (
    ANALYST_RESULTS,
    PIPELINE_RESULTS,
    REPORTS_PREFIX,
    SEALED_PREFIX,
    arn,
    query_grants,
)
from queries.contracts import telemetry
from queries.jobs.import_plan import MANIFESTS
from queries.jobs.rules import DAYS_KEPT
from queries.ledger.dynamodb import DUE_AT, DUE_GROUP, DUE_INDEX, HASH_KEY, RANGE_KEY, table_definition
from queries.settings import Settings
from queries.store.glue import RETIRED_TAG
from queries.store.tables import (
    freshness_table_input,
    hours_table_input,
    reference_table_input,
    report_table_input,
)

NOTIFICATION_BATCH = 1_000
"""Messages of one call; a notification is about 2 kB in the function's payload of at most 6 MB."""


_ATTRIBUTE_TYPES = {"S": dynamodb.AttributeType.STRING, "N": dynamodb.AttributeType.NUMBER}


class ReportingStack(Stack):
    """From new objects in the lake to published report partitions."""

    def __init__(
        self, scope: Construct, identifier: str, *, project: Project, deployment: Deployment, code: Path
    ) -> None:
        super().__init__(scope, identifier, description="Penstock: reports and what keeps them fresh")
        self._project, self._deployment = project, deployment
        self.bucket = private_bucket(
            self,
            "Reporting",
            name=deployment.reporting_bucket,
            versioned=True,
            lifecycle=self._lifecycle(),
            access_logs=deployment.access_log_bucket,
        )
        self.results = private_bucket(
            self,
            "Results",
            name=deployment.results_bucket,
            versioned=False,
            lifecycle=[expire("expiry", "", deployment.results_days)],
            access_logs=deployment.access_log_bucket,
        )
        self.ledger = self._ledger()
        self._work_group("ReportsWorkGroup", deployment.work_group, PIPELINE_RESULTS, deployment.cutoff_bytes)
        analysts = self._work_group(
            "AnalystsWorkGroup",
            deployment.analyst_work_group,
            ANALYST_RESULTS,
            deployment.analyst_cutoff_bytes,
        )
        bucket = Fn.sub(deployment.reporting_bucket)
        for table in (
            *(report_table_input(report, bucket) for report in project.reports.values()),
            *(hours_table_input(table, bucket) for table in project.tables.values()),
            freshness_table_input(bucket),
            *(reference_table_input(table, bucket) for table in project.references.values()),
        ):
            glue_table(self, None, deployment.database, table)
        add_event_views(self, project, deployment)
        add_questions(self, project, deployment, analysts)
        self.queries = self._function(code)
        self._triggers()
        self._metrics()
        CfnOutput(self, "ReportingBucket", value=self.bucket.bucket_name)
        CfnOutput(self, "ResultsBucket", value=self.results.bucket_name)
        CfnOutput(self, "LedgerTable", value=self.ledger.table_name)
        CfnOutput(self, "QueryFunction", value=self.queries.function.function_name)
        CfnOutput(self, "WorkGroup", value=deployment.work_group)
        CfnOutput(self, "AnalystWorkGroup", value=deployment.analyst_work_group)

    def _lifecycle(self) -> list[s3.LifecycleRule]:
        # The query function has no right to delete: it tags runs that nobody reads any more, and S3 deletes
        # them.
        name, value = RETIRED_TAG
        retired = [
            s3.LifecycleRule(
                id=identifier, prefix=prefix, tag_filters={name: value}, expiration=Duration.days(1)
            )
            for identifier, prefix in (("retired-runs", REPORTS_PREFIX), ("retired-seals", SEALED_PREFIX))
        ]
        plans = [expire("plans", MANIFESTS, DAYS_KEPT + 10)] if self._deployment.jobs else []
        return [
            *retired,
            *plans,
            s3.LifecycleRule(
                id="replaced-versions",
                noncurrent_version_expiration=Duration.days(self._deployment.retired_days),
                expired_object_delete_marker=True,
            ),
        ]

    def _ledger(self) -> dynamodb.TableV2:
        keys = {
            each["AttributeName"]: each["AttributeType"]
            for each in table_definition()["AttributeDefinitions"]
        }

        def key(name: str) -> dynamodb.Attribute:
            return dynamodb.Attribute(name=name, type=_ATTRIBUTE_TYPES[keys[name]])

        return dynamodb.TableV2(
            self,
            "Ledger",
            table_name=self._deployment.ledger_table,
            partition_key=key(HASH_KEY),
            sort_key=key(RANGE_KEY),
            global_secondary_indexes=[
                dynamodb.GlobalSecondaryIndexPropsV2(
                    index_name=DUE_INDEX,
                    partition_key=key(DUE_GROUP),
                    sort_key=key(DUE_AT),
                    projection_type=dynamodb.ProjectionType.KEYS_ONLY,
                )
            ],
            billing=dynamodb.Billing.on_demand(),
            point_in_time_recovery_specification=dynamodb.PointInTimeRecoverySpecification(
                point_in_time_recovery_enabled=True
            ),
            removal_policy=RemovalPolicy.RETAIN,
        )

    def _work_group(self, identifier: str, name: str, prefix: str, cutoff_bytes: int) -> athena.CfnWorkGroup:
        return athena.CfnWorkGroup(
            self,
            identifier,
            name=name,
            # A work group with history cannot be deleted otherwise, and the stack would stay half deleted.
            recursive_delete_option=True,
            state="ENABLED",
            work_group_configuration=athena.CfnWorkGroup.WorkGroupConfigurationProperty(
                enforce_work_group_configuration=True,
                publish_cloud_watch_metrics_enabled=True,
                bytes_scanned_cutoff_per_query=cutoff_bytes,
                engine_version=athena.CfnWorkGroup.EngineVersionProperty(
                    selected_engine_version="Athena engine version 3"
                ),
                result_configuration=athena.CfnWorkGroup.ResultConfigurationProperty(
                    output_location=f"s3://{Fn.sub(self._deployment.results_bucket)}/{prefix}",
                    encryption_configuration=athena.CfnWorkGroup.EncryptionConfigurationProperty(
                        encryption_option="SSE_S3"
                    ),
                ),
            ),
        )

    def _function(self, code: Path) -> PipelineFunction:
        deployment = self._deployment
        return PipelineFunction(
            self,
            "Queries",
            name=deployment.query_function,
            role_name=deployment.role("queries"),
            artefact=QUERY,
            folders=self._project.folders,
            code=code,
            environment=self._environment(),
            grants=query_grants(deployment, self._project, log_group_name(deployment.query_function)),
            memory=deployment.query_memory,
            timeout_seconds=deployment.query_timeout_seconds,
            log_days=deployment.log_days,
        )

    def _environment(self) -> dict[str, str]:
        deployment = self._deployment
        return Settings(
            database=deployment.database,
            work_group=deployment.work_group,
            lake_bucket=Fn.sub(deployment.lake_bucket),
            reporting_bucket=Fn.sub(deployment.reporting_bucket),
            ledger_table=deployment.ledger_table,
        ).to_environ()

    def _metrics(self) -> None:
        """The function's one log line per call, as metrics."""
        line = logs.FilterPattern.string_value("$.message", "=", telemetry.REFRESHED)
        aside = f"$.{telemetry.QUARANTINED}"
        for identifier, name, pattern, value in (
            ("Published", telemetry.REPORTS_PUBLISHED, line, f"$.{telemetry.PUBLISHED}"),
            (
                "Failing",
                telemetry.REPORTS_FAILING,
                logs.FilterPattern.string_value("$.level", "=", telemetry.FAILING_LEVEL),
                "1",
            ),
            ("SetAside", telemetry.PARTITIONS_QUARANTINED, logs.FilterPattern.exists(aside), aside),
        ):
            logs.MetricFilter(
                self,
                identifier,
                log_group=self.queries.log_group,
                filter_name=f"{self._deployment.prefix}-{name}",
                metric_namespace=self._deployment.prefix,
                metric_name=name,
                filter_pattern=pattern,
                metric_value=value,
            )

    def _triggers(self) -> None:
        deployment, function = self._deployment, self.queries.function
        queue = sqs.Queue.from_queue_arn(self, "Objects", Fn.sub(arn("sqs", deployment.queue)))
        function.add_event_source(
            sources.SqsEventSource(
                queue,
                batch_size=NOTIFICATION_BATCH,
                max_batching_window=Duration.seconds(deployment.notification_window_seconds),
                max_concurrency=deployment.query_concurrency,
                report_batch_item_failures=True,
            )
        )
        events.Rule(
            self,
            "QueryEnded",
            rule_name=f"{deployment.prefix}-query-ended",
            description="A report's query has ended: finish it now, not at the next tick.",
            event_pattern=events.EventPattern(
                source=["aws.athena"],
                detail_type=["Athena Query State Change"],
                detail={
                    "workgroupName": [deployment.work_group],
                    "currentState": ["SUCCEEDED", "FAILED", "CANCELLED"],
                },
            ),
            targets=[targets.LambdaFunction(function, retry_attempts=0, max_event_age=Duration.minutes(1))],
        )
        events.Rule(
            self,
            "Tick",
            rule_name=f"{deployment.prefix}-tick",
            description="Finishes what an earlier call left, and finds what no notification reported.",
            schedule=events.Schedule.rate(Duration.minutes(1)),
            targets=[targets.LambdaFunction(function, retry_attempts=0, max_event_age=Duration.minutes(1))],
        )
