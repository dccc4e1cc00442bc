"""What checks of a deployment are given, and what each says."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from infra.aws.outputs import Outputs
from infra.deployment import Deployment
from infra.project.project import Project

Client = Callable[[str], Any]


@dataclass(frozen=True)
class Finding:
    """One promise: whether it holds (None: it cannot be told from here), what was seen, what to do."""

    promise: str
    holds: bool | None
    seen: str
    remedy: str = ""


@dataclass(frozen=True)
class Deployed:
    """What a check asks: clients, the names of what was deployed, and what was promised of it."""

    client: Client
    outputs: Outputs
    project: Project
    deployment: Deployment
