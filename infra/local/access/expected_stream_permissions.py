"""What the roles of one stream must be allowed and denied (pure): its own, and nothing of another stream."""

from collections.abc import Iterator, Mapping, Sequence

from infra.aws.outputs import StreamOutputs
from infra.local.access.permission_names import Asked, Names
from producers.contracts import Stream


def rights(names: Names, stream: Stream) -> Mapping[str, tuple[Asked, Asked]]:
    """Role to (what it may, what it must not)."""
    own = names.outputs.stream(stream.name)
    others = [each for each in names.outputs.streams.values() if each is not own]
    found = {
        f"{stream.name}-delivery": _delivery(names, stream, own, others),
        stream.named("transform"): _transform(names, stream, own, others),
        stream.named("producer"): _producer(names, stream, own, others),
    }
    return (
        found if stream.is_direct else {f"{stream.name}-source": _source(names, stream, own, others), **found}
    )


def _source(
    names: Names, stream: Stream, own: StreamOutputs, others: Sequence[StreamOutputs]
) -> tuple[Asked, Asked]:
    kinesis = names.entrance(own)
    return (
        [
            ("kinesis:GetRecords", kinesis), ("kinesis:GetShardIterator", kinesis),
            ("kinesis:ListShards", kinesis),
        ],
        [
            *names.nobody, ("kinesis:GetRecords", names.kinesis("another")), ("kinesis:PutRecords", kinesis),
            ("s3:PutObject", names.row(stream)), ("lambda:InvokeFunction", names.function(own)),
            *reads(names, others),
        ],
    )  # fmt: skip


def _delivery(
    names: Names, stream: Stream, own: StreamOutputs, others: Sequence[StreamOutputs]
) -> tuple[Asked, Asked]:
    table = names.table(stream.table)
    return (
        [
            ("lambda:InvokeFunction", names.function(own)), ("glue:GetTableVersions", table),
            ("s3:PutObject", names.row(stream)), ("s3:PutObject", names.failed),
            ("s3:ListBucket", names.lake), ("logs:PutLogEvents", names.delivery_log(own)),
        ],
        [
            *names.nobody, ("lambda:InvokeFunction", names.queries), ("glue:UpdateTable", table),
            ("s3:PutObject", f"{names.lake}/elsewhere/a"), ("s3:PutObject", names.report),
            *reads(names, [own]), ("sqs:SendMessage", names.queue),
            *(("lambda:InvokeFunction", names.function(each)) for each in others),
            *(("s3:PutObject", names.row(names.stream(each))) for each in others),
            *(("glue:GetTableVersions", names.table(names.stream(each).table)) for each in others),
        ],
    )  # fmt: skip


def _transform(
    names: Names, stream: Stream, own: StreamOutputs, others: Sequence[StreamOutputs]
) -> tuple[Asked, Asked]:
    through_lambda = names.through_lambda(own)
    of_another = names.through_lambda(own, function=names.queries)
    return (
        [
            ("logs:PutLogEvents", names.log(own.transform_function)),
            ("xray:PutTraceSegments", "*"), ("kms:Decrypt", own.transform_key, through_lambda),
        ],
        [
            *names.nobody_but_a_transform, ("kms:Decrypt", own.transform_key),
            ("kms:Decrypt", own.transform_key, of_another),
            ("kms:Encrypt", own.transform_key, through_lambda),
            ("logs:PutLogEvents", names.log(names.outputs.query_function)),
            ("s3:GetObject", names.row(stream)), ("s3:PutObject", names.row(stream)),
            *reads(names, [own]), *puts(names, [own, *others]),
            *(("logs:PutLogEvents", names.log(each.transform_function)) for each in others),
            *(("kms:Decrypt", each.transform_key, names.through_lambda(each)) for each in others),
        ],
    )  # fmt: skip


def _producer(
    names: Names, stream: Stream, own: StreamOutputs, others: Sequence[StreamOutputs]
) -> tuple[Asked, Asked]:
    lists: Asked = [] if own.is_direct else [("kinesis:ListShards", names.entrance(own))]
    return (
        [*puts(names, [own]), *lists, *names.asks_names],
        [
            *names.nobody, ("kinesis:PutRecords", names.kinesis("another")), *reads(names, [own]),
            ("s3:GetObject", names.row(stream)), ("lambda:InvokeFunction", names.function(own)),
            ("sqs:SendMessage", names.queue), *puts(names, others),
        ],
    )  # fmt: skip


def puts(names: Names, streams: Sequence[StreamOutputs]) -> Iterator[tuple[str, str]]:
    """What a producer of each of these streams does."""
    for each in streams:
        action = "firehose:PutRecordBatch" if each.is_direct else "kinesis:PutRecords"
        yield action, names.entrance(each)


def reads(names: Names, streams: Sequence[StreamOutputs]) -> Iterator[tuple[str, str]]:
    """What only the delivery may do with each of these streams; where there is nothing to read, nobody."""
    for each in streams:
        action = "firehose:DeleteDeliveryStream" if each.is_direct else "kinesis:GetRecords"
        yield action, names.entrance(each)
