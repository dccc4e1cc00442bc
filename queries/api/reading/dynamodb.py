"""Partitions of a report as the ledger's table has them, a range at a time."""

from collections.abc import Sequence
from typing import Any

import msgspec

from queries.ledger.dynamodb import HASH_KEY, RANGE_KEY, STATE
from queries.ledger.state import PartitionState


class DynamoDbStandings:
    """`Standings`."""

    def __init__(self, client: Any, table: str) -> None:
        self._pages, self._table = client.get_paginator("query"), table

    def newest(self, report: str, limit: int) -> Sequence[PartitionState]:
        """The last ones by name, the newest first."""
        values = {":report": {"S": report}}
        return self._found("#report = :report", values, limit, forward=False)

    def between(self, report: str, first: str, last: str, limit: int) -> Sequence[PartitionState]:
        """The first ones from `first` to `last`, both included, in order."""
        values = {":report": {"S": report}, ":first": {"S": first or " "}, ":last": {"S": last}}
        return self._found("#report = :report AND #partition BETWEEN :first AND :last", values, limit)

    def _found(
        self, condition: str, values: dict[str, Any], limit: int, *, forward: bool = True
    ) -> list[PartitionState]:
        names = {"#report": HASH_KEY, "#partition": RANGE_KEY}
        pages = self._pages.paginate(
            TableName=self._table,
            KeyConditionExpression=condition,
            ExpressionAttributeNames={name: key for name, key in names.items() if name in condition},
            ExpressionAttributeValues=values,
            ConsistentRead=True,
            ScanIndexForward=forward,
            PaginationConfig={"MaxItems": limit, "PageSize": limit},
        )
        return [
            msgspec.json.decode(item[STATE]["S"], type=PartitionState)
            for page in pages
            for item in page["Items"]
        ]
