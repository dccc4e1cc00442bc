"""The resources of a target that receipts are made from."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from infra.aws.outputs import Outputs
    from infra.command.target import Target
    from infra.project.project import Project
    from queries.engine.athena import AthenaEngine
    from queries.engine.port import Reads


@dataclass(frozen=True)
class Place:
    """What is deployed, and how it is reached. `engine` runs SQL in the analysts' work group."""

    project: "Project"
    outputs: "Outputs"
    client: Callable[[str], Any]
    engine: "Reads"


def place_of(target: "Target") -> Place:
    """The resources of a command's target. Raises NoTargetError, OutputsError."""
    return Place(target.project, target.outputs, target.client, analysts_engine(target))


def analysts_engine(target: "Target") -> "AthenaEngine":
    """Runs SQL at the target, in the analysts' work group. Raises NoTargetError, OutputsError."""
    import boto3

    from queries.engine.athena import AthenaEngine

    names = target.outputs  # looked up first: it points the environment, and so the session, at the target
    return AthenaEngine(
        boto3.Session(region_name=names.region),
        database=names.database,
        work_group=names.analyst_work_group,
        poll_seconds=0.05 if target.kind == "local" else 0.5,
    )
