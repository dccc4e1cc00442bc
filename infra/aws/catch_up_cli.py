"""`penstock catch-up`, and the end of `penstock deploy`."""

import time
import uuid
from collections.abc import Callable
from typing import TYPE_CHECKING

import typer

from infra.aws.deployed import Client
from infra.aws.outputs import Outputs
from infra.deployment import Deployment
from infra.project.project import Project
from producers.contracts import echo

if TYPE_CHECKING:
    from infra.command.target import Target


def catch_up(context: typer.Context) -> None:
    """Bring into the lake what a kept stream took while it had no delivery stream.

    `penstock deploy` does it at its end. It may be run again at any time.
    """
    target: Target = context.obj
    project = target.project
    chosen = project.deployments[target.deployment]
    bring(target.client, target.outputs, project, chosen, echo)


def bring(
    client: Client, outputs: Outputs, project: Project, deployment: Deployment, tell: Callable[[str], None]
) -> None:
    """Catch up with every stream, and say what was put again. Raises NotCaughtUpError, ClientError."""
    from infra.aws.canary import Pace
    from infra.aws.catch_up import catch_up as caught_up

    stacks = {name: deployment.stream_stack(stream, "stream") for name, stream in project.streams.items()}
    pace = Pace(time.monotonic, time.sleep)
    for each in caught_up(client, outputs, project, stacks, lambda: str(uuid.uuid4()), pace):
        since = f"{each.gap.begin:%Y-%m-%d %H:%M:%S} UTC" if each.gap and each.gap.begin else "its beginning"
        tell(
            f"{each.stream}: {each.records} records put again, all since {since}"
            if each.gap
            else f"{each.stream}: nothing lies before its delivery stream"
        )
