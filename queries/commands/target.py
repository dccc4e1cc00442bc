"""What the verbs of this stage read of the target, and the reports of a target."""

from typing import Protocol

from queries.contracts import CommandTarget
from queries.service import ReportService, build_service
from queries.settings import Settings


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
    def query_function(self) -> str: ...
    @property
    def delivery_stream(self) -> str: ...


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
    return build_service(settings, aws_session())
