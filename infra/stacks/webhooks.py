"""Webhooks: a route for each source that takes them, straight into a queue, and the worker behind it.

The gateway itself sends the message, so that a provider is answered when its delivery is safe, whatever the
worker does (docs/decisions/0113).
"""

import json
import string
from pathlib import Path

from aws_cdk import CfnOutput, Fn, RemovalPolicy, Stack
from aws_cdk import aws_apigatewayv2 as http
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda_event_sources as sources
from aws_cdk import aws_secretsmanager as secretsmanager
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from infra.deployment import Deployment
from infra.functions import PipelineFunction, log_group_name
from infra.project.project import Project
from infra.stacks.artefacts import HOOKS
from infra.stacks.findings import accept
from infra.stacks.hook_permissions import hooks_gateway_grants, hooks_grants
from infra.stacks.queues import queue_with_dead_letters
from infra.stacks.roles import runtime_role
from producers.hooks import message
from producers.hooks.item_names import EXPIRES_AT, HASH_KEY
from producers.hooks.settings import Settings
from producers.sources.webhook import Webhook

MAX_RECEIVES = 100
"""One every six timeouts of the function: the stream may be down for ten hours."""
FIRST_SECRET = "first"  # noqa: S105 - its name
BATCH = 10


class Webhooks(Construct):
    """Queue, worker, table of deliveries, secrets, and the routes of an HTTP API."""

    def __init__(
        self, scope: Stack, api: http.HttpApi, *, project: Project, deployment: Deployment, code: Path
    ) -> None:
        super().__init__(scope, "Webhooks")
        self._project, self._deployment = project, deployment
        self.dead_letter_queue, self.queue = self._queues()
        self.table = self._table()
        self._worker(code)
        gateway = runtime_role(
            self,
            "Gateway",
            name=deployment.role("hooks-gateway"),
            service="apigateway.amazonaws.com",
            grants=hooks_gateway_grants(deployment),  # no role can be passed to an API of another account
        )
        for name, source in project.hooks.items():
            assert source.webhook is not None
            self._secret(name)
            self._route(name, source.webhook, api, gateway)
        for output, value in {
            "HooksFunction": deployment.hooks_function,
            "HooksQueueUrl": self.queue.queue_url,
            "HooksDeadLetterQueueUrl": self.dead_letter_queue.queue_url,
            "DeliveriesTable": self.table.table_name,
            "HookSecretPrefix": deployment.hook_secret_prefix,
        }.items():
            CfnOutput(scope, output, value=value)

    def _queues(self) -> tuple[sqs.Queue, sqs.Queue]:
        deployment = self._deployment
        return queue_with_dead_letters(
            self,
            "Deliveries",
            "Dead",
            name=deployment.hooks_queue,
            dead_name=deployment.hooks_dead_letter_queue,
            timeout=deployment.hooks_timeout_seconds,
            receives=MAX_RECEIVES,
        )

    def _table(self) -> dynamodb.TableV2:
        return dynamodb.TableV2(
            self,
            "Table",
            table_name=self._deployment.deliveries_table,
            partition_key=dynamodb.Attribute(name=HASH_KEY, type=dynamodb.AttributeType.STRING),
            billing=dynamodb.Billing.on_demand(),
            time_to_live_attribute=EXPIRES_AT,
            point_in_time_recovery_specification=dynamodb.PointInTimeRecoverySpecification(
                point_in_time_recovery_enabled=True
            ),
            removal_policy=RemovalPolicy.RETAIN,
        )

    def _worker(self, code: Path) -> None:
        deployment, name = self._deployment, self._deployment.hooks_function
        made = PipelineFunction(
            self,
            "Worker",
            name=name,
            role_name=deployment.role("hooks"),
            artefact=HOOKS,
            folders=self._project.folders,
            code=code,
            environment=Settings(
                stream_prefix=deployment.prefix,
                deliveries_table=deployment.deliveries_table,
                secret_prefix=deployment.hook_secret_prefix,
                dead_letter_queue_url=self.dead_letter_queue.queue_url,
            ).to_environ(),
            grants=hooks_grants(deployment, self._project, log_group_name(name)),
            memory=deployment.hooks_memory,
            timeout_seconds=deployment.hooks_timeout_seconds,
            log_days=deployment.log_days,
        )
        made.function.add_event_source(
            sources.SqsEventSource(
                self.queue,
                batch_size=BATCH,
                max_concurrency=deployment.hooks_concurrency,
                report_batch_item_failures=True,
            )
        )

    def _secret(self, source: str) -> None:
        secret = secretsmanager.Secret(
            self,
            f"Secret-{source}",
            secret_name=f"{self._deployment.hook_secret_prefix}{source}",
            description=f"What deliveries to /v1/hooks/{source} are signed with: each member is valid.",
            generate_secret_string=secretsmanager.SecretStringGenerator(
                secret_string_template="{}",  # noqa: S106 - an empty object, for the generated secret
                generate_string_key=FIRST_SECRET,
                password_length=48,
                exclude_characters=string.punctuation,
            ),
            removal_policy=RemovalPolicy.RETAIN,
        )
        accept(
            secret,
            {"AwsSolutions::AwsSolutions-SMG4": "The provider must change it at the same time."},
        )

    def _route(self, source: str, webhook: Webhook, api: http.HttpApi, gateway: iam.Role) -> None:
        """A route of its own for each source: what it maps are the headers of one provider."""
        integration = http.CfnIntegration(
            self,
            f"Integration-{source}",
            api_id=api.http_api_id,
            integration_type="AWS_PROXY",
            integration_subtype="SQS-SendMessage",
            credentials_arn=gateway.role_arn,
            payload_format_version="1.0",
            timeout_in_millis=10_000,
            request_parameters={
                "QueueUrl": self.queue.queue_url,
                "MessageBody": "$request.body",
                "MessageAttributes": attributes(source, webhook),
            },
        )
        route = http.CfnRoute(
            self,
            f"Route-{source}",
            api_id=api.http_api_id,
            route_key=f"POST /v1/hooks/{source}",
            target=Fn.join("/", ["integrations", integration.ref]),
        )
        accept(route, {"AwsSolutions::AwsSolutions-APIG4": "Signatures are verified by the worker."})


def attributes(source: str, webhook: Webhook) -> str:
    """The message's attributes as JSON with the gateway's placeholders.

    What the gateway knows comes last. A header with a quotation mark in it can at worst break the document,
    which the queue refuses, or set an attribute before these, which then hold.
    """
    values = {
        message.SIGNATURE: f"${{request.header.{webhook.signature_header}}}",
        **(
            {message.DELIVERY: f"${{request.header.{webhook.delivery_header}}}"}
            if webhook.delivery_header
            else {}
        ),
        **({message.KIND: f"${{request.header.{webhook.kind_header}}}"} if webhook.kind_header else {}),
        message.REQUEST: "${context.requestId}",
        message.RECEIVED_AT: "${context.requestTimeEpoch}",
        message.SOURCE: source,
    }
    return json.dumps(
        {
            name: {"DataType": "String", "StringValue": f"{message.MARK}{value}"}
            for name, value in values.items()
        }
    )
