"""Alarms, the topic they ring on, and the operations dashboard."""

from aws_cdk import CfnOutput, Duration, Fn, Stack
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_iam as iam
from aws_cdk import aws_sns as sns
from constructs import Construct

from infra.deployment import Deployment
from infra.stacks.alarms import DAY, FAILED_FILTER, AlarmRule, alarm_rules
from infra.stacks.permissions import acting_for, arn
from infra.stacks.roles import substituted
from producers.contracts import Stream
from transforms.contracts import telemetry as measured

RUNBOOK = "docs/runbook.md"


class MonitoringStack(Stack):
    """What tells people that a promise is not kept."""

    def __init__(self, scope: Construct, identifier: str, *, deployment: Deployment, stream: Stream) -> None:
        super().__init__(scope, identifier, description="Penstock: alarms and the operations dashboard")
        self._deployment, self._stream = deployment, stream
        self.topic = self._topic()
        self.alarms = {rule.name: self._alarm(rule) for rule in alarm_rules(deployment, stream)}
        name = f"{deployment.prefix}-operations"
        self.dashboard = cloudwatch.Dashboard(
            self, "Operations", dashboard_name=name, default_interval=Duration.hours(6), widgets=self._rows()
        )
        CfnOutput(self, "AlarmTopicArn", value=self.topic.topic_arn)
        CfnOutput(self, "OperationsDashboard", value=name)

    def _topic(self) -> sns.Topic:
        topic = sns.Topic(self, "Alarms", topic_name=self._deployment.alarm_topic, enforce_ssl=True)
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
            "".join(part.title() for part in rule.name.split("-")),
            alarm_name=f"{self._deployment.prefix}-{rule.name}",
            alarm_description=f"[{rule.severity}] {rule.meaning} See {RUNBOOK}#{rule.name}",
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

    def _rows(self) -> list[list[cloudwatch.IWidget]]:
        """Promises first, then the way of the data from left to right, then what it costs."""
        deployment = self._deployment
        stream, queue = deployment.stream(self._stream.name), deployment.queue
        transform, queries = deployment.transform_function, deployment.query_function
        return [
            [
                cloudwatch.AlarmStatusWidget(
                    title="Promises", alarms=list(self.alarms.values()), width=24, height=4
                )
            ],
            [
                _graph(
                    "Events per minute",
                    _metric("AWS/Kinesis", "IncomingRecords", "Sum", StreamName=stream),
                    _transforms(measured.ACCEPTED_EVENTS),
                    _transforms(measured.DROPPED_EVENTS),
                    _transforms(measured.FAILED_RECORDS),
                ),
                _graph(
                    "Ages",
                    _metric(
                        "AWS/Kinesis", "GetRecords.IteratorAgeMilliseconds", "Maximum", StreamName=stream
                    ),
                    _metric(
                        "AWS/Firehose", "DeliveryToS3.DataFreshness", "Maximum", DeliveryStreamName=stream
                    ),
                    _metric("AWS/SQS", "ApproximateAgeOfOldestMessage", "Maximum", QueueName=queue),
                ),
                _graph(
                    "Delivery",
                    _metric("AWS/Firehose", "DeliveryToS3.Records", "Sum", DeliveryStreamName=stream),
                    _metric("AWS/Firehose", "PartitionCount", "Maximum", DeliveryStreamName=stream),
                    _metric("AWS/Firehose", "FailedConversion.Records", "Sum", DeliveryStreamName=stream),
                ),
            ],
            [
                _function_graph("Transform", transform),
                _function_graph("Queries", queries),
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
                _graph(
                    "Bytes into the stream", _metric("AWS/Kinesis", "IncomingBytes", "Sum", StreamName=stream)
                ),
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


def _graph(title: str, *metrics: cloudwatch.Metric) -> cloudwatch.GraphWidget:
    return cloudwatch.GraphWidget(title=title, left=list(metrics), width=8, height=6)


def _transforms(name: str) -> cloudwatch.Metric:
    return _metric(measured.NAMESPACE, name, "Sum", service=measured.SERVICE)


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
