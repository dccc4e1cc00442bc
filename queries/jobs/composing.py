"""The jobs of one deployment on AWS's clients."""

import time
from collections.abc import Callable, Mapping
from typing import Any

from queries.jobs.asking import Asking
from queries.jobs.aws import S3Imports, S3Manifests, SqsJobs, StepFunctions
from queries.jobs.dynamodb import DynamoDbJobs
from queries.jobs.import_plan import INBOX
from queries.jobs.imports import PlannedImports
from queries.jobs.reports import BackfilledReports, BackfillForecasts
from queries.jobs.running import Running
from queries.jobs.settings import Settings
from queries.jobs.steps import Steps
from queries.lake.s3 import S3LakeIndex
from queries.ledger.dynamodb import DynamoDbLedger
from queries.refresh.catalog import ReportQuery
from queries.refresh.marking import Marking
from queries.refresh.summary import Policy
from queries.store.glue import GlueReportStore

CHECK_SECONDS = 20.0
"""One check looks for so long at most; the function's timeout is well above it."""


def now_ms() -> int:
    """Epoch milliseconds."""
    return time.time_ns() // 1_000_000


class Jobs:
    """What the functions need, each made when it is first asked for. `client` makes a boto3 client."""

    def __init__(
        self, settings: Settings, queries: Mapping[str, ReportQuery], client: Callable[[str], Any]
    ) -> None:
        self._settings, self._queries, self._client = settings, queries, client
        self.table = DynamoDbJobs(client("dynamodb"), settings.table)

    def asking(self) -> Asking:
        """Takes requests."""
        forecasts = BackfillForecasts(self._ledger(), self._lake(), self._queries)
        return Asking(self.table, self._queue(), forecasts, self._imports(), now_ms)

    def running(self) -> Running:
        """Begins executions and repairs jobs."""
        machine = StepFunctions(self._client("stepfunctions"), self._settings.machine_arn)
        return Running(self.table, self._queue(), machine, now_ms)

    def steps(self) -> Steps:
        """The steps of the state machine."""
        return Steps(
            self.table,
            S3Manifests(self._client("s3"), self._settings.reporting_bucket),
            self._reports(),
            self._imports(),
            clock=now_ms,
            sleep=time.sleep,
            patience=CHECK_SECONDS,
        )

    def _queue(self) -> SqsJobs:
        return SqsJobs(self._client("sqs"), self._settings.queue_url)

    def _imports(self) -> PlannedImports:
        settings = self._settings
        return PlannedImports(
            S3Imports(
                self._client("s3"),
                lake_bucket=settings.lake_bucket,
                plan_bucket=settings.reporting_bucket,
            ),
            inbox=f"s3://{settings.lake_bucket}/{INBOX}",
            sources=tuple(filter(None, settings.sources.split(","))),
        )

    def _ledger(self) -> DynamoDbLedger:
        return DynamoDbLedger(self._client("dynamodb"), self._settings.ledger_table)

    def _lake(self) -> S3LakeIndex:
        return S3LakeIndex(self._client("s3"), self._settings.lake_bucket)

    def _reports(self) -> BackfilledReports:
        settings, ledger = self._settings, self._ledger()
        store = GlueReportStore(
            self._client("s3"),
            self._client("glue"),
            bucket=settings.reporting_bucket,
            database=settings.database,
        )
        return BackfilledReports(
            ledger,
            self._lake(),
            self._queries,
            Marking(ledger, store, self._queries, clock=now_ms, policy=Policy()),
            lambda_client=self._client("lambda"),
            query_function=settings.query_function,
        )
