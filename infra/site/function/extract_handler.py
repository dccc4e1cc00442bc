"""The function that draws dashboards: a publish of a report or a tick in, extracts out.

The catalogue says what is published, the pointer what was drawn of it. Between calls it keeps files alone,
which never change.
"""

import json
import os
import time
from functools import lru_cache
from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext

from infra.site.function.clients import client
from infra.site.function.declarations import declarations
from infra.site.function.extracting import Extracting
from infra.site.function.published import Catalogue
from infra.site.function.settings import Settings
from infra.site.function.store import S3Store

logger = Logger(service="penstock-extract")
SOURCE, DETAIL_TYPE = "penstock.site", "Dashboard Published"


@lru_cache(maxsize=1)
def extracting() -> Extracting:
    """What this function's deployment draws, built on first use."""
    settings = Settings.from_environ(os.environ)
    s3 = client("s3")
    return Extracting(
        declarations(),
        Catalogue(client("glue"), settings.database, settings.reporting_bucket),
        s3,
        settings.reporting_bucket,
        S3Store(s3, settings.data_bucket),
        tell,
        clock=lambda: time.time_ns() // 1_000_000,
    )


def tell(name: str, version: str) -> None:
    """Say it on the account's event bus. Raises RuntimeError when the bus does not take it."""
    detail = json.dumps({"dashboard": name, "version": version})
    entry = {"Source": SOURCE, "DetailType": DETAIL_TYPE, "Detail": detail}
    answer = client("events").put_events(Entries=[entry])
    if answer["FailedEntryCount"]:
        raise RuntimeError(f"The event bus refused the word of {name}: {answer['Entries'][0]['ErrorCode']}")


@logger.inject_lambda_context
def lambda_handler(event: dict[str, Any], _: LambdaContext) -> dict[str, str]:
    """Take the catalogue's change of a report's partitions, or a tick that looks at all of them.

    Answers with the version of each dashboard that was published.
    """
    report = (event.get("detail") or {}).get("tableName")
    done = extracting().extract(report)
    logger.info("dashboards drawn", cause=report or "tick", published=done)
    return done
