"""What a project is: its streams, lake tables, reports and dashboards, as its folders declare them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from infra.deployment import DEFAULT, Deployment
from infra.project.naming import require_short_names
from infra.project.schedules import Schedule
from producers.contracts import Stream, load_streams
from queries.analysts.named_queries import Question, read_questions
from queries.contracts import Report
from queries.reference.declaration import ReferenceTable, read_references, require_known
from queries.refresh.catalog import ReportQuery, read_catalog
from transforms.contracts import LakeTable, lake_tables

if TYPE_CHECKING:
    from dashboards.model import Dashboard
    from producers.sources.definition import SourceDefinition


@dataclass(frozen=True)
class Folders:
    """Where a project's parts lie, each an absolute path. Only `streams` must exist."""

    streams: Path
    sources: Path
    reports: Path
    reference: Path
    dashboards: Path
    questions: Path


@dataclass(frozen=True)
class Project:
    """A project. Its folders are read when something in them is asked for, once.

    Attributes:
        name: the project's.
        file: its `penstock.toml`.
        prefix: first part of the names of all that is deployed; each deployment may have its own.
        deployments: by name; `production` is always among them.
        folders: where its parts lie.
        assembly: what a synthesis of it gives, where that is shipped with it.
        schedules: of jobs, by name; each deployment with jobs has them.
    """

    name: str
    file: Path
    prefix: str
    deployments: Mapping[str, Deployment]
    folders: Folders
    assembly: Path | None = None
    schedules: Mapping[str, Schedule] = field(default_factory=dict)

    @property
    def root(self) -> Path:
        """The folder of its file."""
        return self.file.parent

    @property
    def default(self) -> Deployment:
        """The deployment that is meant when none is named, and that runs on a laptop."""
        return self.deployments[DEFAULT]

    @cached_property
    def streams(self) -> Mapping[str, Stream]:
        """Its streams by name. Raises StreamDefinitionError, NameTooLongError."""
        found = load_streams(self.folders.streams)
        require_short_names(self.deployments.values(), found.values(), str(self.file))
        return found

    @cached_property
    def sources(self) -> "Mapping[str, SourceDefinition]":
        """Its sources by name. Raises SourceDefinitionError."""
        from producers.sources.definition import read_sources

        return read_sources(self.folders.sources)

    @property
    def hooks(self) -> "Mapping[str, SourceDefinition]":
        """Its sources that take webhooks, by name. Raises SourceDefinitionError."""
        return {name: source for name, source in self.sources.items() if source.webhook}

    @cached_property
    def tables(self) -> Mapping[str, LakeTable]:
        """Its lake tables by name. Raises StreamDefinitionError."""
        return lake_tables(self.streams)

    @cached_property
    def catalog(self) -> Mapping[str, ReportQuery]:
        """Its reports with their SQL, by name.

        Raises StreamDefinitionError, ReportDefinitionError (also for a report on a table that is not there),
        ReferenceDefinitionError and EncodingError.
        """
        found = read_catalog(self.folders.reports, self.tables)
        require_known((query.report for query in found.values()), self.references)
        return found

    @cached_property
    def references(self) -> Mapping[str, ReferenceTable]:
        """Its reference tables by name. Raises ReferenceDefinitionError, EncodingError."""
        return read_references(self.folders.reference)

    @cached_property
    def reports(self) -> Mapping[str, Report]:
        """Its reports by name. Raises what `catalog` does."""
        return {name: query.report for name, query in self.catalog.items()}

    @cached_property
    def questions(self) -> Sequence[Question]:
        """Its saved queries. Raises ReportDefinitionError, EncodingError."""
        return read_questions(self.folders.questions)

    @cached_property
    def dashboards(self) -> Mapping[str, "Dashboard"]:
        """Its dashboards by name. Raises DeclarationError, EncodingError."""
        from dashboards.reading import read_dashboards

        return read_dashboards(self.folders.dashboards)
