"""The function that publishes updates: changes of the jobs table and of the catalog in, mutations out."""

import os
import time
from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext

from queries.api.reading.dynamodb import DynamoDbStandings
from queries.contracts import read_reports
from queries.store.glue import GlueReportStore
from queries.updates.appsync import AppSyncPublisher
from queries.updates.port import NotPublishedError
from queries.updates.publishing import Publishing
from queries.updates.settings import Settings
from queries.updates.stream import images

logger = Logger(service="penstock-updates")
PROJECT = Path(__file__).resolve().parents[2] / "project"
"""The project's reports lie in the function's zip, beside our packages."""


class UnknownEventError(ValueError):
    """The event is nothing that the function knows."""


@lru_cache(maxsize=1)
def publishing() -> Publishing:
    """Publishes updates of this function's deployment, built on first use."""
    from botocore.config import Config
    from botocore.session import get_session

    settings, session = Settings.from_environ(os.environ), get_session()
    config = Config(retries={"total_max_attempts": 3, "mode": "standard"}, connect_timeout=2, read_timeout=5)

    credentials = session.get_credentials()
    assert credentials is not None  # Lambda gives every function some

    def client(service: str) -> Any:
        return session.create_client(service, config=config)

    return Publishing(
        AppSyncPublisher(settings.graphql_url, credentials, os.environ["AWS_REGION"]),
        DynamoDbStandings(client("dynamodb"), settings.ledger_table),
        GlueReportStore(None, client("glue"), bucket=settings.reporting_bucket, database=settings.database),
        read_reports(PROJECT / "reports"),
        time.sleep,
    )


@logger.inject_lambda_context(clear_state=True)
def lambda_handler(event: Mapping[str, Any], _: LambdaContext) -> Mapping[str, Any]:
    """Records of the jobs table's stream, or the catalog's word that partitions of a report moved."""
    if "Records" in event:
        return of_jobs(event["Records"])
    if name := (event.get("detail") or {}).get("tableName"):
        published = publishing().report(name)
        logger.info("report published", extra={"report": name, "is_report": published})
        return {"published": published}
    raise UnknownEventError(f"The event has the members {sorted(event)}. Send records, or a table's change.")


def of_jobs(records: Sequence[Mapping[str, Any]]) -> Mapping[str, Any]:
    """Publish what the records say, and name those that failed: Lambda sends these again, and no others.

    Raises NotPublishedError where nothing could be published, so that the batch comes back as a whole.
    """
    published, failed = publishing().jobs(images(records))
    for number, why in failed.items():
        logger.warning("not published", extra={"number": number, "why": why})
    logger.info("jobs published", extra={"records": len(records), "published": published})
    if failed and not published:
        raise NotPublishedError(f"None of {len(failed)} updates was published: {next(iter(failed.values()))}")
    return {"batchItemFailures": [{"itemIdentifier": number} for number in failed]}
