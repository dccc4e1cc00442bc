"""Live updates: the GraphQL API that people and programs subscribe at, and the function that publishes."""

from collections.abc import Mapping, Sequence
from importlib.resources import files
from pathlib import Path
from typing import NamedTuple

from aws_cdk import Aws, Duration, Fn, RemovalPolicy, Stack
from aws_cdk import aws_appsync as appsync
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from infra.deployment import ACCOUNT, Deployment
from infra.functions import PipelineFunction, log_group_name
from infra.project.project import Project
from infra.stacks.api import JobsApi
from infra.stacks.artefacts import UPDATES
from infra.stacks.findings import accept
from infra.stacks.roles import runtime_role
from infra.stacks.update_mapping import REQUEST, RESPONSE
from infra.stacks.update_permissions import API_ID, log_grants, resolver_grants, updates_grants
from infra.stacks.update_triggers import add_triggers
from queries.updates.messages import MUTATIONS
from queries.updates.settings import Settings

APPSYNC, FOR_US = "appsync.amazonaws.com", {"StringEquals": {"aws:SourceAccount": ACCOUNT}}
SCHEMA = files("queries").joinpath("updates", "schema.graphql")


class Answering(NamedTuple):
    """A function that answers queries: its name, itself, and the fields of `Query`."""

    name: str
    function: PipelineFunction
    fields: Sequence[str]


class LiveUpdates(Construct):
    """The API, its sources and resolvers, and what calls the publishing function."""

    def __init__(
        self,
        scope: Stack,
        *,
        project: Project,
        deployment: Deployment,
        people: JobsApi,
        table: dynamodb.TableV2,
        resolvers: Mapping[str, Answering],
        code: Path,
    ) -> None:
        """`people` has the user pool; `resolvers` says which function answers which queries, by source."""
        super().__init__(scope, "Live")
        self._project, self._deployment = project, deployment
        self.api = self._api(people)
        schema = appsync.CfnGraphQLSchema(
            self, "Schema", api_id=self.api.attr_api_id, definition=SCHEMA.read_text(encoding="utf-8")
        )
        self._queries(resolvers, schema)
        self._mutations(schema)
        self.dead_letter_queue = self._dead_letters()
        self.function = self._publisher(code)
        add_triggers(self, project, deployment, self.function.function, table, self.dead_letter_queue)
        self.outputs: Mapping[str, str] = {
            "UpdatesUrl": self.api.attr_graph_ql_url,
            "UpdatesRealtimeUrl": self.api.attr_realtime_url,
            "UpdatesApiId": self.api.attr_api_id,
            "UpdatesFunction": self.function.function.function_name,
            "UpdatesDeadLetterQueueUrl": self.dead_letter_queue.queue_url,
        }

    def _api(self, people: JobsApi) -> appsync.CfnGraphQLApi:
        role = runtime_role(
            self,
            "LogRole",
            name=self._deployment.role("updates-log"),
            service=APPSYNC,
            grants=log_grants(),
            trust_conditions=FOR_US,
        )
        api = appsync.CfnGraphQLApi(
            self,
            "Api",
            name=self._deployment.updates_api,
            authentication_type="AMAZON_COGNITO_USER_POOLS",
            user_pool_config=appsync.CfnGraphQLApi.UserPoolConfigProperty(
                user_pool_id=people.pool.user_pool_id,
                aws_region=Aws.REGION,
                app_id_client_regex=people.client.user_pool_client_id,
                default_action="ALLOW",  # each field of the schema names its groups
            ),
            additional_authentication_providers=[
                appsync.CfnGraphQLApi.AdditionalAuthenticationProviderProperty(authentication_type="AWS_IAM")
            ],
            log_config=appsync.CfnGraphQLApi.LogConfigProperty(
                cloud_watch_logs_role_arn=role.role_arn,
                field_log_level="ERROR",
                exclude_verbose_content=True,
            ),
            xray_enabled=True,
        )
        api.override_logical_id(API_ID.partition(".")[0])
        why = "Requests and errors are logged; headers and contents, which name people, are not."
        accept(api, {"AwsSolutions::AwsSolutions-ASC3": why})
        return api

    def _queries(self, resolvers: Mapping[str, Answering], schema: appsync.CfnGraphQLSchema) -> None:
        for name, (function_name, function, fields) in resolvers.items():
            role = runtime_role(
                self,
                f"{name}Role",
                name=self._deployment.role(f"updates-{name.lower()}"),
                service=APPSYNC,
                grants=resolver_grants(function_name),
                trust_conditions=FOR_US,
            )
            source = appsync.CfnDataSource(
                self,
                f"{name}Source",
                api_id=self.api.attr_api_id,
                name=name,
                type="AWS_LAMBDA",
                lambda_config=appsync.CfnDataSource.LambdaConfigProperty(
                    lambda_function_arn=function.function.function_arn
                ),
                service_role_arn=role.role_arn,
            )
            for field in fields:
                self._resolver("Query", field, source, schema)

    def _mutations(self, schema: appsync.CfnGraphQLSchema) -> None:
        source = appsync.CfnDataSource(
            self, "HandedOn", api_id=self.api.attr_api_id, name="HandedOn", type="NONE"
        )
        for field in MUTATIONS.values():
            self._resolver("Mutation", field, source, schema, REQUEST, RESPONSE)

    def _resolver(
        self,
        kind: str,
        field: str,
        source: appsync.CfnDataSource,
        schema: appsync.CfnGraphQLSchema,
        request: str | None = None,
        response: str | None = None,
    ) -> None:
        resolver = appsync.CfnResolver(
            self,
            f"{kind}-{field}",
            api_id=self.api.attr_api_id,
            type_name=kind,
            field_name=field,
            data_source_name=source.attr_name,
            kind="UNIT",
            request_mapping_template=request,
            response_mapping_template=response,
        )
        resolver.add_resource_dependency(schema)

    def _dead_letters(self) -> sqs.Queue:
        queue = sqs.Queue(
            self,
            "Dead",
            queue_name=self._deployment.updates_dead_letter_queue,
            encryption=sqs.QueueEncryption.SQS_MANAGED,
            enforce_ssl=True,
            retention_period=Duration.days(14),
            removal_policy=RemovalPolicy.RETAIN,
        )
        why = "It is where failures of a stream's mapping end: nothing is received from it but by people."
        accept(queue, {"AwsSolutions::AwsSolutions-SQS3": why})
        return queue

    def _publisher(self, code: Path) -> PipelineFunction:
        deployment, name = self._deployment, self._deployment.updates_function
        settings = Settings(
            graphql_url=self.api.attr_graph_ql_url,
            ledger_table=deployment.ledger_table,
            reporting_bucket=Fn.sub(deployment.reporting_bucket),
            database=deployment.database,
        )
        return PipelineFunction(
            self,
            "Updates",
            name=name,
            role_name=deployment.role("updates"),
            artefact=UPDATES,
            folders=self._project.folders,
            code=code,
            environment=settings.to_environ(),
            grants=updates_grants(deployment, self._project, log_group_name(name)),
            memory=256,
            timeout_seconds=60,
            log_days=deployment.log_days,
        )
