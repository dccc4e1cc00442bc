"""`penstock synth, diff, deploy, destroy, cost, capacity, doctor`, as `infra.command.cli` mounts them."""

import json
import math
import os
import time
import uuid
from collections.abc import Callable
from dataclasses import asdict
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from infra.aws import cdk
from infra.command.exits import Exit
from infra.deployment import DEFAULT, Deployment
from infra.project.project import Project
from producers.contracts import echo, message

if TYPE_CHECKING:
    from infra.command.target import Target

OUT = Path(".local/cdk.out")
DEPLOY_AGAIN = (
    "What was made stays, and is taken over: run penstock deploy again. A role that is seconds old may not "
    "be known to Firehose yet ('is not authorized to perform: sts:AssumeRole'); a minute later it is."
)

Name = Annotated[str, typer.Option("--deployment", help="One of the project's deployments.")]
Json = Annotated[bool, typer.Option("--json", help="The result as JSON.")]
Collected = Annotated[
    float, typer.Option(min=0, max=1, help="Share of the events that come through the collector.")
]
Hooked = Annotated[float, typer.Option("--webhooks", min=0, max=1, help="Share that comes as webhooks.")]
Rate = Annotated[float, typer.Option("--events-per-second", min=0.001, help="Average of the month.")]
LoadRate = Annotated[
    float,
    typer.Option("--events-per-second", min=0, help="Average of the month; 0 for a deployment at rest."),
]
Size = Annotated[int, typer.Option("--bytes", min=1, help="Bytes of one event.")]


class DeploymentNameError(ValueError):
    """No deployment has this name."""

    exit_code = Exit.USAGE


class NotReadyError(RuntimeError):
    """The account or the assembly is not ready for a deploy."""


def synth(
    context: typer.Context,
    deployment: Name = DEFAULT,
    out: Annotated[
        Path | None, typer.Option(help="Folder of the assembly, emptied first; the project's unless given.")
    ] = None,
    sources_only: Annotated[
        bool, typer.Option(help="Functions without their libraries: the templates are the same.")
    ] = False,
) -> None:
    """Write the CloudFormation templates and the functions' code, checked by cdk-nag."""
    from infra.aws.synth import synthesize
    from infra.stacks.artefact_folder import full_folder, source_folder

    started = time.monotonic()
    project = _project(context)
    out = out or _out(context)
    synthesize(project, _named(project, deployment), out, source_folder if sources_only else full_folder)
    templates = sorted(out.glob("*.template.json"))
    for path in templates:
        echo(str(path))
    echo(f"{len(templates)} stacks in {time.monotonic() - started:.1f} s", err=True)


def diff(
    context: typer.Context,
    deployment: Name = DEFAULT,
    drift: Annotated[
        bool, typer.Option("--drift", help="Instead: what differs from what was deployed, by hand.")
    ] = False,
) -> None:
    """What a deploy would change."""
    synth(context, deployment, sources_only=drift)
    cdk.call(["drift" if drift else "diff", "--app", str(_out(context))], os.environ, cdk.run_in_terminal)


def deploy(
    context: typer.Context,
    deployment: Name = DEFAULT,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask before permissions change.")] = False,
    replace: Annotated[
        bool, typer.Option("--replace", help="Go on with replacements of dashboards that the plan shows.")
    ] = False,
    revert_drift: Annotated[
        bool, typer.Option("--revert-drift", help="Also put back what somebody changed by hand.")
    ] = False,
) -> None:
    """Deploy every stack, after asking the account for what they need."""
    import boto3

    from infra.aws.catch_up_cli import bring
    from infra.aws.outputs import Outputs
    from infra.aws.preflight import missing
    from infra.aws.replacements import check, exists, refuse_named

    project = _project(context)
    chosen = _named(project, deployment)
    lacking = list(missing(boto3.client, chosen))  # type: ignore[arg-type]
    if fatal := [each for each in lacking if each.stack is None]:
        raise NotReadyError(" ".join(f"The account lacks {each.what}. {each.remedy}" for each in fatal))
    synth(context, deployment)
    out = _out(context)
    _refuse_without_libraries(out)
    left_out = {chosen.stack(each.stack) for each in lacking if each.stack}
    for each in lacking:
        echo(message(f"left out: the {each.stack} stack, for want of {each.what}. {each.remedy}"), err=True)
    stacks = [path.name.removesuffix(".template.json") for path in sorted(out.glob("*.template.json"))]
    stacks = [stack for stack in stacks if stack not in left_out]
    templates = {stack: json.loads((out / f"{stack}.template.json").read_bytes()) for stack in stacks}
    refuse_named(boto3.client, templates)  # type: ignore[arg-type]
    _adopt(boto3.client, out, stacks)  # type: ignore[arg-type]
    if chosen.stack("dashboards") in stacks:
        check(boto3.client, project, chosen, prepare=partial(_prepare, out), may_replace=replace, tell=echo)  # type: ignore[arg-type]
    approval = "never" if yes else "broadening"
    cloudformation = boto3.client("cloudformation")
    drifted = {stack for stack in stacks if revert_drift and exists(cloudformation, stack)}
    for chosen_stacks, options in cdk.deploy_calls(stacks, drifted):
        arguments = ["deploy", "--app", str(out), "--require-approval", approval, *options]
        try:
            cdk.call([*arguments, *chosen_stacks], os.environ, cdk.run_in_terminal)
        except cdk.CdkFailedError as error:
            raise NotReadyError(f"{error} {DEPLOY_AGAIN}") from error
    outputs = Outputs.from_stacks(cloudformation, chosen, project.streams.values())
    bring(boto3.client, outputs, project, chosen, partial(echo, err=True))  # type: ignore[arg-type]
    echo("Deployed. See what holds: penstock --target aws doctor", err=True)


def destroy(
    context: typer.Context,
    deployment: Name = DEFAULT,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    while_written: Annotated[
        bool, typer.Option("--while-written", help="Also while events come, which the next deploy delivers.")
    ] = False,
) -> None:
    """Take a deployment's stacks down. Buckets, stream, ledger, dead letters and keys stay, with their
    data.
    """
    import boto3

    from infra.aws.writers import still_written, written

    project = _project(context)
    if not while_written:
        client, chosen = boto3.client("cloudwatch"), _named(project, deployment)
        if busy := written(client, chosen, project.streams.values(), datetime.now(UTC)):
            raise NotReadyError(still_written(busy))
    synth(context, deployment, sources_only=True)
    cdk.call(
        ["destroy", "--app", str(_out(context)), "--all", *(["--force"] if yes else [])],
        os.environ,
        cdk.run_in_terminal,
    )
    echo("What is kept is found again by the next deploy. To delete it too, see docs/deploy.md.", err=True)


def cost(
    context: typer.Context,
    events_per_second: LoadRate = 100,
    event_bytes: Size = 1024,
    deployment: Name = DEFAULT,
    region: Annotated[str, typer.Option(help="Whose prices.")] = "us-east-1",
    single: Annotated[
        bool, typer.Option("--single", help="One record per event: producers that do not pack.")
    ] = False,
    collected: Collected = 0,
    webhooks: Hooked = 0,
    as_json: Json = False,
) -> None:
    """What a load costs a month, by service, and what would be cheaper."""
    from infra.cost.cost import Load, monthly, total
    from infra.cost.prices import as_of, prices
    from infra.cost.suggestions import suggestions

    load = Load(events_per_second, event_bytes, aggregated=not single, collected=collected, webhooks=webhooks)
    project = _project(context)
    chosen = _named(project, deployment)
    lines = monthly(load, project, chosen, prices(region))
    cheaper = suggestions(load, project, chosen, prices(region))
    if as_json:
        _json({
            "prices": {"region": region, "as_of": str(as_of(region))},
            "dollars": round(total(lines), 2),
            "services": [asdict(line) for line in lines],
            "suggestions": [asdict(each) for each in cheaper],
        })  # fmt: skip
        return
    for line in lines:
        echo(f"{line.service:<12}{line.dollars:>12,.2f}  {line.because}")
    echo(f"{'together':<12}{total(lines):>12,.2f}  dollars a month; list prices of {region}, {as_of(region)}")
    for each in cheaper:
        echo(f"cheaper by {each.saves:,.0f}: {each.text}")


def capacity(
    context: typer.Context,
    events_per_second: Rate = 100,
    event_bytes: Size = 1024,
    deployment: Name = DEFAULT,
    collected: Collected = 0,
    webhooks: Hooked = 0,
    as_json: Json = False,
) -> None:
    """Which limits a load comes near, at which load each is reached, and what to raise."""
    from infra.cost.capacity import uses
    from infra.cost.cost import Load

    project = _project(context)
    found = uses(
        Load(events_per_second, event_bytes, collected=collected, webhooks=webhooks),
        project,
        _named(project, deployment),
    )
    if as_json:
        _json([
            {**asdict(use), "events_per_second": None if math.isinf(use.events_per_second) else
             use.events_per_second}
            for use in found
        ])  # fmt: skip
        return
    for use in found:
        reached = (
            "not by load"
            if math.isinf(use.events_per_second)
            else f"at {use.events_per_second:,.0f} events/s"
        )
        echo(
            f"{use.share:>7.1%}  {use.limit:<38}"
            f"{use.used:,.3g} of {use.most:,} {use.unit}; {reached}. {use.remedy}"
        )


def doctor(
    context: typer.Context,
    deployment: Name = DEFAULT,
    canary: Annotated[bool, typer.Option(help="Also send one event and follow it to a report.")] = True,
    as_json: Json = False,
) -> None:
    """Check each promise that a deployment makes; ends with 1 when one does not hold."""
    from infra.aws.canary import Pace, follow, untold
    from infra.aws.deployed import Finding
    from infra.aws.doctor import findings

    target: Any = context.obj
    found: list[Finding] = []

    def told(finding: Finding) -> None:
        found.append(finding)
        if not (as_json or target.json):
            mark = {True: "holds", False: "BROKEN", None: "untold"}[finding.holds]
            remedy = "" if finding.holds else f" {finding.remedy}"
            echo(message(f"{mark:<8}{finding.promise}: {finding.seen}.{remedy}"))

    project = _project(context)
    for finding in findings(target.client, target.outputs, project, _named(project, deployment)):
        told(finding)
    if canary:
        pace = Pace(time.monotonic, time.sleep)
        event_id, now = str(uuid.uuid4()), datetime.now(UTC)
        for finding in follow(target.client, target.outputs, project, event_id, now, pace):
            told(finding)
    for finding in untold():
        told(finding)
    if as_json or target.json:
        _json([asdict(each) for each in found])
    if any(each.holds is False for each in found):
        raise typer.Exit(Exit.FAILED)


def _named(project: Project, name: str) -> Deployment:
    if name not in project.deployments:
        known = ", ".join(project.deployments)
        raise DeploymentNameError(f"No deployment {name!r}. Use one of: {known}.")
    return project.deployments[name]


def _out(context: typer.Context) -> Path:
    """Folder of the project's assembly."""
    target: Target = context.obj
    return target.directory / OUT


def _project(context: typer.Context) -> Project:
    target: Target = context.obj
    return target.project


def _adopt(client: Callable[[str], Any], out: Path, stacks: list[str]) -> None:
    """Take over what a stack that is gone has left."""
    from infra.aws.adopt import adopt

    account, region = client("sts").get_caller_identity()["Account"], client("sts").meta.region_name
    for stack in stacks:
        template = json.loads((out / f"{stack}.template.json").read_bytes())
        for name in adopt(client, stack, template, account=account, region=region):
            echo(f"{stack}: took over {name}, which an earlier deployment kept", err=True)


def _prepare(out: Path, stack: str) -> None:
    """The change set of one stack, not executed."""
    from infra.aws.replacements import CHANGE_SET

    arguments = ["deploy", "--app", str(out), "--exclusively", "--require-approval", "never"]
    method = ["--method", "prepare-change-set", "--change-set-name", CHANGE_SET]
    cdk.call([*arguments, *method, stack], os.environ, cdk.run_in_terminal)


def _refuse_without_libraries(assembly: Path) -> None:
    """A zip of sources alone, once published under its key, would be taken for the whole one for ever."""
    for folder in assembly.glob("asset.*"):
        if folder.is_dir() and (folder / "transforms").is_dir() and not (folder / "msgspec").is_dir():
            raise NotReadyError(
                f"{folder} lacks the functions' libraries, so it must not be published. Run: penstock synth"
            )


def _json(value: Any) -> None:
    echo(json.dumps(value, indent=1, default=str))
