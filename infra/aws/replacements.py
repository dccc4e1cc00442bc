"""What CloudFormation would replace or remove of a deployment, and whether the plan has shown it."""

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from botocore.exceptions import ClientError

from dashboards.emit import resources
from dashboards.plan import KINDS, Step, plan, unshown
from dashboards.quicksight import deployed
from infra.aws.lasting import replacements
from infra.command.exits import Exit
from infra.deployment import Deployment
from infra.project.project import Project

CHANGE_SET = "penstock-deploy-check"
_TYPES = {f"AWS::QuickSight::{kind}": kind for kind in KINDS}


class ReplacementError(RuntimeError):
    """A deploy would replace or remove dashboards or what they stand on."""

    exit_code = Exit.FAILED


def check(
    client: Callable[[str], Any],
    project: Project,
    deployment: Deployment,
    *,
    prepare: Callable[[str], None],
    may_replace: bool,
    tell: Callable[[str], None],
) -> None:
    """Show what would be lost, and refuse what is not wanted or not shown.

    `prepare` makes the change set CHANGE_SET of a stack, without executing it. Raises ReplacementError.
    """
    stack = deployment.stack("dashboards")
    cloudformation = client("cloudformation")
    if not exists(cloudformation, stack):
        return
    steps = planned(client, project, deployment)
    shown = [step for step in steps if step.action in ("replace", "delete")]
    for step in shown:
        tell(str(step))
    if shown and not may_replace:
        raise ReplacementError(
            f"{len(shown)} assets would be replaced or deleted, with what depends on them (above). "
            "To do it all the same, run: penstock deploy --replace"
        )
    prepare(stack)
    try:
        lost = losses(cloudformation, stack)
    finally:
        cloudformation.delete_change_set(StackName=stack, ChangeSetName=CHANGE_SET)
    if hidden := unshown(lost, steps):
        raise ReplacementError(
            f"CloudFormation would replace or remove {', '.join(hidden)}, which the plan does not show. "
            "Nothing was deployed. Look at: penstock diff, penstock --target aws dashboards plan"
        )


def refuse_named(client: Callable[[str], Any], templates: Mapping[str, Mapping[str, Any]]) -> None:
    """Stop before an update that can only fail: what has a name of its own cannot be replaced.

    `templates`: stack -> what is to be deployed. Raises ReplacementError.
    """
    from infra.aws.registry import create_only

    cloudformation = client("cloudformation")
    lines = [
        f"{stack}: {each}"
        for stack, template in templates.items()
        if exists(cloudformation, stack)
        for each in replacements(_deployed(cloudformation, stack), template, create_only())
    ]
    if lines:
        raise ReplacementError(
            "CloudFormation would have to replace what has a fixed name, which it cannot:\n"
            + "".join(f"  {line}\n" for line in lines)
            + "Nothing was deployed, and no data has to be given up. "
            "See 'A deploy that would replace' in docs/runbook.md."
        )


def _deployed(cloudformation: Any, stack: str) -> Mapping[str, Any]:
    body = cloudformation.get_template(StackName=stack, TemplateStage="Original")["TemplateBody"]
    found: Mapping[str, Any] = json.loads(body) if isinstance(body, str) else body
    return found


def planned(client: Callable[[str], Any], project: Project, deployment: Deployment) -> tuple[Step, ...]:
    """The plan of this deployment for the account and region that the clients talk to."""
    sts = client("sts")
    account, region = sts.get_caller_identity()["Account"], sts.meta.region_name
    wanted = resources(
        project.reports, project.dashboards, prefix=deployment.prefix, account=account, region=region,
        database=deployment.database, work_group=deployment.analyst_work_group,
    )  # fmt: skip
    return plan(wanted, deployed(client("quicksight"), account), deployment.prefix)


def losses(cloudformation: Any, stack: str) -> dict[str, str]:
    """Asset id -> kind of what the change set replaces or removes, for certain or perhaps."""
    changes: list[Mapping[str, Any]] = []
    more: dict[str, str] = {}
    while True:
        page = cloudformation.describe_change_set(StackName=stack, ChangeSetName=CHANGE_SET, **more)
        changes += page.get("Changes", [])
        if not page.get("NextToken"):
            return lost(changes)
        more = {"NextToken": page["NextToken"]}


def lost(changes: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    """The same of the change set's entries."""
    found = {}
    for entry in changes:
        change = entry.get("ResourceChange", {})
        kind = _TYPES.get(change.get("ResourceType", ""))
        is_gone = change.get("Action") == "Remove" or change.get("Replacement") in ("True", "Conditional")
        if kind and is_gone:
            # CloudFormation names them `account|id`.
            found[str(change.get("PhysicalResourceId", "")).rpartition("|")[2]] = kind
    return found


def exists(cloudformation: Any, stack: str) -> bool:
    """Whether there is such a stack, by a boto3 CloudFormation client."""
    try:
        (found,) = cloudformation.describe_stacks(StackName=stack)["Stacks"]
    except ClientError:
        return False
    return bool(found["StackStatus"] != "REVIEW_IN_PROGRESS")
