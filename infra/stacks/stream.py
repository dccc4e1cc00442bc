"""The stream and its delivery: Kinesis, the transform, Firehose with Parquet and dynamic partitioning."""

import string
from pathlib import Path

from aws_cdk import CfnOutput, Duration, Fn, RemovalPolicy, Size, Stack
from aws_cdk import aws_glue as glue
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kinesis as kinesis
from aws_cdk import aws_kinesisfirehose as firehose
from aws_cdk import aws_logs as logs
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_secretsmanager as secretsmanager
from constructs import Construct

from infra.deployment import Deployment
from infra.functions import PipelineFunction, kept_logs, log_group_name
from infra.project.project import Project
from infra.stacks.alarms import metrics_service, own_namespace
from infra.stacks.artefacts import transform_artefact
from infra.stacks.environment_key import environment_key
from infra.stacks.findings import accept
from infra.stacks.people import producer_policy
from infra.stacks.permissions import Grant, acting_for, arn, delivery_grants, source_grants, transform_grants
from infra.stacks.roles import policy_for_people, runtime_role
from producers.contracts import Stream
from transforms.contracts import EVENT_HOUR, FAILED_PREFIX, LakeTable, telemetry
from transforms.settings import Settings

TRANSFORM_RETRIES = 3
FIRST_KEY_ID = "k1"
"""The key that the secret is made with; later ones are added by hand, see the runbook."""
MOST_RETRY_SECONDS = 7_200
"""How long a partition that cannot be written is tried again: as long as Firehose can (API_RetryOptions)."""
ERROR_PREFIX = f"{FAILED_PREFIX}!{{firehose:error-output-type}}/dt=!{{timestamp:yyyy-MM-dd}}/"


class StreamStack(Stack):
    """From one stream's records to objects in the lake. Nothing in it is another stream's."""

    def __init__(
        self,
        scope: Construct,
        identifier: str,
        *,
        project: Project,
        deployment: Deployment,
        table: LakeTable,
        glue_table: glue.CfnTable,
        code: Path,
    ) -> None:
        whose = "the stream" if table.stream.plain_names else f"the stream {table.stream.name}"
        super().__init__(scope, identifier, description=f"Penstock: {whose}, the transform and the delivery")
        self._deployment, self._table, self.stream = deployment, table, table.stream
        self._folders = project.folders
        self._artefact = transform_artefact(table.stream)
        self.data_stream = None if table.stream.is_direct else self._stream(table.stream)
        self.secret = self._pseudonym_secret()
        self.transform = self._transform(code)
        key = environment_key(self, deployment, table.stream, self.transform.role)
        self.transform.encrypt_environment(key.attr_arn)
        self._metrics()
        self.delivery = self._delivery(glue_table)
        if self.data_stream is not None:
            CfnOutput(self, "StreamName", value=self.data_stream.stream_name)
        CfnOutput(self, "DeliveryStream", value=self.delivery.delivery_stream_name)
        CfnOutput(self, "TransformFunction", value=self.transform.function.function_name)
        CfnOutput(self, "PseudonymSecret", value=deployment.pseudonym_secret(table.stream))
        CfnOutput(self, "PseudonymKeyIds", value=",".join(deployment.pseudonym_key_ids))
        CfnOutput(self, "TransformKey", value=key.attr_arn)
        if not table.stream.plain_names:  # for the stream that has them it is with the other policies
            policy = producer_policy(deployment, table.stream)
            policy_for_people(
                self,
                "Producer",
                name=deployment.role(table.stream.named("producer")),
                description=policy.description,
                grants=policy.grants,
            )

    def _stream(self, stream: Stream) -> kinesis.Stream:
        deployment = self._deployment
        return kinesis.Stream(
            self,
            "Stream",
            stream_name=deployment.stream(stream.name),
            stream_mode=kinesis.StreamMode.ON_DEMAND
            if deployment.shards is None
            else kinesis.StreamMode.PROVISIONED,
            shard_count=deployment.shards,
            encryption=kinesis.StreamEncryption.MANAGED,
            retention_period=Duration.hours(deployment.stream_retention_hours),
            removal_policy=RemovalPolicy.RETAIN,
        )

    def _pseudonym_secret(self) -> secretsmanager.Secret:
        secret = secretsmanager.Secret(
            self,
            "PseudonymKeys",
            secret_name=self._deployment.pseudonym_secret(self._table.stream),
            description="Makes pseudonyms of personal data. Without it they are cut from their past.",
            generate_secret_string=secretsmanager.SecretStringGenerator(
                secret_string_template="{}",  # noqa: S106 - an empty object, for the generated key
                generate_string_key=FIRST_KEY_ID,
                password_length=64,
                exclude_characters=string.punctuation,
            ),
            removal_policy=RemovalPolicy.RETAIN,
        )
        accept(
            secret,
            {"AwsSolutions::AwsSolutions-SMG4": "A new key makes new pseudonyms: a person decides."},
        )
        return secret

    def _transform(self, code: Path) -> PipelineFunction:
        deployment, stream = self._deployment, self._table.stream
        name = deployment.transform_function(stream)
        return PipelineFunction(
            self,
            "Transform",
            name=name,
            role_name=deployment.role(stream.named("transform")),
            artefact=self._artefact,
            folders=self._folders,
            code=code,
            environment=self._environment(),
            grants=transform_grants(log_group_name(name)),
            memory=deployment.transform_memory,
            timeout_seconds=deployment.transform_timeout_seconds,
            log_days=deployment.log_days,
            reserved_concurrency=deployment.transform_reserved_concurrency,
        )

    def _metrics(self) -> None:
        """The share of failed records, from the function's one log line per batch."""
        share = f"$.{telemetry.FAILED_PERCENT}"
        logs.MetricFilter(
            self,
            "Failing",
            log_group=self.transform.log_group,
            filter_name=f"{self._deployment.prefix}-{telemetry.PERCENT_FAILING}",
            metric_namespace=own_namespace(self._deployment, self.stream),
            metric_name=telemetry.PERCENT_FAILING,
            filter_pattern=logs.FilterPattern.exists(share),
            metric_value=share,
        )

    def _environment(self) -> dict[str, str]:
        # Resolved by CloudFormation at deployment: the function needs no client, no network and no permission
        # to read it. Lambda keeps it encrypted under our key and decrypts it before the function starts.
        keys = [
            f"{key_id}:{self.secret.secret_value_from_json(key_id).unsafe_unwrap()}"
            for key_id in self._deployment.pseudonym_key_ids
        ]
        stream = self._table.stream
        return Settings(
            stream=stream.name,
            pseudonym_keys=",".join(keys),
            tracing=True,
            service=metrics_service(self._deployment, stream),
        ).to_environ()

    def _delivery(self, glue_table: glue.CfnTable) -> firehose.DeliveryStream:
        deployment, table = self._deployment, self._table
        name = deployment.stream(table.stream.name)
        errors = kept_logs(self, "DeliveryLogs", f"/aws/kinesisfirehose/{name}", deployment.log_days)
        delivery_arn = arn("firehose", f"deliverystream/{name}")
        source = None if self.data_stream is None else self._source(self.data_stream, delivery_arn)
        role = self._firehose_role(
            "DeliveryRole",
            "delivery",
            delivery_arn,
            delivery_grants(deployment, table, f"/aws/kinesisfirehose/{name}"),
        )
        lake = s3.Bucket.from_bucket_name(self, "Lake", Fn.sub(deployment.lake_bucket))
        destination = firehose.S3Bucket(
            lake,
            role=role,
            data_output_prefix=f"{table.prefix}{EVENT_HOUR}=!{{partitionKeyFromLambda:{EVENT_HOUR}}}/",
            error_output_prefix=ERROR_PREFIX,
            file_extension=".parquet",
            buffering_interval=Duration.seconds(deployment.buffer_seconds),
            buffering_size=Size.mebibytes(deployment.buffer_mebibytes),
            dynamic_partitioning=firehose.DynamicPartitioningProps(
                enabled=True,
                retry_duration=Duration.seconds(MOST_RETRY_SECONDS),
            ),
            data_format_conversion=firehose.DataFormatConversionProps(
                schema_configuration=firehose.SchemaConfiguration.from_cfn_table(glue_table),
                input_format=firehose.InputFormat.OPENX_JSON,
                output_format=firehose.ParquetOutputFormat(compression=firehose.ParquetCompression.SNAPPY),
            ),
            processors=[
                firehose.LambdaFunctionProcessor(
                    self.transform.function,
                    buffer_interval=Duration.seconds(deployment.buffer_seconds),
                    buffer_size=Size.mebibytes(deployment.transform_batch_mebibytes),
                    retries=TRANSFORM_RETRIES,
                )
            ],
            logging_config=firehose.EnableLogging(errors),
        )
        delivery = firehose.DeliveryStream(
            self,
            "Delivery",
            delivery_stream_name=name,
            source=source and source[0],
            encryption=firehose.StreamEncryption.aws_owned_key() if source is None else None,
            destination=destination,
            role=source and source[1],
        )
        if source is not None:
            accept(
                delivery,
                {"AwsSolutions::AwsSolutions-KDF1": "Its stream is encrypted; this is for direct puts."},
            )
        stream = errors.node.find_child("S3Destination")
        assert isinstance(stream, logs.LogStream)
        stream.apply_removal_policy(RemovalPolicy.DESTROY)  # as its group
        # For destinations in a VPC; nothing here refers to it.
        self.node.try_remove_child("@aws-cdk--aws-kinesisfirehose.CidrBlocks")
        return delivery

    def _source(self, stream: kinesis.Stream, delivery_arn: str) -> tuple[firehose.ISource, iam.IRole]:
        """The data stream, and the role that reads it."""
        grants = source_grants(self._deployment, self._table.stream.name)
        role = self._firehose_role("SourceRole", "source", delivery_arn, grants)
        return firehose.KinesisStreamSource(stream), role

    def _firehose_role(self, identifier: str, name: str, delivery_arn: str, grants: list[Grant]) -> iam.IRole:
        return runtime_role(
            self,
            identifier,
            name=self._deployment.role(f"{self._table.stream.name}-{name}"),
            service="firehose.amazonaws.com",
            grants=grants,
            trust_conditions=acting_for(delivery_arn),
        ).without_policy_updates()
