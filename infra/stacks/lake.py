"""The lake: its bucket, the queue that hears of new objects, and the Glue database with the lake tables."""

from aws_cdk import CfnOutput, Duration, Fn, RemovalPolicy, Stack
from aws_cdk import aws_glue as glue
from aws_cdk import aws_iam as iam
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from infra.deployment import ACCOUNT, Deployment
from infra.project.project import Project
from infra.stacks.alarms import FAILED_FILTER
from infra.stacks.buckets import expire, private_bucket
from infra.stacks.findings import accept
from infra.stacks.permissions import acting_for, arn, bucket_arn
from infra.stacks.roles import substituted
from queries.jobs.import_plan import INBOX, SCRATCH
from queries.store.tables import failed_table_input, lake_table_input
from transforms.contracts import FAILED_PREFIX

MESSAGE_BYTES = 262_144
"""A notification may be 64 KB long; a queue that takes less refuses it, and the object is never heard of."""
MAX_RECEIVES = 5


class LakeStack(Stack):
    """What must outlive everything else. Deleting the stack keeps bucket, queue and tables' data."""

    def __init__(
        self, scope: Construct, identifier: str, *, project: Project, deployment: Deployment
    ) -> None:
        super().__init__(
            scope, identifier, description="Penstock: the lake and what hears of its new objects"
        )
        self._project, self._deployment = project, deployment
        self.access_logs = self._access_logs()
        self.dead_letter_queue, self.queue = self._queues()
        self.bucket = self._lake_bucket()
        self.tables = self._catalog()
        CfnOutput(self, "LakeBucket", value=self.bucket.bucket_name)
        CfnOutput(self, "Database", value=deployment.database)
        CfnOutput(self, "QueueUrl", value=self.queue.queue_url)
        CfnOutput(self, "DeadLetterQueueUrl", value=self.dead_letter_queue.queue_url)

    def _access_logs(self) -> s3.Bucket:
        deployment = self._deployment
        bucket = private_bucket(
            self,
            "AccessLogs",
            name=deployment.access_log_bucket,
            versioned=False,
            lifecycle=[expire("expiry", "", deployment.access_log_days)],
            access_logs=None,
        )
        bucket.add_to_resource_policy(
            iam.PolicyStatement(
                sid="ServerAccessLogs",
                principals=[iam.ServicePrincipal("logging.s3.amazonaws.com")],
                actions=["s3:PutObject"],
                resources=[Fn.sub(bucket_arn(deployment.access_log_bucket, "*"))],
                conditions={
                    "StringEquals": {"aws:SourceAccount": Fn.sub(ACCOUNT)},
                    "ArnLike": {
                        "aws:SourceArn": [Fn.sub(bucket_arn(name)) for name in self._logged_buckets()]
                    },
                },
            )
        )
        accept(
            bucket,
            {"AwsSolutions::AwsSolutions-S1": "It holds the access logs; logging it would feed itself."},
        )
        return bucket

    def _logged_buckets(self) -> tuple[str, ...]:
        deployment = self._deployment
        own = (deployment.lake_bucket, deployment.reporting_bucket, deployment.results_bucket)
        return (*own, *((deployment.site_bucket, deployment.site_data_bucket) if deployment.site else ()))

    def _queues(self) -> tuple[sqs.Queue, sqs.Queue]:
        deployment = self._deployment
        # Expiry counts from the first enqueueing: the dead letters need longer than the queue.
        dead = sqs.Queue(
            self,
            "DeadLetters",
            queue_name=deployment.dead_letter_queue,
            encryption=sqs.QueueEncryption.SQS_MANAGED,
            enforce_ssl=True,
            max_message_size_bytes=MESSAGE_BYTES,
            retention_period=Duration.days(14),
            removal_policy=RemovalPolicy.RETAIN,
        )
        queue = sqs.Queue(
            self,
            "Objects",
            queue_name=deployment.queue,
            encryption=sqs.QueueEncryption.SQS_MANAGED,
            enforce_ssl=True,
            max_message_size_bytes=MESSAGE_BYTES,
            retention_period=Duration.days(4),
            visibility_timeout=visibility(deployment),
            dead_letter_queue=sqs.DeadLetterQueue(queue=dead, max_receive_count=MAX_RECEIVES),
            removal_policy=RemovalPolicy.DESTROY,
        )
        queue.add_to_resource_policy(
            iam.PolicyStatement(
                sid="LakeNotifications",
                principals=[iam.ServicePrincipal("s3.amazonaws.com")],
                actions=["sqs:SendMessage"],
                resources=[Fn.sub(arn("sqs", deployment.queue))],
                conditions=substituted(acting_for(bucket_arn(deployment.lake_bucket))),
            )
        )
        return dead, queue

    def _lake_bucket(self) -> s3.Bucket:
        deployment = self._deployment
        archive = [
            s3.LifecycleRule(
                id=f"archive-{table.name}",
                prefix=table.prefix,
                transitions=[
                    s3.Transition(
                        storage_class=s3.StorageClass.INTELLIGENT_TIERING,
                        transition_after=Duration.days(deployment.lake_archive_days),
                    )
                ],
                noncurrent_version_expiration=Duration.days(30),
            )
            for table in self._project.tables.values()
        ]
        imports = (
            [
                expire("inbox", INBOX, deployment.failed_days),
                expire("imports", SCRATCH, deployment.failed_days),
            ]
            if deployment.jobs and self._project.sources
            else []
        )
        bucket = private_bucket(
            self,
            "Lake",
            name=deployment.lake_bucket,
            versioned=True,
            lifecycle=[*archive, expire("failed", FAILED_PREFIX, deployment.failed_days), *imports],
            access_logs=deployment.access_log_bucket,
            access_log_policy=self.access_logs.policy,
        )
        # One number that counts every kind of failure, whoever wrote the object.
        bucket.add_metric(id=FAILED_FILTER, prefix=FAILED_PREFIX)
        self._notify(bucket)
        return bucket

    def _notify(self, bucket: s3.Bucket) -> None:
        # The bucket's own property: the CDK's method would add a function with a right to change any bucket.
        resource = bucket.node.default_child
        assert isinstance(resource, s3.CfnBucket)
        resource.notification_configuration = s3.CfnBucket.NotificationConfigurationProperty(
            queue_configurations=[
                s3.CfnBucket.QueueConfigurationProperty(
                    event="s3:ObjectCreated:*",
                    queue=self.queue.queue_arn,
                    filter=s3.CfnBucket.NotificationFilterProperty(
                        s3_key=s3.CfnBucket.S3KeyFilterProperty(
                            rules=[
                                s3.CfnBucket.FilterRuleProperty(name="prefix", value=table.prefix),
                                s3.CfnBucket.FilterRuleProperty(name="suffix", value=".parquet"),
                            ]
                        )
                    ),
                )
                for table in self._project.tables.values()
            ]
        )
        # S3 sends a test message when notifications are set: the queue must let it in by then.
        policy = self.queue.node.find_child("Policy").node.default_child
        assert isinstance(policy, sqs.CfnQueuePolicy)
        resource.add_resource_dependency(policy)

    def _catalog(self) -> dict[str, glue.CfnTable]:
        deployment = self._deployment
        database = glue.CfnDatabase(
            self,
            "EventsDatabase",
            catalog_id=Fn.sub(ACCOUNT),
            database_input=glue.CfnDatabase.DatabaseInputProperty(
                name=deployment.database, description="Events, failed records and reports of Penstock."
            ),
        )
        bucket = Fn.sub(deployment.lake_bucket)
        inputs = [
            *(lake_table_input(table, bucket) for table in self._project.tables.values()),
            failed_table_input(bucket),
        ]
        return {table["Name"]: glue_table(self, database, deployment.database, table) for table in inputs}


def glue_table(
    scope: Construct, database: glue.CfnDatabase | None, database_name: str, table: dict[str, object]
) -> glue.CfnTable:
    """A table from its `TableInput`."""
    resource = glue.CfnTable(
        scope,
        "Table" + "".join(part.title() for part in str(table["Name"]).split("_")),
        catalog_id=Fn.sub(ACCOUNT),
        database_name=database_name,
        table_input=glue.CfnTable.TableInputProperty(name=str(table["Name"])),
    )
    resource.add_property_override("TableInput", table)
    if database is not None:
        resource.add_resource_dependency(database)
    return resource


def visibility(deployment: Deployment) -> Duration:
    """Six times the query function's timeout and its batch window: a message is never out twice at once."""
    return Duration.seconds(6 * deployment.query_timeout_seconds + deployment.notification_window_seconds)
