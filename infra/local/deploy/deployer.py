"""Deploys the synthesized assembly to the local cloud, with boto3 alone.

The template is read as it is. What the local server answers becomes a custom resource afterwards, in memory.
"""

import hashlib
import json
import time
from collections.abc import Callable, Collection, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

from infra.aws.lasting import keep_texts
from infra.local.access.server_gate import cloudformation_path
from infra.local.deploy import packages
from infra.local.deploy.assembly import Asset, StackTemplate, read
from infra.local.files import write_json
from infra.local.ministack import completion
from infra.local.parts.cfn import ADDRESS_PROPERTY, TYPE_PROPERTY
from infra.local.parts.context import LocalContext
from infra.local.status import alarm_listener
from infra.project.carried import CHARTS
from infra.project.project import Project

PROVIDER = "penstock-local"
PROVIDER_SECONDS = 60
INLINE_LIMIT = 51_200
"""Bytes of a template that CloudFormation takes in the call itself."""

NEVER_WHOLE = frozenset({
    "CREATE_IN_PROGRESS", "CREATE_FAILED", "ROLLBACK_IN_PROGRESS", "ROLLBACK_FAILED", "ROLLBACK_COMPLETE",
    "REVIEW_IN_PROGRESS", "DELETE_IN_PROGRESS", "DELETE_FAILED",
})  # fmt: skip
"""States of a stack that holds nothing of anybody's, and is made anew. Any other is updated."""

BOOTSTRAP_PARAMETER = "/cdk-bootstrap/hnb659fds/version"
BOOTSTRAP_VERSION = "30"

Progress = Callable[[str], None]


class DeploymentError(RuntimeError):
    """A stack could not be deployed; `reasons` has one line per failed resource."""

    def __init__(self, stack: str, status: str, reasons: list[str]) -> None:
        lines = "\n".join(f"  {reason}" for reason in reasons) or "  (CloudFormation gave no reason)"
        super().__init__(f"Stack {stack} ended as {status}:\n{lines}\n{_advice(status)}")
        self.stack, self.status, self.reasons = stack, status, reasons


def _advice(status: str) -> str:
    """What to do next. A stack that could not be updated is as it was before, with its data."""
    if status.startswith("UPDATE"):
        return (
            "What was deployed before is still there, with its data, and the version that deployed it runs "
            "it on. Nothing has to be discarded. Please report this as a bug."
        )
    return "Nothing was in this stack yet. Run again: penstock local up"


def serve_locally(
    template: dict[str, Any], provider_arn: str, served: Collection[str], address: str
) -> dict[str, Any]:
    """The template with each type of `served` made a custom resource of the local server at this address.

    Where attributes of a resource name the address, another one is a change of the resource: outputs and
    functions that have it are updated.
    """
    resources = {}
    for name, resource in template["Resources"].items():
        kind = resource["Type"]
        if kind in served:
            custom: dict[str, Any] = {
                "ServiceToken": provider_arn,
                "ServiceTimeout": PROVIDER_SECONDS,
                TYPE_PROPERTY: kind,
            }
            if kind in _NAMES_ITS_ADDRESS:
                custom[ADDRESS_PROPERTY] = address
            local_type = "Custom::Local" + "".join(kind.split("::")[1:])
            properties = {**resource.get("Properties", {}), **custom}
            resources[name] = {**resource, "Type": local_type, "Properties": properties}
        else:
            resources[name] = resource
    return {**template, "Resources": resources}


_TOPIC = "AWS::SNS::Topic"
_NAMES_ITS_ADDRESS = frozenset({"AWS::AppSync::GraphQLApi"})


def deploy(context: LocalContext, folder: Path, project: Project, progress: Progress) -> dict[str, Any]:
    """Deploy every stack of the project's assembly and write its outputs to `paths.outputs`; returns them.

    Idempotent. Raises AssemblyError, DeploymentError.
    """
    stacks = read(folder, account_id=context.account_id, region=context.region)
    _bootstrap(context, stacks)
    wanted = {asset.key: asset for stack in stacks for asset in stack.assets}
    _upload(context, wanted, packages.sources(project.folders, charts=folder / CHARTS))
    provider, served = _provider(context), frozenset(context.ask("/_cfn"))
    written: dict[str, Any] = {"region": context.region, "account_id": context.account_id, "stacks": {}}
    for stack in stacks:
        progress(f"deploying {stack.name}")
        document = keep_texts(stack.document(), _deployed(context, stack.name))
        body = json.dumps(serve_locally(document, provider, served, context.server_url))
        existed = _apply(context, stack, body)
        if existed:
            _refresh_functions(context, stack)
        described = written["stacks"][stack.name] = _description(context, stack, body)
        ids = {name: resource["id"] for name, resource in described["resources"].items()}
        completion.complete(context, stack.document(), ids)
        for name, resource in stack.document()["Resources"].items():
            if resource["Type"] == _TOPIC:  # the deployment's alarms have one, those of each stream another
                alarm_listener.subscribe(context, ids[name])
    write_json(context.paths.outputs, written)
    return written


def _bootstrap(context: LocalContext, stacks: list[StackTemplate]) -> None:
    context.client("ssm").put_parameter(
        Name=BOOTSTRAP_PARAMETER, Value=BOOTSTRAP_VERSION, Type="String", Overwrite=True
    )
    for bucket in {asset.bucket for stack in stacks for asset in stack.assets} | {_scratch_bucket(context)}:
        context.client("s3").create_bucket(Bucket=bucket)


def _scratch_bucket(context: LocalContext) -> str:
    return f"penstock-local-templates-{context.account_id}"


def _upload(context: LocalContext, assets: Mapping[str, Asset], ours: bytes) -> None:
    for asset in assets.values():
        if not asset.is_zip:
            body = asset.source.read_bytes()
        elif asset.source.is_dir():
            body = packages.folder(asset.source)
        else:
            body = ours  # the assembly ships without the functions' folders: they are these packages
        context.client("s3").put_object(Bucket=asset.bucket, Key=asset.key, Body=body)


def _provider(context: LocalContext) -> str:
    """Arn of the function that hands CloudFormation's requests to the local server."""
    iam, functions = context.client("iam"), context.client("lambda")
    trust = {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
        ],
    }
    with suppress(iam.exceptions.EntityAlreadyExistsException):
        iam.create_role(RoleName=PROVIDER, AssumeRolePolicyDocument=json.dumps(trust))
    variables = {"MINISTACK_LAMBDA_PROXY_URL": context.server_url + cloudformation_path(context.keys)}
    try:
        found = functions.get_function(FunctionName=PROVIDER)["Configuration"]
    except functions.exceptions.ResourceNotFoundException:
        found = functions.create_function(
            FunctionName=PROVIDER,
            Role=iam.get_role(RoleName=PROVIDER)["Role"]["Arn"],
            Runtime="python3.13",
            Handler="index.handler",
            Timeout=PROVIDER_SECONDS,
            Code={"ZipFile": packages.zipped(iter(()))},
            Environment={"Variables": variables},
        )
    else:
        functions.update_function_configuration(FunctionName=PROVIDER, Environment={"Variables": variables})
    return str(found["FunctionArn"])


def _apply(context: LocalContext, stack: StackTemplate, body: str) -> bool:
    """Create or update the stack and wait; True when it existed."""
    cloudformation = context.client("cloudformation")
    status = _settled(context, stack.name)  # whoever deployed before may have been cut off
    if status in NEVER_WHOLE:
        cloudformation.delete_stack(StackName=stack.name)
        _wait(context, stack.name, gone=True)
        status = ""
    request = {
        "StackName": stack.name,
        "Capabilities": ["CAPABILITY_IAM", "CAPABILITY_NAMED_IAM", "CAPABILITY_AUTO_EXPAND"],
        **_body(context, stack.name, body),
    }
    if not status:
        cloudformation.create_stack(**request, OnFailure="DO_NOTHING")
        _wait(context, stack.name)
        return False
    try:
        cloudformation.update_stack(**request)
    except ClientError as error:
        if "No updates" not in str(error):
            raise
    else:
        _wait(context, stack.name)
    return True


def _body(context: LocalContext, name: str, body: str) -> dict[str, str]:
    if len(body.encode()) <= INLINE_LIMIT:
        return {"TemplateBody": body}
    key = f"{name}.template.json"
    context.client("s3").put_object(Bucket=_scratch_bucket(context), Key=key, Body=body.encode())
    return {"TemplateURL": f"{context.endpoint_url}/{_scratch_bucket(context)}/{key}"}


def _deployed(context: LocalContext, name: str) -> dict[str, Any]:
    """The template of a stack as it was deployed; empty when there is none."""
    try:
        body = context.client("cloudformation").get_template(StackName=name)["TemplateBody"]
    except ClientError:
        return {}
    found = json.loads(body) if isinstance(body, str) else body
    return dict(found or {})


def _status(context: LocalContext, name: str) -> str:
    """The stack's status; empty when there is none."""
    try:
        found = context.client("cloudformation").describe_stacks(StackName=name)["Stacks"]
    except ClientError:
        return ""
    return str(found[0]["StackStatus"]) if found else ""


def _settled(context: LocalContext, name: str) -> str:
    """The stack's status once it is not in progress any more, or after a minute and a half."""
    deadline = time.monotonic() + 90  # a state that was written amid a deployment stays so for good
    while (status := _status(context, name)).endswith("IN_PROGRESS") and time.monotonic() < deadline:
        time.sleep(0.05)
    return status


def _wait(context: LocalContext, name: str, *, gone: bool = False) -> None:
    status = _settled(context, name)
    if gone and status in {"", "DELETE_COMPLETE"}:
        return
    if status not in {"CREATE_COMPLETE", "UPDATE_COMPLETE"}:
        raise DeploymentError(name, status, _reasons(context, name))


def _reasons(context: LocalContext, name: str) -> list[str]:
    events = context.client("cloudformation").describe_stack_events(StackName=name)["StackEvents"]
    return [
        f"{event['LogicalResourceId']} ({event['ResourceType']}): {event.get('ResourceStatusReason', '')}"
        for event in reversed(events)
        if event["ResourceStatus"].endswith("_FAILED")
    ]


def _refresh_functions(context: LocalContext, stack: StackTemplate) -> None:
    """Give the functions of a stack that existed the code that lies under their keys now."""
    document, functions = stack.document(), context.client("lambda")
    buckets = {asset.key: asset.bucket for asset in stack.assets}
    for logical_id, resource in _resources(context, stack.name).items():
        key = document["Resources"][logical_id].get("Properties", {}).get("Code", {})
        if resource["type"] == "AWS::Lambda::Function" and key.get("S3Key") in buckets:
            name, bucket = resource["id"], buckets[key["S3Key"]]
            functions.update_function_code(FunctionName=name, S3Bucket=bucket, S3Key=key["S3Key"])


def _resources(context: LocalContext, name: str) -> dict[str, dict[str, str]]:
    found = context.client("cloudformation").describe_stack_resources(StackName=name)["StackResources"]
    return {
        each["LogicalResourceId"]: {"type": each["ResourceType"], "id": each.get("PhysicalResourceId", "")}
        for each in found
    }


def _description(context: LocalContext, stack: StackTemplate, body: str) -> dict[str, Any]:
    found = context.client("cloudformation").describe_stacks(StackName=stack.name)["Stacks"][0]
    return {
        "outputs": {each["OutputKey"]: each["OutputValue"] for each in found.get("Outputs", [])},
        "resources": _resources(context, stack.name),
        "template": stack.file.name,
        "template_sha256": stack.sha256,
        "deployed_sha256": hashlib.sha256(body.encode()).hexdigest(),
    }
