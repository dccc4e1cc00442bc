"""Jobs: their queue, table, state machine and function; the API for them and reports; live updates."""

import json
from collections.abc import Mapping
from pathlib import Path

from aws_cdk import CfnOutput, Duration, Fn, RemovalPolicy, Stack
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_lambda_event_sources as sources
from aws_cdk import aws_sqs as sqs
from aws_cdk import aws_stepfunctions as states
from constructs import Construct

from infra.deployment import Deployment
from infra.functions import PipelineFunction, kept_logs, log_group_name
from infra.importing.function import settings as importer
from infra.project.project import Project
from infra.stacks.api import JobsApi
from infra.stacks.artefacts import API, IMPORTER, JOBS, READER, UPDATES
from infra.stacks.job_permissions import (
    api_grants,
    importer_grants,
    jobs_grants,
    machine_grants,
    reader_grants,
)
from infra.stacks.job_schedules import add_schedules
from infra.stacks.live_updates import Answering, LiveUpdates
from infra.stacks.permissions import arn
from infra.stacks.queues import queue_with_dead_letters
from infra.stacks.roles import runtime_role
from infra.stacks.site import Drawing
from queries.api.reading.settings import Settings as ReaderSettings
from queries.jobs.dynamodb import CREATED_AT, EXPIRES_AT, HASH_KEY, LISTED, NEWEST_INDEX
from queries.jobs.machine import definition
from queries.jobs.settings import Settings

MAX_RECEIVES = 5
SCRATCH_MEBIBYTES = 10_240
"""Of the importer: the events of a compressed file are many times as long."""
_STRING, _NUMBER = dynamodb.AttributeType.STRING, dynamodb.AttributeType.NUMBER


class JobsStack(Stack):
    """From a request over HTTP to a job that is done."""

    def __init__(
        self,
        scope: Construct,
        identifier: str,
        *,
        project: Project,
        deployment: Deployment,
        code: Mapping[str, Path],
    ) -> None:
        """`code` has the folder of each function's artefact."""
        super().__init__(scope, identifier, description="Penstock: long work, asked for over HTTP")
        self._project, self._deployment = project, deployment
        self.dead_letter_queue, self.queue = self._queues()
        self.table = self._table()
        settings = self._settings()
        self.jobs = self._function(settings, code[JOBS.name])
        self.importer = self._importer(code[IMPORTER.name]) if project.sources else None
        self._triggers()
        self.machine = self._machine()
        add_schedules(self, project, deployment, self.jobs.function.function_arn)
        self.drawing = Drawing(self, project, deployment, code) if deployment.site else None
        self._answers = self._api_function(settings, code[API.name])
        self._reports = self._reader(code[READER.name])
        self.api = JobsApi(self, self._answers, self._reports, deployment, self.drawing)
        self.live = self._live(code[UPDATES.name])
        for output, value in {
            "JobsFunction": self.jobs.function.function_name,
            "JobsTable": self.table.table_name,
            "JobsQueueUrl": self.queue.queue_url,
            "JobsDeadLetterQueueUrl": self.dead_letter_queue.queue_url,
            "JobsMachineArn": self.machine.attr_arn,
            **({"ImporterFunction": self.importer.function.function_name} if self.importer else {}),
            **self._drawn(),
            **self.api.outputs,
            **self.live.outputs,
        }.items():
            CfnOutput(self, output, value=value)

    def _drawn(self) -> Mapping[str, str]:
        if self.drawing is None:
            return {}
        return {
            "ExtractFunction": self.drawing.extract.function.function_name,
            "SiteFunction": self.drawing.answers.function.function_name,
            "SiteDataBucket": self.drawing.data.bucket_name,
        }

    def _queues(self) -> tuple[sqs.Queue, sqs.Queue]:
        deployment = self._deployment
        return queue_with_dead_letters(
            self,
            "Queue",
            "Dead",
            name=deployment.jobs_queue,
            dead_name=deployment.jobs_dead_letter_queue,
            timeout=deployment.jobs_timeout_seconds,
            receives=MAX_RECEIVES,
        )

    def _table(self) -> dynamodb.TableV2:
        return dynamodb.TableV2(
            self,
            "Table",
            table_name=self._deployment.jobs_table,
            partition_key=dynamodb.Attribute(name=HASH_KEY, type=_STRING),
            global_secondary_indexes=[
                dynamodb.GlobalSecondaryIndexPropsV2(
                    index_name=NEWEST_INDEX,
                    partition_key=dynamodb.Attribute(name=LISTED, type=_STRING),
                    sort_key=dynamodb.Attribute(name=CREATED_AT, type=_NUMBER),
                    projection_type=dynamodb.ProjectionType.ALL,
                )
            ],
            billing=dynamodb.Billing.on_demand(),
            dynamo_stream=dynamodb.StreamViewType.NEW_IMAGE,
            time_to_live_attribute=EXPIRES_AT,
            point_in_time_recovery_specification=dynamodb.PointInTimeRecoverySpecification(
                point_in_time_recovery_enabled=True
            ),
            removal_policy=RemovalPolicy.RETAIN,
        )

    def _settings(self) -> Settings:
        deployment = self._deployment
        return Settings(
            table=deployment.jobs_table,
            queue_url=self.queue.queue_url,
            machine_arn=Fn.sub(arn("states", f"stateMachine:{deployment.jobs_machine}")),
            ledger_table=deployment.ledger_table,
            query_function=deployment.query_function,
            lake_bucket=Fn.sub(deployment.lake_bucket),
            reporting_bucket=Fn.sub(deployment.reporting_bucket),
            database=deployment.database,
            log_group=log_group_name(deployment.jobs_function),
            sources=",".join(sorted(self._project.sources)),
        )

    def _function(self, settings: Settings, code: Path) -> PipelineFunction:
        deployment, name = self._deployment, self._deployment.jobs_function
        return PipelineFunction(
            self,
            "Jobs",
            name=name,
            role_name=deployment.role("jobs"),
            artefact=JOBS,
            folders=self._project.folders,
            code=code,
            environment=settings.to_environ(),
            grants=jobs_grants(deployment, self._project, log_group_name(name)),
            memory=deployment.jobs_memory,
            timeout_seconds=deployment.jobs_timeout_seconds,
            log_days=deployment.log_days,
        )

    def _importer(self, code: Path) -> PipelineFunction:
        deployment, name = self._deployment, self._deployment.importer_function
        key_ids = ",".join(deployment.pseudonym_key_ids)
        secrets = {
            stream.name: (deployment.pseudonym_secret(stream), key_ids)
            for stream in self._project.streams.values()
        }
        settings = importer.Settings(
            lake_bucket=Fn.sub(deployment.lake_bucket),
            plan_bucket=Fn.sub(deployment.reporting_bucket),
            queue=deployment.queue,
            pseudonym_secrets=json.dumps(secrets),
        )
        return PipelineFunction(
            self,
            "Importer",
            name=name,
            role_name=deployment.role("jobs-importer"),
            artefact=IMPORTER,
            folders=self._project.folders,
            code=code,
            environment=settings.to_environ(),
            grants=importer_grants(deployment, self._project, log_group_name(name)),
            memory=deployment.imports_memory,
            timeout_seconds=deployment.imports_timeout_seconds,
            log_days=deployment.log_days,
            scratch_mebibytes=SCRATCH_MEBIBYTES,
        )

    def _api_function(self, settings: Settings, code: Path) -> PipelineFunction:
        deployment, name = self._deployment, self._deployment.api_function
        return PipelineFunction(
            self,
            "Answers",
            name=name,
            role_name=deployment.role("api"),
            artefact=API,
            folders=self._project.folders,
            code=code,
            environment=settings.to_environ(),
            grants=api_grants(deployment, self._project, log_group_name(name)),
            memory=deployment.jobs_memory,
            timeout_seconds=min(29, deployment.jobs_timeout_seconds),  # the gateway waits no longer
            log_days=deployment.log_days,
        )

    def _reader(self, code: Path) -> PipelineFunction:
        deployment, name = self._deployment, self._deployment.reader_function
        return PipelineFunction(
            self,
            "Reader",
            name=name,
            role_name=deployment.role("reader"),
            artefact=READER,
            folders=self._project.folders,
            code=code,
            environment=ReaderSettings(
                ledger_table=deployment.ledger_table, reporting_bucket=Fn.sub(deployment.reporting_bucket)
            ).to_environ(),
            grants=reader_grants(deployment, log_group_name(name)),
            memory=deployment.reader_memory,
            timeout_seconds=29,  # the gateway waits no longer
            log_days=deployment.log_days,
        )

    def _live(self, code: Path) -> LiveUpdates:
        deployment = self._deployment
        return LiveUpdates(
            self,
            project=self._project,
            deployment=deployment,
            people=self.api,
            table=self.table,
            resolvers={
                "Jobs": Answering(deployment.api_function, self._answers, ["job", "jobs"]),
                "Reports": Answering(deployment.reader_function, self._reports, ["reports"]),
            },
            code=code,
        )

    def _triggers(self) -> None:
        function = self.jobs.function
        function.add_event_source(
            sources.SqsEventSource(
                self.queue, batch_size=1, max_concurrency=2, report_batch_item_failures=True
            )
        )
        events.Rule(
            self,
            "Tick",
            rule_name=f"{self._deployment.prefix}-jobs-tick",
            description="Finds jobs whose message or execution was lost, and has them go on.",
            schedule=events.Schedule.rate(Duration.minutes(1)),
            targets=[targets.LambdaFunction(function, retry_attempts=0, max_event_age=Duration.minutes(1))],
        )

    def _machine(self) -> states.CfnStateMachine:
        deployment = self._deployment
        role = runtime_role(
            self,
            "StepsRole",
            name=deployment.role("jobs-steps"),
            service="states.amazonaws.com",
            grants=machine_grants(deployment, imports=self.importer is not None),
        )
        logs = kept_logs(
            self, "StepsLog", f"/aws/vendedlogs/states/{deployment.jobs_machine}", deployment.log_days
        )
        steps = definition(
            Fn.sub(arn("lambda", f"function:{deployment.jobs_function}")),
            Fn.sub(arn("lambda", f"function:{deployment.importer_function}")) if self.importer else "",
            importer_seconds=deployment.imports_timeout_seconds,
            invoke=Fn.sub("arn:${AWS::Partition}:states:::lambda:invoke"),
        )
        return states.CfnStateMachine(
            self,
            "Machine",
            state_machine_name=deployment.jobs_machine,
            state_machine_type="STANDARD",
            role_arn=role.role_arn,
            definition_string=self.to_json_string(steps),
            logging_configuration=states.CfnStateMachine.LoggingConfigurationProperty(
                level="ALL",
                include_execution_data=False,
                destinations=[
                    states.CfnStateMachine.LogDestinationProperty(
                        cloud_watch_logs_log_group=states.CfnStateMachine.CloudWatchLogsLogGroupProperty(
                            log_group_arn=logs.log_group_arn
                        )
                    )
                ],
            ),
            tracing_configuration=states.CfnStateMachine.TracingConfigurationProperty(enabled=True),
        )
