"""An explainer over the resources of a target."""

import time

from infra.accounting.delivered import delivered_until
from infra.accounting.evidence import Places
from infra.receipts.place import Place
from infra.receipts.surroundings import TargetSurroundings
from queries.lake.s3 import S3LakeIndex
from queries.ledger.dynamodb import DynamoDbLedger
from queries.receipts.executions import AthenaExecutions
from queries.receipts.explaining import Explainer
from queries.receipts.published_files import PublishedFiles
from transforms.failed.s3_bucket import S3Objects


def surroundings_of(place: Place) -> TargetSurroundings:
    """What lies around numbers of the target."""
    names, s3 = place.outputs, place.client("s3")
    transforms = {stream.name: stream.transform_function for stream in names.streams.values()}
    tables = place.project.tables
    evidence = Places(
        place.engine, s3, place.client("logs"), names.lake_bucket, list(transforms.values()), list(tables)
    )
    failed = S3Objects(s3, names.lake_bucket)
    return TargetSurroundings(
        evidence, failed, list(tables.values()), transforms, lambda: delivered_until(place)
    )


def explainer_of(place: Place, surroundings: TargetSurroundings) -> Explainer:
    """Explains numbers of the target, in the analysts' work group."""
    names, s3 = place.outputs, place.client("s3")
    return Explainer(
        ledger=DynamoDbLedger(place.client("dynamodb"), names.ledger_table),
        lake=S3LakeIndex(s3, names.lake_bucket),
        engine=place.engine,
        files=PublishedFiles(s3, names.reporting_bucket),
        statement=AthenaExecutions(place.client("athena")).statement,
        around=surroundings,
        lake_url=lambda key: f"s3://{names.lake_bucket}/{key}",
        clock=lambda: time.time_ns() // 1_000_000,
    )
