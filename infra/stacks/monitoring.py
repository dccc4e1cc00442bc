"""Alarms, the topic they fire on, and the operations dashboard."""

from collections.abc import Sequence

from aws_cdk import CfnOutput, Duration, Fn, Stack
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_iam as iam
from aws_cdk import aws_sns as sns
from constructs import Construct

from infra.deployment import Deployment
from infra.stacks.alarm_rule import DAY, AlarmRule
from infra.stacks.alarms import (
    FAILED_FILTER,
    deployment_rules,
    metrics_service,
    stream_rules,
)
from infra.stacks.permissions import acting_for, arn
from infra.stacks.roles import substituted
from producers.contracts import Stream
from transforms.contracts import telemetry as measured

RUNBOOK = "docs/runbook.md"


class _Alarming(Stack):
    """A topic, alarms that go to it, and a dashboard."""

    def __init__(
        self,
        scope: Construct,
        identifier: str,
        *,
        deployment: Deployment,
        description: str,
        rules: Sequence[AlarmRule],
        topic: str,
        dashboard: str,
    ) -> None:
        super().__init__(scope, identifier, description=description)
        self._deployment = deployment
        self.topic = self._topic(topic)
        self.alarms = {rule.name: self._alarm(rule) for rule in rules}
        self.dashboard = cloudwatch.Dashboard(
            self,
            "Operations",
            dashboard_name=dashboard,
            default_interval=Duration.hours(6),
            widgets=self._rows(),
        )

    def _rows(self) -> list[list[cloudwatch.IWidget]]:
        raise NotImplementedError

    def _topic(self, name: str) -> sns.Topic:
        topic = sns.Topic(self, "Alarms", topic_name=name, enforce_ssl=True)
        topic.add_to_resource_policy(
            iam.PolicyStatement(
                sid="AlarmsOfThisAccount",
                principals=[iam.ServicePrincipal("cloudwatch.amazonaws.com")],
                actions=["sns:Publish"],
                resources=[topic.topic_arn],
                conditions=substituted(acting_for(arn("cloudwatch", f"alarm:{self._deployment.prefix}-*"))),
            )
        )
        return topic

    def _alarm(self, rule: AlarmRule) -> cloudwatch.Alarm:
        operator = cloudwatch.ComparisonOperator
        alarm = cloudwatch.Alarm(
            self,
            "".join(part.title() for part in rule.kind.split("-")),
            alarm_name=f"{self._deployment.prefix}-{rule.name}",
            alarm_description=f"[{rule.severity}] {rule.meaning} See {RUNBOOK}#{rule.kind}",
            metric=cloudwatch.Metric(
                namespace=rule.namespace,
                metric_name=rule.metric,
                dimensions_map={
                    name: Fn.sub(value) if "$" in value else value for name, value in rule.dimensions.items()
                },
                statistic=rule.statistic,
                period=Duration.seconds(rule.period_seconds),
            ),
            threshold=rule.threshold,
            evaluation_periods=rule.periods,
            comparison_operator=operator.LESS_THAN_THRESHOLD
            if rule.below
            else operator.GREATER_THAN_THRESHOLD,
            treat_missing_data=(
                cloudwatch.TreatMissingData.BREACHING
                if rule.missing == "breaching"
                else cloudwatch.TreatMissingData.NOT_BREACHING
            ),
        )
        resource = alarm.node.default_child
        assert isinstance(resource, cloudwatch.CfnAlarm)
        resource.alarm_actions = resource.ok_actions = [self.topic.topic_arn]
        return alarm

    def _promises(self) -> list[cloudwatch.IWidget]:
        return [
            cloudwatch.AlarmStatusWidget(
                title="Promises", alarms=list(self.alarms.values()), width=24, height=4
            )
        ]


class MonitoringStack(_Alarming):
    """What tells people that a promise of the deployment is not kept.

    `plain` is the stream that has plain names, if there is one: its alarms are here too. `hooks`: some source
    takes webhooks; `imports`: there is a source that jobs can import files by.
    """

    def __init__(
        self,
        scope: Construct,
        identifier: str,
        *,
        deployment: Deployment,
        plain: Stream | None,
        hooks: bool = False,
        imports: bool = False,
    ) -> None:
        self._plain = plain
        name = f"{deployment.prefix}-operations"
        super().__init__(
            scope,
            identifier,
            deployment=deployment,
            description="Penstock: alarms and the operations dashboard",
            rules=deployment_rules(deployment, plain, hooks=hooks, imports=imports),
            topic=deployment.alarm_topic,
            dashboard=name,
        )
        CfnOutput(self, "AlarmTopicArn", value=self.topic.topic_arn)
        CfnOutput(self, "OperationsDashboard", value=name)

    def _rows(self) -> list[list[cloudwatch.IWidget]]:
        """Promises first, then the way of the data from left to right, then what it costs."""
        deployment, plain = self._deployment, self._plain
        queue = deployment.queue
        age = _metric("AWS/SQS", "ApproximateAgeOfOldestMessage", "Maximum", QueueName=queue)
        flow = [_graph("Ages", age)] if plain is None else _flow(deployment, plain, age)
        transform = (
            [] if plain is None else [_function_graph("Transform", deployment.transform_function(plain))]
        )
        bytes_in = [] if plain is None else [_bytes_in(deployment, plain)]
        return [
            self._promises(),
            [*flow],
            [
                *transform,
                _function_graph("Queries", deployment.query_function),
                _graph(
                    "Where things are left",
                    _metric(
                        "AWS/SQS",
                        "ApproximateNumberOfMessagesVisible",
                        "Maximum",
                        QueueName=deployment.dead_letter_queue,
                    ),
                    _metric(
                        "AWS/S3",
                        "PutRequests",
                        "Sum",
                        BucketName=Fn.sub(deployment.lake_bucket),
                        FilterId=FAILED_FILTER,
                    ),
                ),
            ],
            [
                _graph(
                    "Bytes scanned by Athena a day",
                    *(
                        _metric("AWS/Athena", "ProcessedBytes", "Sum", DAY, WorkGroup=group)
                        for group in (deployment.work_group, deployment.analyst_work_group)
                    ),
                ),
                *bytes_in,
                _graph(
                    "Ledger capacity",
                    _metric(
                        "AWS/DynamoDB", "ConsumedWriteCapacityUnits", "Sum", TableName=deployment.ledger_table
                    ),
                    _metric(
                        "AWS/DynamoDB", "ConsumedReadCapacityUnits", "Sum", TableName=deployment.ledger_table
                    ),
                ),
            ],
        ]


class StreamMonitoringStack(_Alarming):
    """What tells a stream's owner that a promise of the stream is not kept."""

    def __init__(self, scope: Construct, identifier: str, *, deployment: Deployment, stream: Stream) -> None:
        self.stream = stream
        super().__init__(
            scope,
            identifier,
            deployment=deployment,
            description=f"Penstock: alarms and the operations dashboard of the stream {stream.name}",
            rules=stream_rules(deployment, stream),
            topic=deployment.stream_topic(stream),
            dashboard=deployment.stream_dashboard(stream),
        )

    def _rows(self) -> list[list[cloudwatch.IWidget]]:
        deployment, stream = self._deployment, self.stream
        return [
            self._promises(),
            [*_flow(deployment, stream)],
            [
                _function_graph("Transform", deployment.transform_function(stream)),
                _bytes_in(deployment, stream),
            ],
        ]


def _flow(deployment: Deployment, stream: Stream, *ages: cloudwatch.Metric) -> list[cloudwatch.GraphWidget]:
    """How much passes, how old it is, what is delivered."""
    name, service = deployment.stream(stream.name), metrics_service(deployment, stream)
    if stream.is_direct:
        incoming = _metric("AWS/Firehose", "IncomingRecords", "Sum", DeliveryStreamName=name)
        waiting = []
    else:
        incoming = _metric("AWS/Kinesis", "IncomingRecords", "Sum", StreamName=name)
        waiting = [_metric("AWS/Kinesis", "GetRecords.IteratorAgeMilliseconds", "Maximum", StreamName=name)]
    return [
        _graph(
            "Events per minute",
            incoming,
            *(
                _metric(measured.NAMESPACE, metric, "Sum", service=service)
                for metric in (measured.ACCEPTED_EVENTS, measured.DROPPED_EVENTS, measured.FAILED_RECORDS)
            ),
        ),
        _graph(
            "Ages",
            *waiting,
            _metric("AWS/Firehose", "DeliveryToS3.DataFreshness", "Maximum", DeliveryStreamName=name),
            *ages,
        ),
        _graph(
            "Delivery",
            _metric("AWS/Firehose", "DeliveryToS3.Records", "Sum", DeliveryStreamName=name),
            _metric("AWS/Firehose", "PartitionCount", "Maximum", DeliveryStreamName=name),
            _metric("AWS/Firehose", "FailedConversion.Records", "Sum", DeliveryStreamName=name),
        ),
    ]


def _bytes_in(deployment: Deployment, stream: Stream) -> cloudwatch.GraphWidget:
    name = deployment.stream(stream.name)
    metric = (
        _metric("AWS/Firehose", "IncomingBytes", "Sum", DeliveryStreamName=name)
        if stream.is_direct
        else _metric("AWS/Kinesis", "IncomingBytes", "Sum", StreamName=name)
    )
    return _graph("Bytes into the stream", metric)


def _graph(title: str, *metrics: cloudwatch.Metric) -> cloudwatch.GraphWidget:
    return cloudwatch.GraphWidget(title=title, left=list(metrics), width=8, height=6)


def _function_graph(title: str, function: str) -> cloudwatch.GraphWidget:
    return cloudwatch.GraphWidget(
        title=title,
        left=[
            _metric("AWS/Lambda", name, "Sum", FunctionName=function)
            for name in ("Invocations", "Errors", "Throttles")
        ],
        right=[_metric("AWS/Lambda", "Duration", "Maximum", FunctionName=function)],
        width=8,
        height=6,
    )


def _metric(
    namespace: str, name: str, statistic: str, period: int = 60, **dimensions: str
) -> cloudwatch.Metric:
    return cloudwatch.Metric(
        namespace=namespace,
        metric_name=name,
        dimensions_map=dimensions,
        statistic=statistic,
        period=Duration.seconds(period),
    )
