"""What the template promises and MiniStack leaves out of a deployment, done by the calls it stands for."""

from collections.abc import Mapping
from typing import Any

from infra.local.parts.context import LocalContext


def complete(context: LocalContext, template: Mapping[str, Any], physical_ids: Mapping[str, str]) -> None:
    """Encrypt streams and environments and keep backups as the template says; what is done already stays.

    `physical_ids` are the deployed stack's, by logical id.
    """
    for logical_id, resource in template["Resources"].items():
        properties = resource.get("Properties", {})
        if resource["Type"] == "AWS::Kinesis::Stream" and "StreamEncryption" in properties:
            _encrypt(context.client("kinesis"), physical_ids[logical_id], properties["StreamEncryption"])
        elif resource["Type"] == "AWS::Lambda::Function" and "KmsKeyArn" in properties:
            key, _ = properties["KmsKeyArn"]["Fn::GetAtt"]
            _name_key(context, physical_ids[logical_id], physical_ids[key])
        elif resource["Type"] == "AWS::DynamoDB::GlobalTable":
            for replica in properties.get("Replicas", ()):
                wanted = replica.get("PointInTimeRecoverySpecification", {})
                if wanted.get("PointInTimeRecoveryEnabled"):
                    _keep_backups(context.client("dynamodb"), physical_ids[logical_id])


def _encrypt(kinesis: Any, stream: str, wanted: Mapping[str, str]) -> None:
    found = kinesis.describe_stream_summary(StreamName=stream)["StreamDescriptionSummary"]
    if found.get("EncryptionType", "NONE") != wanted["EncryptionType"]:
        kinesis.start_stream_encryption(StreamName=stream, **wanted)


def _name_key(context: LocalContext, function: str, key: str) -> None:
    arn, functions = (
        context.client("kms").describe_key(KeyId=key)["KeyMetadata"]["Arn"],
        context.client("lambda"),
    )
    if functions.get_function_configuration(FunctionName=function).get("KMSKeyArn") != arn:
        functions.update_function_configuration(FunctionName=function, KMSKeyArn=arn)


def _keep_backups(dynamodb: Any, table: str) -> None:
    dynamodb.update_continuous_backups(
        TableName=table, PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": True}
    )
