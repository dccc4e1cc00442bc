"""Receipts of numbers in a laboratory."""

from collections.abc import Mapping

from benchmarks.report_lab import Lab, wall_clock
from benchmarks.shop import TABLES
from infra.accounting.evidence import Places
from infra.receipts.surroundings import TargetSurroundings
from queries.lake.s3 import S3LakeIndex
from queries.ledger.dynamodb import DynamoDbLedger
from queries.receipts.executions import AthenaExecutions
from queries.receipts.explaining import Explainer
from queries.receipts.published_files import PublishedFiles
from transforms.failed.s3_bucket import S3Objects

NOTHING: Mapping[str, str] = {}


def surroundings_in(lab: Lab, transforms: Mapping[str, str] = NOTHING) -> TargetSurroundings:
    """What lies around numbers; `transforms` are functions of streams, whose logs tell what was dropped."""
    s3, bucket = lab.client("s3"), lab.settings.lake_bucket
    places = Places(lab.engine(), s3, lab.client("logs"), bucket, list(transforms.values()), list(TABLES))
    failed = S3Objects(s3, bucket)
    return TargetSurroundings(places, failed, list(TABLES.values()), transforms, lambda: 0.0)


def explainer_in(lab: Lab, transforms: Mapping[str, str] = NOTHING) -> Explainer:
    """Explains numbers of the laboratory's reports."""
    settings, s3 = lab.settings, lab.client("s3")
    return Explainer(
        ledger=DynamoDbLedger(lab.client("dynamodb"), settings.ledger_table),
        lake=S3LakeIndex(s3, settings.lake_bucket),
        engine=lab.engine(),
        files=PublishedFiles(s3, settings.reporting_bucket),
        statement=AthenaExecutions(lab.client("athena")).statement,
        around=surroundings_in(lab, transforms),
        lake_url=lambda key: f"s3://{settings.lake_bucket}/{key}",
        clock=wall_clock,
    )
