"""Events over HTTP: the API, its function, the write keys, and the queue of what a stream did not take."""

from collections.abc import Mapping
from pathlib import Path

from aws_cdk import CfnOutput, Duration, RemovalPolicy, Stack
from aws_cdk import aws_apigatewayv2 as http
from aws_cdk import aws_apigatewayv2_authorizers as authorizers
from aws_cdk import aws_apigatewayv2_integrations as integrations
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_lambda_event_sources as sources
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from infra.deployment import Deployment
from infra.functions import PipelineFunction, kept_logs, log_group_name
from infra.project.project import Project
from infra.stacks.artefacts import COLLECTOR, HOOKS, KEYS
from infra.stacks.collector_permissions import KEY_ROUTES, collector_grants, keys_grants
from infra.stacks.findings import accept
from infra.stacks.queues import queue_with_dead_letters
from infra.stacks.webhooks import Webhooks
from producers.collector.key_items import EXPIRES_AT, HASH_KEY
from producers.collector.settings import Settings
from producers.keys.settings import Settings as KeysSettings

ROUTES = (
    ("/v1/batch", http.HttpMethod.POST),
    ("/v1/health", http.HttpMethod.GET),
    ("/v1/ready", http.HttpMethod.GET),
)
MAX_RECEIVES = 300
"""One every six timeouts of the function: the stream may be down for ten hours."""
KEYS_MEMORY, KEYS_TIMEOUT_SECONDS = 512, 20
"""Of the function behind `/v1/keys`, which a person waits for now and then."""
_LOG_FIELDS = ("requestId", "routeKey", "status", "responseLength", "integrationErrorMessage")
"""Of the access log: no address, no key, no agent."""


class CollectorStack(Stack):
    """From HTTP requests to records of the streams."""

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
        super().__init__(scope, identifier, description="Penstock: events over HTTP")
        self._project, self._deployment = project, deployment
        self.keys = self._keys()
        self.dead_letter_queue, self.queue = self._queues()
        self.collector = self._function(code[COLLECTOR.name])
        self.api = self._api()
        self._key_routes(code[KEYS.name])
        if project.hooks:
            Webhooks(self, self.api, project=project, deployment=deployment, code=code[HOOKS.name])
        CfnOutput(self, "CollectorUrl", value=self.api.api_endpoint)
        CfnOutput(self, "CollectorFunction", value=self.collector.function.function_name)
        CfnOutput(self, "KeysFunction", value=self._deployment.keys_function)
        CfnOutput(self, "WriteKeysTable", value=self.keys.table_name)
        CfnOutput(self, "CollectorQueueUrl", value=self.queue.queue_url)
        CfnOutput(self, "CollectorDeadLetterQueueUrl", value=self.dead_letter_queue.queue_url)

    def _keys(self) -> dynamodb.TableV2:
        return dynamodb.TableV2(
            self,
            "WriteKeys",
            table_name=self._deployment.write_keys_table,
            partition_key=dynamodb.Attribute(name=HASH_KEY, type=dynamodb.AttributeType.STRING),
            billing=dynamodb.Billing.on_demand(),
            time_to_live_attribute=EXPIRES_AT,
            point_in_time_recovery_specification=dynamodb.PointInTimeRecoverySpecification(
                point_in_time_recovery_enabled=True
            ),
            removal_policy=RemovalPolicy.RETAIN,
        )

    def _queues(self) -> tuple[sqs.Queue, sqs.Queue]:
        deployment = self._deployment
        return queue_with_dead_letters(
            self,
            "Spill",
            "SpillDead",
            name=deployment.collector_queue,
            dead_name=deployment.collector_dead_letter_queue,
            timeout=deployment.collector_timeout_seconds,
            receives=MAX_RECEIVES,
        )

    def _function(self, code: Path) -> PipelineFunction:
        deployment = self._deployment
        name = deployment.collector_function
        made = PipelineFunction(
            self,
            "Collector",
            name=name,
            role_name=deployment.role("collector"),
            artefact=COLLECTOR,
            folders=self._project.folders,
            code=code,
            environment=Settings(
                stream_prefix=deployment.prefix,
                keys_table=deployment.write_keys_table,
                queue_url=self.queue.queue_url,
            ).to_environ(),
            grants=collector_grants(deployment, self._project, log_group_name(name)),
            memory=deployment.collector_memory,
            timeout_seconds=deployment.collector_timeout_seconds,
            log_days=deployment.log_days,
        )
        made.function.add_event_source(
            sources.SqsEventSource(
                self.queue, batch_size=10, max_concurrency=2, report_batch_item_failures=True
            )
        )
        return made

    def _key_routes(self, code: Path) -> None:
        """`/v1/keys`: a function of its own, since the collector's may read keys and write none."""
        deployment = self._deployment
        name = deployment.keys_function
        made = PipelineFunction(
            self,
            "Keys",
            name=name,
            role_name=deployment.role("keys"),
            artefact=KEYS,
            folders=self._project.folders,
            code=code,
            environment=KeysSettings(table=deployment.write_keys_table).to_environ(),
            grants=keys_grants(deployment, log_group_name(name)),
            memory=KEYS_MEMORY,
            timeout_seconds=KEYS_TIMEOUT_SECONDS,
            log_days=deployment.log_days,
        )
        integration = integrations.HttpLambdaIntegration("WriteKeysApi", made.function)
        signed = authorizers.HttpIamAuthorizer()
        for path, method in KEY_ROUTES:
            self.api.add_routes(
                path=path, methods=[http.HttpMethod(method)], integration=integration, authorizer=signed
            )

    def _api(self) -> http.HttpApi:
        deployment = self._deployment
        api = http.HttpApi(
            self,
            "Api",
            api_name=deployment.collector_function,
            description="Events over HTTP. Origins are checked by key, in the function.",
            create_default_stage=False,
            cors_preflight=http.CorsPreflightOptions(
                allow_origins=["*"],
                allow_methods=[http.CorsHttpMethod.POST, http.CorsHttpMethod.GET],
                allow_headers=["content-type", "x-write-key"],
                expose_headers=["retry-after"],
                max_age=Duration.hours(24),
            ),
        )
        integration = integrations.HttpLambdaIntegration("Events", self.collector.function)
        for path, method in ROUTES:
            made = api.add_routes(path=path, methods=[method], integration=integration)
            for route in made:
                accept(
                    route,
                    {"AwsSolutions::AwsSolutions-APIG4": "Write keys are checked in the function."},
                )
        logs = kept_logs(
            self, "AccessLogs", f"/aws/apigateway/{deployment.collector_function}", deployment.log_days
        )
        stage = http.CfnStage(
            self,
            "Stage",
            api_id=api.http_api_id,
            stage_name="$default",
            auto_deploy=True,
            access_log_settings=http.CfnStage.AccessLogSettingsProperty(
                destination_arn=logs.log_group_arn,
                format="{" + ",".join(f'"{name}":"$context.{name}"' for name in _LOG_FIELDS) + "}",
            ),
        )
        stage.apply_removal_policy(RemovalPolicy.DESTROY)
        return api
