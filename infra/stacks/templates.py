"""Synthesized templates, read with every name filled in, for the role matrix and for checks."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ACCOUNT_ID, REGION = "111122223333", "eu-central-1"
_PSEUDO = {
    "AWS::AccountId": ACCOUNT_ID,
    "AWS::Region": REGION,
    "AWS::Partition": "aws",
    "AWS::URLSuffix": "amazonaws.com",
    "AWS::NoValue": "",
}
_NAMES = {
    "AWS::S3::Bucket": ("BucketName", "arn:aws:s3:::{}"),
    "AWS::SQS::Queue": ("QueueName", f"arn:aws:sqs:{REGION}:{ACCOUNT_ID}:{{}}"),
    "AWS::SNS::Topic": ("TopicName", f"arn:aws:sns:{REGION}:{ACCOUNT_ID}:{{}}"),
    "AWS::IAM::Role": ("RoleName", f"arn:aws:iam::{ACCOUNT_ID}:role/{{}}"),
    "AWS::Lambda::Function": ("FunctionName", f"arn:aws:lambda:{REGION}:{ACCOUNT_ID}:function:{{}}"),
    "AWS::Kinesis::Stream": ("Name", f"arn:aws:kinesis:{REGION}:{ACCOUNT_ID}:stream/{{}}"),
    "AWS::KinesisFirehose::DeliveryStream": (
        "DeliveryStreamName",
        f"arn:aws:firehose:{REGION}:{ACCOUNT_ID}:deliverystream/{{}}",
    ),
    "AWS::DynamoDB::GlobalTable": ("TableName", f"arn:aws:dynamodb:{REGION}:{ACCOUNT_ID}:table/{{}}"),
    "AWS::Logs::LogGroup": ("LogGroupName", f"arn:aws:logs:{REGION}:{ACCOUNT_ID}:log-group:{{}}:*"),
    "AWS::SecretsManager::Secret": ("Name", f"arn:aws:secretsmanager:{REGION}:{ACCOUNT_ID}:secret:{{}}"),
    "AWS::Events::Rule": ("Name", f"arn:aws:events:{REGION}:{ACCOUNT_ID}:rule/{{}}"),
    "AWS::Glue::Table": ("TableInput.Name", ""),
    "AWS::Glue::Database": ("DatabaseInput.Name", ""),
}
"""Type to the property that names a resource, and its ARN."""
_NUMBERED = {"AWS::KMS::Key": f"arn:aws:kms:{REGION}:{ACCOUNT_ID}:key/{{}}"}
"""Type to the ARN of a resource that AWS names; the logical id stands for its id."""


class UnresolvedError(ValueError):
    """A template holds something that cannot be given a value here; better to stop than to skip a
    statement.
    """


@dataclass(frozen=True)
class Resource:
    """One resource with its names filled in."""

    stack: str
    logical_id: str
    type: str
    properties: Mapping[str, Any]
    attributes: Mapping[str, Any]

    @property
    def name(self) -> str:
        """Its physical name."""
        return str(_member(self.properties, _NAMES[self.type][0]))

    @property
    def arn(self) -> str:
        """Its ARN, of a type that has one."""
        if self.type in _NUMBERED:
            return _NUMBERED[self.type].format(self.logical_id)
        return _NAMES[self.type][1].format(self.name)


def read(assembly: Path) -> list[Resource]:
    """Every resource of every template in the folder, in order of stack and position. Raises
    UnresolvedError.
    """
    templates = {
        path.name.removesuffix(".template.json"): json.loads(path.read_bytes())
        for path in sorted(assembly.glob("*.template.json"))
    }
    resolver = _Resolver(templates)
    return [
        Resource(
            stack, name, each["Type"], resolver.value(stack, each.get("Properties", {})),
            {key: value for key, value in each.items() if key not in ("Type", "Properties")},
        )
        for stack, template in templates.items()
        for name, each in template["Resources"].items()
    ]  # fmt: skip


class _Resolver:
    def __init__(self, templates: Mapping[str, Any]) -> None:
        self._templates = templates

    def value(self, stack: str, node: Any) -> Any:
        if isinstance(node, list):
            return [self.value(stack, member) for member in node]
        if not isinstance(node, dict):
            return node
        if len(node) == 1:
            ((function, argument),) = node.items()
            if function == "Ref" or function.startswith("Fn::"):
                return self._call(stack, function, argument)
        return {name: self.value(stack, member) for name, member in node.items()}

    def _call(self, stack: str, function: str, argument: Any) -> Any:
        match function:
            case "Ref":
                return self._reference(stack, argument)
            case "Fn::Sub":
                return self._substituted(stack, str(argument))
            case "Fn::Join":
                return str(argument[0]).join(str(self.value(stack, part)) for part in argument[1])
            case "Fn::GetAtt":
                return self._attribute(stack, *argument)
            case "Fn::ImportValue":
                return self._imported(argument)
            case "Fn::If":
                return self.value(stack, argument[1])
            case "Fn::Select":
                return self.value(stack, argument[1])[int(argument[0])]
            case "Fn::Split":
                return str(self.value(stack, argument[1])).split(argument[0])
        raise UnresolvedError(f"{stack}: {function} of {argument!r} has no value here.")

    def _reference(self, stack: str, name: str) -> str:
        if name in _PSEUDO:
            return _PSEUDO[name]
        template = self._templates[stack]
        if name in template.get("Parameters", {}):
            return str(template["Parameters"][name].get("Default", ""))
        return self._name(stack, name)

    def _name(self, stack: str, logical_id: str) -> str:
        resource = self._templates[stack]["Resources"][logical_id]
        if resource["Type"] not in _NAMES:
            return logical_id
        path = _NAMES[resource["Type"]][0]
        return str(self.value(stack, _member(resource["Properties"], path)))

    def _attribute(self, stack: str, logical_id: str, attribute: str) -> str:
        kind = self._templates[stack]["Resources"][logical_id]["Type"]
        if attribute != "Arn" and not attribute.endswith("Arn"):
            return f"{logical_id}.{attribute}"
        if kind in _NUMBERED:
            return _NUMBERED[kind].format(logical_id)
        if kind not in _NAMES or not _NAMES[kind][1]:
            return f"arn:aws:unknown:{REGION}:{ACCOUNT_ID}:{logical_id}"
        return _NAMES[kind][1].format(self._name(stack, logical_id))

    def _imported(self, export: str) -> Any:
        for stack, template in self._templates.items():
            for output in template.get("Outputs", {}).values():
                if output.get("Export", {}).get("Name") == export:
                    return self.value(stack, output["Value"])
        raise UnresolvedError(f"No stack exports {export!r}.")

    def _substituted(self, stack: str, text: str) -> str:
        def one(match: re.Match[str]) -> str:
            name = match[1]
            if name.startswith("!"):
                return f"${{{name[1:]}}}"
            resource, _, attribute = name.partition(".")
            if attribute and resource in self._templates[stack]["Resources"]:
                return self._attribute(stack, resource, attribute)
            if name not in _PSEUDO:
                raise UnresolvedError(f"${{{name}}} in {text!r} has no value here.")
            return _PSEUDO[name]

        return re.sub(r"\$\{([^}]*)\}", one, text)


def of_type(resources: list[Resource], *kinds: str) -> Iterator[Resource]:
    """The resources of these types."""
    return (resource for resource in resources if resource.type in kinds)


def _member(value: Any, path: str) -> Any:
    for part in path.split("."):
        value = value[part]
    return value
