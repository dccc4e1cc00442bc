"""What the verbs of this stage read of the target, and the reports of a target."""

from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

from queries.contracts import CommandTarget
from queries.reference.declaration import ReferenceTable
from queries.refresh.catalog import ReportQuery
from queries.service import ReportService, build_service, queries_of
from queries.settings import Settings
from transforms.contracts import LakeTable


class Folders(Protocol):
    """The project's folders that commands name."""

    @property
    def reports(self) -> Path: ...


class Project(Protocol):
    """The project that the command works on: lake tables, reports and reference tables, by name."""

    @property
    def folders(self) -> Folders: ...
    @property
    def tables(self) -> Mapping[str, LakeTable]: ...
    @property
    def catalog(self) -> Mapping[str, ReportQuery]: ...
    @property
    def references(self) -> Mapping[str, ReferenceTable]: ...


class Target(CommandTarget, Protocol):
    """What this stage's verbs read of the target: names of deployed resources."""

    @property
    def database(self) -> str: ...
    @property
    def work_group(self) -> str: ...
    @property
    def analyst_work_group(self) -> str: ...
    @property
    def lake_bucket(self) -> str: ...
    @property
    def reporting_bucket(self) -> str: ...
    @property
    def ledger_table(self) -> str: ...
    @property
    def queue_url(self) -> str: ...
    @property
    def dead_letter_queue_url(self) -> str: ...
    @property
    def collector_queue_url(self) -> str: ...
    @property
    def collector_dead_letter_queue_url(self) -> str: ...
    @property
    def hooks_queue_url(self) -> str: ...
    @property
    def hooks_dead_letter_queue_url(self) -> str: ...
    @property
    def jobs_queue_url(self) -> str: ...
    @property
    def jobs_dead_letter_queue_url(self) -> str: ...
    @property
    def jobs_url(self) -> str: ...
    @property
    def updates_url(self) -> str: ...
    @property
    def updates_realtime_url(self) -> str: ...
    @property
    def region(self) -> str: ...
    @property
    def query_function(self) -> str: ...
    @property
    def deliveries(self) -> Mapping[str, bool]: ...

    @property
    def project(self) -> Project: ...


def report_service(target: Target, *, analyst: bool = False) -> ReportService:
    """The reports of the target; with `analyst`, queries run in the analysts' work group."""
    from queries.engine.aws_session import aws_session

    settings = Settings(
        database=target.database,
        work_group=target.analyst_work_group if analyst else target.work_group,
        lake_bucket=target.lake_bucket,
        reporting_bucket=target.reporting_bucket,
        ledger_table=target.ledger_table,
    )
    # Naming the resources has pointed the environment at the target, so a plain session reaches it.
    tables = target.project.tables
    return build_service(
        settings,
        aws_session(),
        tables=tables,
        queries=queries_of(target.project.catalog, tables),
        references=target.project.references,
    )
