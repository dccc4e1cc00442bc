"""What commands need to know of where the pipeline runs; the composition root hands it over as `ctx.obj`."""

from typing import Any, Protocol

from queries.service import ReportService, build_service
from queries.settings import Settings


class Target(Protocol):
    """Names of the deployed resources, and clients for them. `json`: results as JSON."""

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

    json: bool

    def client(self, service: str) -> Any:
        """A boto3 client."""
        ...


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
