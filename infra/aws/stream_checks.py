"""Checks that are asked of each stream: its records, its delivery, its transformation and their roles."""

from collections.abc import Sequence

from infra.aws.catch_up import is_caught_up
from infra.aws.deployed import REDEPLOY, Check, Deployed, Finding

_STREAM = "the stream is active, encrypted and keeps records as long as promised"
_CAUGHT_UP = "what came before the delivery stream was made is delivered"
_DELIVERY = "the delivery stream is active and partitions by event hour"
_ENVIRONMENT = "the transform's environment is encrypted with the deployment's own key"
_TRANSFORMING = "every record goes through the transform"
_PERMISSIONS = "no role of the pipeline may delete events"


def _stream(at: Deployed) -> Finding:
    if at.stream.is_direct:
        return Finding(_STREAM, True, "no Kinesis stream: events go straight to Firehose")
    found = at.client("kinesis").describe_stream_summary(StreamName=at.stream.stream_name)[
        "StreamDescriptionSummary"
    ]
    hours, state = found["RetentionPeriodHours"], found["StreamStatus"]
    holds = (
        state == "ACTIVE"
        and hours >= at.deployment.stream_retention_hours
        and found.get("EncryptionType") == "KMS"
    )
    seen = f"{state}, {hours} h, encryption {found.get('EncryptionType', 'NONE')}"
    return Finding(_STREAM, holds, seen, REDEPLOY)


def _delivery(at: Deployed) -> Finding:
    answer = at.client("firehose").describe_delivery_stream(DeliveryStreamName=at.stream.delivery_stream)
    found = answer["DeliveryStreamDescription"]
    (destination,) = found["Destinations"]
    description = destination.get("ExtendedS3DestinationDescription", {})
    partitions = str(description.get("DynamicPartitioningConfiguration", {}).get("Enabled")).lower() == "true"
    state = found["DeliveryStreamStatus"]
    holds = state == "ACTIVE" and partitions
    return Finding(
        _DELIVERY, holds, f"{state}, dynamic partitioning {'on' if partitions else 'off'}", REDEPLOY
    )


def _caught_up(at: Deployed) -> Finding:
    holds = is_caught_up(at.client, at.stream)
    seen = "nothing is left" if holds else "the stream is older than its delivery stream"
    return Finding(_CAUGHT_UP, holds, seen, "Run: penstock catch-up")


def _transforming(at: Deployed) -> Finding:
    answer = at.client("firehose").describe_delivery_stream(DeliveryStreamName=at.stream.delivery_stream)
    (destination,) = answer["DeliveryStreamDescription"]["Destinations"]
    block = destination.get("ExtendedS3DestinationDescription", {}).get("ProcessingConfiguration", {})
    called = [
        str(each["ParameterValue"])
        for processor in block.get("Processors", ())
        for each in processor.get("Parameters", ())
        if each["ParameterName"] == "LambdaArn"
    ]
    is_on = str(block.get("Enabled")).lower() == "true"
    holds = is_on and any(f":function:{at.stream.transform_function}" in each for each in called)
    seen = f"{'on' if is_on else 'off'}, {', '.join(called) or 'no function'}"
    return Finding(_TRANSFORMING, holds, seen, REDEPLOY)


def _environment(at: Deployed) -> Finding:
    name = at.stream.transform_function
    key = at.client("lambda").get_function_configuration(FunctionName=name).get("KMSKeyArn", "")
    if not key or key != at.stream.transform_key:
        return Finding(_ENVIRONMENT, False, key or "Lambda's own key", REDEPLOY)
    kms = at.client("kms")
    state = kms.describe_key(KeyId=key)["KeyMetadata"]["KeyState"]
    rotates = kms.get_key_rotation_status(KeyId=key)["KeyRotationEnabled"]
    seen = f"{state}, rotation {'on' if rotates else 'off'}"
    remedy = 'See "The transform\'s KMS key" in docs/runbook.md'
    holds = state == "Enabled" and rotates
    return Finding(_ENVIRONMENT, holds, seen, "" if holds else remedy)


def _permissions(at: Deployed) -> Finding:
    allowed = []
    stream = at.project.streams[at.stream.name]
    source = [] if stream.is_direct else [f"{stream.name}-source"]
    for role in ("queries", stream.named("transform"), f"{stream.name}-delivery", *source):
        name = f"{at.deployment.prefix}-{role}-{at.outputs.region}"
        arn = at.client("iam").get_role(RoleName=name)["Role"]["Arn"]
        answer = at.client("iam").simulate_principal_policy(
            PolicySourceArn=arn,
            ActionNames=["s3:DeleteObject", "s3:DeleteObjectVersion"],
            ResourceArns=[f"arn:aws:s3:::{at.outputs.lake_bucket}/{stream.table}/canary.parquet"],
        )
        allowed += [
            f"{role} {each['EvalActionName']}"
            for each in answer["EvaluationResults"]
            if each["EvalDecision"] == "allowed"
        ]
    return Finding(_PERMISSIONS, not allowed, ", ".join(allowed) or "every deletion is denied", REDEPLOY)


STREAM_CHECKS: Sequence[Check] = (
    Check(_STREAM, _stream, is_of_stream=True),
    Check(_DELIVERY, _delivery, is_of_stream=True),
    Check(_CAUGHT_UP, _caught_up, is_of_stream=True),
    Check(_TRANSFORMING, _transforming, is_of_stream=True),
    Check(_ENVIRONMENT, _environment, is_of_stream=True),
    Check(_PERMISSIONS, _permissions, is_of_stream=True),
)
