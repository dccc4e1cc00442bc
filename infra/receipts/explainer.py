"""An explainer over the resources of a target."""

import time
from typing import TYPE_CHECKING

from infra.receipts.surroundings import TargetSurroundings
from queries.receipts.executions import AthenaExecutions
from queries.receipts.explaining import Explainer
from queries.receipts.published_files import PublishedFiles

if TYPE_CHECKING:
    from infra.command.target import Target


def surroundings_of(target: "Target") -> TargetSurroundings:
    """What lies around numbers of the target."""
    from infra.command.reconcile_cli import delivered_until
    from infra.demo.demo import evidence_places
    from transforms.failed.s3_bucket import S3Objects

    tables = list(target.project.tables.values())
    failed = S3Objects(target.client("s3"), target.outputs.lake_bucket)
    return TargetSurroundings(evidence_places(target), failed, tables, lambda: delivered_until(target))


def explainer_of(target: "Target", surroundings: TargetSurroundings) -> Explainer:
    """Explains numbers of the target, in the analysts' work group."""
    from infra.demo.demo import evidence_places
    from queries.lake.s3 import S3LakeIndex
    from queries.ledger.dynamodb import DynamoDbLedger

    names = target.outputs
    return Explainer(
        ledger=DynamoDbLedger(target.client("dynamodb"), names.ledger_table),
        lake=S3LakeIndex(target.client("s3"), names.lake_bucket),
        engine=evidence_places(target).engine,
        files=PublishedFiles(target.client("s3"), names.reporting_bucket),
        statement=AthenaExecutions(target.client("athena")).statement,
        around=surroundings,
        lake_url=lambda key: f"s3://{names.lake_bucket}/{key}",
        clock=lambda: time.time_ns() // 1_000_000,
    )
