"""Names of the deployed resources, as the stacks' outputs say them."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from typing import Any

from infra.deployment import Deployment


class OutputsError(RuntimeError):
    """The deployment does not say what a command needs to know."""


@dataclass(frozen=True)
class Outputs:
    """What every command may need a name for. Each field is the stack output of the same name in
    CamelCase.
    """

    region: str
    account_id: str
    stream_name: str
    delivery_stream: str
    transform_function: str
    pseudonym_secret: str
    lake_bucket: str
    database: str
    queue_url: str
    dead_letter_queue_url: str
    reporting_bucket: str
    results_bucket: str
    ledger_table: str
    query_function: str
    work_group: str
    analyst_work_group: str
    pseudonym_key_ids: str = ""
    transform_key: str = ""
    alarm_topic_arn: str = ""
    operations_dashboard: str = ""

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> "Outputs":
        """From what the local deployer wrote. Raises OutputsError."""
        values = {"region": str(document["region"]), "account_id": str(document["account_id"])}
        for stack in document["stacks"].values():
            values |= _named(stack["outputs"].items())
        return cls._of(values, "Run: penstock local up")

    @classmethod
    def from_stacks(cls, cloudformation: Any, deployment: Deployment) -> "Outputs":
        """From a deployment on AWS, by a boto3 CloudFormation client. Raises OutputsError, ClientError."""
        prefix = f"{deployment.prefix}-"
        values: dict[str, str] = {}
        for page in cloudformation.get_paginator("describe_stacks").paginate():
            for stack in page["Stacks"]:
                if _is_of(stack, deployment.name) and stack["StackName"].startswith(prefix):
                    region, account = stack["StackId"].split(":")[3:5]
                    outputs = ((each["OutputKey"], each["OutputValue"]) for each in stack.get("Outputs", []))
                    values |= {"region": region, "account_id": account, **_named(outputs)}
        return cls._of(values, f"Run: penstock deploy --deployment {deployment.name}")

    @classmethod
    def _of(cls, values: Mapping[str, str], remedy: str) -> "Outputs":
        known = {field.name for field in fields(cls)}
        try:
            return cls(**{name: value for name, value in values.items() if name in known})
        except TypeError as error:
            missing = sorted(set(re.findall(r"'(\w+)'", str(error))))
            raise OutputsError(f"The deployed stacks do not name {', '.join(missing)}. {remedy}") from error


def _named(outputs: Iterable[tuple[str, str]]) -> dict[str, str]:
    return {re.sub(r"(?<!^)(?=[A-Z])", "_", key).lower(): value for key, value in outputs}


def _is_of(stack: Mapping[str, Any], deployment: str) -> bool:
    tags = {tag["Key"]: tag["Value"] for tag in stack.get("Tags", [])}
    return tags.get("penstock:deployment") == deployment
