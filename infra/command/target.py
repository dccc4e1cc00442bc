"""Where the pipeline runs that a command talks to: the local cloud, or a deployment on AWS. Chosen once."""

from collections.abc import Callable, Iterator, Mapping, MutableMapping
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from infra.command.exits import Exit
from infra.deployment import DEFAULT, Deployment
from infra.project.finding import home_of
from producers.commands.hour_pacing import Delivery
from producers.contracts import Stream

if TYPE_CHECKING:
    from infra.aws.outputs import Outputs
    from infra.local.cloud import LocalCloud
    from infra.project.project import Project
    from infra.receipts.pages import ReceiptPages
    from producers.sources.definition import SourceDefinition
    from transforms.failed.repair import Repair

Kind = Literal["local", "aws"]


class NoTargetError(RuntimeError):
    """There is nothing to talk to."""

    exit_code = Exit.NO_TARGET


class Target:
    """What every verb finds in `ctx.obj`. Nothing is looked up before it is asked for.

    Besides what is declared here it has every attribute of `infra.aws.outputs.Outputs`: `stream_name`,
    `lake_bucket`, `work_group`, `query_function` and so on.
    """

    def __init__(
        self,
        wanted: Kind | None,
        environ: MutableMapping[str, str],
        *,
        directory: Path,
        deployment: str = DEFAULT,
        json: bool = False,
    ) -> None:
        self.wanted = wanted
        self.deployment = deployment
        self.json = json
        self.directory = home_of(directory)
        self._environ = environ

    @classmethod
    def choose(
        cls,
        wanted: Kind | None,
        *,
        environ: MutableMapping[str, str],
        deployment: str = DEFAULT,
        json: bool = False,
        directory: Path | None = None,
    ) -> "Target":
        """The target that `--target` or PENSTOCK_TARGET named; otherwise the local cloud when one is up.

        `deployment` names the one that is meant on AWS.
        """
        return cls(wanted, environ, directory=directory or Path.cwd(), deployment=deployment, json=json)

    @cached_property
    def project(self) -> "Project":
        """The project of the working directory. Raises ProjectError."""
        from infra.project.loading import find

        return find(self.directory)

    @property
    def streams(self) -> Mapping[str, Stream]:
        """The project's streams, by name."""
        return self.project.streams

    def entrance(self, stream: str | None) -> str:
        """What producers of the stream put on. Raises NoTargetError, OutputsError."""
        return self.outputs.stream(stream).entrance

    @property
    def is_local_up(self) -> bool:
        """Whether the working directory's local cloud is up."""
        return _attached(self.directory) is not None

    @cached_property
    def cloud(self) -> "LocalCloud":
        """The local cloud of the working directory. Raises NoTargetError when none is up."""
        cloud = _attached(self.directory)
        if cloud is None:
            other = "" if self.wanted else " For a deployment on AWS add: --target aws"
            raise NoTargetError(f"No local cloud is up in {self.directory}. Run: penstock local up.{other}")
        return cloud

    @cached_property
    def kind(self) -> Kind:
        """Which of the two it is; the environment then points every AWS client there.

        Raises NoTargetError when nothing was named and no local cloud is up: AWS is never a guess.
        """
        if self.wanted == "aws":
            self._deployed()
            return "aws"
        self._environ.update(self.cloud.environment())
        return "local"

    @cached_property
    def outputs(self) -> "Outputs":
        """Names of the deployed resources. Raises NoTargetError, OutputsError."""
        from infra.aws.outputs import Outputs

        if self.kind == "local":
            return Outputs.from_document(self.cloud.outputs)
        streams = self.project.streams.values()
        return Outputs.from_stacks(self.client("cloudformation"), self._deployed(), streams)

    @cached_property
    def delivery(self) -> Delivery:
        """What the delivery stream does with event hours; the deployment's when no local cloud is up."""
        deployments = self.project.deployments
        seconds = deployments.get(self.deployment, self.project.default).buffer_seconds
        cloud = _attached(self.directory) if self.wanted != "aws" else None
        if cloud is None:
            return Delivery(seconds)
        settings = cloud.settings
        return Delivery(seconds * settings.interval_scale, settings.most_partitions)

    @property
    def jobs_url(self) -> str:
        """Where the jobs API answers; empty where none is deployed. Raises NoTargetError, OutputsError."""
        return self.cloud.jobs_url if self.kind == "local" else self.outputs.api_url

    def publishes(self, lost: Callable[[], None]) -> Iterator[Any] | None:
        """Something whenever reports may have been published; None where no live updates are deployed.

        `lost` is called when nobody tells any more, until the next item comes.
        """
        from queries.commands.watch_cli import publishes

        return publishes(self, lost)

    def client(self, service: str) -> Any:
        """A boto3 client of the target."""
        if self.kind == "local":
            return self.cloud.context.client(service)
        import boto3

        return boto3.client(service)  # type: ignore[call-overload]

    @cached_property
    def receipts(self) -> "ReceiptPages":
        """Receipts of the reports' numbers, as pages; on AWS each says its price first."""
        from infra.receipts.pages import ReceiptPages
        from infra.receipts.place import place_of

        place = place_of(self)
        return ReceiptPages(lambda: place, self.project.catalog, is_paid=self.kind == "aws")

    @property
    def sources(self) -> Mapping[str, "SourceDefinition"]:
        """The project's sources. Raises SourceDefinitionError."""
        return self.project.sources

    def source_repair(self, name: str) -> "Repair":
        """Reads failed rows again by the source as it is now.

        Raises UnknownSourceError, SourceDefinitionError and SourceError.
        """
        from producers.sources.definition import find_source
        from producers.sources.repair import SourceRepair
        from transforms.failed.repair import Repair

        definition = find_source(self.sources, name)
        repair = SourceRepair(definition, definition.contract(self.streams))
        return Repair(f"source:{name}", repair, definition.version)

    def _deployed(self) -> Deployment:
        deployments = self.project.deployments
        if self.deployment not in deployments:
            known = ", ".join(deployments)
            raise NoTargetError(f"There is no deployment {self.deployment!r}. Name one of: {known}.")
        return deployments[self.deployment]

    def __getattr__(self, name: str) -> Any:
        """A name of the deployed resources."""
        if name.startswith("_"):
            raise AttributeError(name)
        return getattr(self.outputs, name)


def _attached(directory: Path) -> "LocalCloud | None":
    from infra.local.paths import LocalPaths

    paths = LocalPaths.of(directory)
    if not paths.run.is_dir():
        return None
    from infra.local.cloud import attach

    return attach(paths)
