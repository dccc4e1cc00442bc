"""Takes over what an earlier deployment kept: a stack that is gone left buckets, stream, ledger, keys behind.

CloudFormation would refuse to make them again. Before the deploy, a stack of nothing but these is made by an
import; the deploy then adds the rest to it.
"""

import json
from collections.abc import Callable, Mapping
from typing import Any

from botocore.exceptions import ClientError

Client = Callable[[str], Any]
Find = Callable[[Client, str], str]
"""(clients, name) -> the identifier to import it by. Raises ClientError or LookupError when there is none."""


def _bucket(client: Client, name: str) -> str:
    client("s3").head_bucket(Bucket=name)
    return name


def _stream(client: Client, name: str) -> str:
    return str(
        client("kinesis").describe_stream_summary(StreamName=name)["StreamDescriptionSummary"]["StreamName"]
    )


def _table(client: Client, name: str) -> str:
    return str(client("dynamodb").describe_table(TableName=name)["Table"]["TableName"])


def _queue(client: Client, name: str) -> str:
    return str(client("sqs").get_queue_url(QueueName=name)["QueueUrl"])


def _secret(client: Client, name: str) -> str:
    return str(client("secretsmanager").describe_secret(SecretId=name)["ARN"])


def _user_pool(client: Client, name: str) -> str:
    pages = client("cognito-idp").get_paginator("list_user_pools").paginate(PaginationConfig={"PageSize": 60})
    for page in pages:
        for pool in page["UserPools"]:
            if pool["Name"] == name:
                return str(pool["Id"])
    raise LookupError(name)


KEPT: Mapping[str, tuple[str, str, Find]] = {
    "AWS::S3::Bucket": ("BucketName", "BucketName", _bucket),
    "AWS::Kinesis::Stream": ("Name", "Name", _stream),
    "AWS::DynamoDB::GlobalTable": ("TableName", "TableName", _table),
    "AWS::SQS::Queue": ("QueueName", "QueueUrl", _queue),
    "AWS::SecretsManager::Secret": ("Name", "Id", _secret),
    "AWS::Cognito::UserPool": ("UserPoolName", "UserPoolId", _user_pool),
}
"""Type to the property that names it, the identifier that an import wants, and how to find it."""


_NEVER_MADE = "ROLLBACK_COMPLETE"
_GONE = ("", "DELETE_COMPLETE", "REVIEW_IN_PROGRESS", _NEVER_MADE)


def adopt(client: Client, stack: str, template: Mapping[str, Any], *, account: str, region: str) -> list[str]:
    """Import what is there into a new stack; the logical ids of it. A stack that exists is left alone.

    One whose creation failed takes no update and is deleted first: what it kept is like what a stack that is
    gone has left.
    """
    cloudformation = client("cloudformation")
    status = _status(cloudformation, stack)
    if status not in _GONE:
        return []
    if status == _NEVER_MADE:
        cloudformation.delete_stack(StackName=stack)
        cloudformation.get_waiter("stack_delete_complete").wait(StackName=stack)
    found = dict(_found(client, template, account=account, region=region))
    if not found:
        return []
    resources = {name: _alone(template["Resources"][name]) for name in found}
    change = {"StackName": stack, "ChangeSetName": "adopt"}
    cloudformation.create_change_set(
        **change,
        ChangeSetType="IMPORT",
        TemplateBody=json.dumps({"Resources": resources}),
        ResourcesToImport=[
            {
                "ResourceType": resources[name]["Type"],
                "LogicalResourceId": name,
                "ResourceIdentifier": identifier,
            }
            for name, identifier in found.items()
        ],
    )
    cloudformation.get_waiter("change_set_create_complete").wait(**change)
    cloudformation.execute_change_set(**change)
    cloudformation.get_waiter("stack_import_complete").wait(StackName=stack)
    return sorted(found)


def _found(
    client: Client, template: Mapping[str, Any], *, account: str, region: str
) -> list[tuple[str, dict[str, str]]]:
    found = []
    for logical_id, resource in template["Resources"].items():
        if resource.get("DeletionPolicy") != "Retain" or resource["Type"] not in KEPT:
            continue
        property_name, identifier, find = KEPT[resource["Type"]]
        written = resource["Properties"][property_name]
        name = written["Fn::Sub"] if isinstance(written, dict) else written
        name = name.replace("${AWS::AccountId}", account).replace("${AWS::Region}", region)
        try:
            found.append((logical_id, {identifier: find(client, name)}))
        except (ClientError, LookupError):
            continue  # not there, so the deploy makes it
    return found


def _alone(resource: Mapping[str, Any]) -> dict[str, Any]:
    """The resource without what refers to others, which an import may not add."""
    properties = {name: value for name, value in resource["Properties"].items() if not _refers(value)}
    return {"Type": resource["Type"], "DeletionPolicy": "Retain", "Properties": properties}


def _refers(value: Any) -> bool:
    if isinstance(value, dict):
        own = "Fn::GetAtt" in value or ("Ref" in value and not str(value["Ref"]).startswith("AWS::"))
        return own or any(_refers(member) for member in value.values())
    return isinstance(value, list) and any(_refers(member) for member in value)


def _status(cloudformation: Any, stack: str) -> str:
    try:
        (found,) = cloudformation.describe_stacks(StackName=stack)["Stacks"]
    except ClientError:
        return ""
    return str(found["StackStatus"])
