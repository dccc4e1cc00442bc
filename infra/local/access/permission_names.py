"""The resources that questions about permissions are asked of, by ARN (pure)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from infra.aws.outputs import Outputs, StreamOutputs
from infra.project.project import Project
from producers.contracts import Stream

Asked = Sequence[tuple[str, str] | tuple[str, str, Mapping[str, str]]]
"""(action, resource), with the condition keys of the call where it has some."""

_PARTITION = "event_hour=2026-11-24-10"


@dataclass(frozen=True)
class Names:
    """A deployment's resources. `prefix` begins their names."""

    outputs: Outputs
    prefix: str
    project: Project

    @property
    def place(self) -> str:
        """Region and account, as they stand in an ARN."""
        return f"{self.outputs.region}:{self.outputs.account_id}"

    @property
    def lake(self) -> str:
        """The lake bucket."""
        return f"arn:aws:s3:::{self.outputs.lake_bucket}"

    @property
    def reporting(self) -> str:
        """The bucket of reports."""
        return f"arn:aws:s3:::{self.outputs.reporting_bucket}"

    @property
    def results(self) -> str:
        """The bucket of query results."""
        return f"arn:aws:s3:::{self.outputs.results_bucket}"

    @property
    def failed(self) -> str:
        """An error object."""
        return f"{self.lake}/failed/processing-failed/a"

    @property
    def report_name(self) -> str:
        """A report of the project, or a name that could be one's."""
        return next(iter(self.project.reports), "a_report")

    @property
    def report(self) -> str:
        """An object of that report."""
        return f"{self.reporting}/reports/{self.report_name}/run=7/{_PARTITION}/0"

    @property
    def queries(self) -> str:
        """The query function."""
        return f"arn:aws:lambda:{self.place}:function:{self.outputs.query_function}"

    @property
    def queue(self) -> str:
        """The queue of notifications."""
        return f"arn:aws:sqs:{self.place}:{self.outputs.queue_url.rpartition('/')[2]}"

    @property
    def dead(self) -> str:
        """The queue of dead letters."""
        return f"arn:aws:sqs:{self.place}:{self.outputs.dead_letter_queue_url.rpartition('/')[2]}"

    @property
    def ledger(self) -> str:
        """The ledger's table."""
        return f"arn:aws:dynamodb:{self.place}:table/{self.outputs.ledger_table}"

    @property
    def pipeline(self) -> str:
        """The work group of reports."""
        return f"arn:aws:athena:{self.place}:workgroup/{self.outputs.work_group}"

    @property
    def analysts(self) -> str:
        """The work group of analysts."""
        return f"arn:aws:athena:{self.place}:workgroup/{self.outputs.analyst_work_group}"

    @property
    def asks_names(self) -> Asked:
        """What every verb asks first: what the deployment's resources are called."""
        return [
            (
                "cloudformation:DescribeStacks",
                f"arn:aws:cloudformation:{self.place}:stack/{self.prefix}-lake/1a2b",
            )
        ]

    def table(self, name: str) -> str:
        """A table of the catalog."""
        return f"arn:aws:glue:{self.place}:table/{self.outputs.database}/{name}"

    def stream(self, deployed: StreamOutputs) -> Stream:
        """What the project declares of a deployed stream."""
        return self.project.streams[deployed.name]

    def row(self, stream: Stream) -> str:
        """An object of the stream's lake table."""
        return f"{self.lake}/{stream.table}/{_PARTITION}/a.parquet"

    def kinesis(self, name: str) -> str:
        """A Kinesis stream."""
        return f"arn:aws:kinesis:{self.place}:stream/{name}"

    def entrance(self, deployed: StreamOutputs) -> str:
        """What producers of the stream put on."""
        if deployed.is_direct:
            return f"arn:aws:firehose:{self.place}:deliverystream/{deployed.delivery_stream}"
        return self.kinesis(deployed.stream_name)

    def function(self, deployed: StreamOutputs) -> str:
        """The stream's transformation."""
        return f"arn:aws:lambda:{self.place}:function:{deployed.transform_function}"

    def secret(self, deployed: StreamOutputs) -> str:
        """The secret of the stream's pseudonym keys."""
        return f"arn:aws:secretsmanager:{self.place}:secret:{deployed.pseudonym_secret}-AbCdEf"

    def log(self, function: str) -> str:
        """A log stream of a function."""
        return f"arn:aws:logs:{self.place}:log-group:/aws/lambda/{function}:log-stream:2026/11/24/x"

    def delivery_log(self, deployed: StreamOutputs) -> str:
        """A log stream of the stream's delivery."""
        group = f"/aws/kinesisfirehose/{deployed.delivery_stream}"
        return f"arn:aws:logs:{self.place}:log-group:{group}:log-stream:S3Destination"

    def through_lambda(self, deployed: StreamOutputs, function: str = "") -> Mapping[str, str]:
        """The condition keys when Lambda decrypts a transformation's environment; that of another one's with
        `function`.
        """
        return {
            "kms:ViaService": f"lambda.{self.outputs.region}.amazonaws.com",
            "kms:EncryptionContext:aws:lambda:FunctionArn": function or self.function(deployed),
        }

    @cached_property
    def nobody_but_a_transform(self) -> Asked:
        """What no role may do, and a transformation's role neither."""
        first = next(iter(self.project.streams.values()))
        row = self.row(first)
        found: list[tuple[str, str] | tuple[str, str, Mapping[str, str]]] = [
            ("s3:DeleteObject", row), ("s3:DeleteObjectVersion", row), ("s3:DeleteBucket", self.lake),
            ("s3:PutBucketPolicy", self.lake), ("dynamodb:DeleteTable", self.ledger),
            ("glue:DeleteTable", self.table(first.table)),
            ("glue:GetTable", f"arn:aws:glue:{self.place}:table/another/salaries"), ("iam:PassRole", "*"),
            ("sts:AssumeRole", "*"), ("kms:Decrypt", "*"), ("lambda:UpdateFunctionCode", self.queries),
        ]  # fmt: skip
        for deployed in self.outputs.streams.values():
            key = deployed.transform_key
            secret = self.secret(deployed)
            through = self.through_lambda(deployed)
            kind = "firehose:DeleteDeliveryStream" if deployed.is_direct else "kinesis:DeleteStream"
            found += [
                (kind, self.entrance(deployed)),
                ("secretsmanager:GetSecretValue", secret),
                ("kms:CreateGrant", key, through), ("kms:PutKeyPolicy", key),
                ("kms:ScheduleKeyDeletion", key),
            ]  # fmt: skip
        return found

    @cached_property
    def nobody(self) -> Asked:
        """What no role may do but a transformation's with its own key."""
        keys = [
            ("kms:Decrypt", each.transform_key, self.through_lambda(each))
            for each in self.outputs.streams.values()
        ]
        return [*self.nobody_but_a_transform, *keys]
