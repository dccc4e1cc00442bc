"""What checks of a deployment are given, what a check is, and what each says."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from infra.aws.outputs import Outputs, StreamOutputs
from infra.deployment import Deployment
from infra.project.project import Project

Client = Callable[[str], Any]
REDEPLOY = "Somebody changed it by hand, or the deploy did not end. Run: penstock deploy --revert-drift"


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
    deployed_stream: StreamOutputs | None = None

    @property
    def stream(self) -> StreamOutputs:
        """The stream that is asked about, in a check that is asked of each."""
        assert self.deployed_stream is not None
        return self.deployed_stream


@dataclass(frozen=True)
class Check:
    """A promise and how to ask for it."""

    promise: str
    ask: Callable[[Deployed], Finding]
    is_of_stream: bool = False
