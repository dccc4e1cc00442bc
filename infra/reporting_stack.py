"""Reports: their bucket and tables, the ledger, Athena's work groups, and the query function with its triggers."""

from pathlib import Path

from aws_cdk import CfnOutput, Duration, Fn, RemovalPolicy, Stack
from aws_cdk import aws_athena as athena
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_lambda_event_sources as sources
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from infra.artefacts import QUERY
from infra.buckets import expire, private_bucket
from infra.catalog import report_table_input
from infra.deployment import Deployment
from infra.functions import PipelineFunction, log_group_name
from infra.lake_stack import glue_table
from infra.permissions import arn, query_statements
from queries.contracts import reports

NOTIFICATION_BATCH = 1_000
"""Messages of one call; a notification is about 2 kB in the function's payload of at most 6 MB."""


class ReportingStack(Stack):
    """From new objects in the lake to published report partitions."""

    def __init__(self, scope: Construct, identifier: str, *, deployment: Deployment, code: Path) -> None:
        super().__init__(scope, identifier, description="Penstock: reports and what keeps them fresh")
        self._deployment = deployment
        self.bucket = private_bucket(
            self,
            "Reporting",
            name=deployment.reporting_bucket,
            versioned=True,
            lifecycle=[],
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
        self._work_group("ReportsWorkGroup", deployment.work_group, "pipeline/", deployment.cutoff_bytes)
        self._work_group(
            "AnalystsWorkGroup", deployment.analyst_work_group, "analysts/", deployment.analyst_cutoff_bytes
        )
        for report in reports().values():
            glue_table(
                self,
                None,
                deployment.database,
                report_table_input(report, Fn.sub(deployment.reporting_bucket)),
            )
        self.queries = self._function(code)
        self._triggers()
        CfnOutput(self, "ReportingBucket", value=self.bucket.bucket_name)
        CfnOutput(self, "ResultsBucket", value=self.results.bucket_name)
        CfnOutput(self, "LedgerTable", value=self.ledger.table_name)
        CfnOutput(self, "QueryFunction", value=self.queries.function.function_name)
        CfnOutput(self, "WorkGroup", value=deployment.work_group)
        CfnOutput(self, "AnalystWorkGroup", value=deployment.analyst_work_group)

    def _ledger(self) -> dynamodb.TableV2:
        return dynamodb.TableV2(
            self,
            "Ledger",
            table_name=self._deployment.ledger_table,
            partition_key=dynamodb.Attribute(name="pk", type=dynamodb.AttributeType.STRING),
            sort_key=dynamodb.Attribute(name="sk", type=dynamodb.AttributeType.STRING),
            billing=dynamodb.Billing.on_demand(),
            point_in_time_recovery_specification=dynamodb.PointInTimeRecoverySpecification(
                point_in_time_recovery_enabled=True
            ),
            removal_policy=RemovalPolicy.RETAIN,
        )

    def _work_group(self, identifier: str, name: str, prefix: str, cutoff_bytes: int) -> None:
        athena.CfnWorkGroup(
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
            code=code,
            environment=self._environment(),
            statements=query_statements(deployment, log_group_name(deployment.query_function)),
            memory=deployment.query_memory,
            timeout_seconds=deployment.query_timeout_seconds,
            log_days=deployment.log_days,
        )

    def _environment(self) -> dict[str, str]:
        deployment = self._deployment
        return {
            "QUERIES_LAKE_BUCKET": Fn.sub(deployment.lake_bucket),
            "QUERIES_REPORTING_BUCKET": Fn.sub(deployment.reporting_bucket),
            "QUERIES_DATABASE": deployment.database,
            "QUERIES_WORK_GROUP": deployment.work_group,
            "QUERIES_LEDGER_TABLE": deployment.ledger_table,
        }

    def _triggers(self) -> None:
        deployment, function = self._deployment, self.queries.function
        queue = sqs.Queue.from_queue_attributes(
            self, "Objects", queue_arn=arn("sqs", deployment.queue), queue_url=Fn.sub("unused")
        )
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
            "Tick",
            rule_name=f"{deployment.prefix}-tick",
            description="Finishes what an earlier call left, and finds what no notification told of.",
            schedule=events.Schedule.rate(Duration.minutes(1)),
            targets=[targets.LambdaFunction(function, retry_attempts=0, max_event_age=Duration.minutes(1))],
        )
