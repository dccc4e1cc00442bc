"""The ledger in DynamoDB: an item per report partition and per run, written by transactions on `revision`.

An item has its keys, its revision, when it is due, and everything else as one JSON text: the SDK takes twenty
times longer over nested attributes than over text, and no expression looks into them.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec
from botocore.exceptions import ClientError
from msgspec.structs import replace

from queries.ledger.port import MOST_WRITES, ConflictError, Remove, Write
from queries.ledger.state import PartitionState, Run
from queries.partitions import Key

HASH_KEY, RANGE_KEY = "report", "partition"
RUNS = "~run"
"""Hash key of the runs; no report can have this name."""
REVISION, STATE = "revision", "state"
DUE_INDEX, DUE_GROUP, DUE_AT = "due", "due_group", "due_at"
"""Sparse index: only partitions that are due some time have both attributes."""

_CONFLICTS = {"ConditionalCheckFailed", "TransactionConflict"}


def table_definition() -> dict[str, Any]:
    """The table's keys, attributes and index, as CreateTable and AWS::DynamoDB::Table take them."""
    return {
        "KeySchema": [
            {"AttributeName": HASH_KEY, "KeyType": "HASH"},
            {"AttributeName": RANGE_KEY, "KeyType": "RANGE"},
        ],
        "AttributeDefinitions": [
            {"AttributeName": HASH_KEY, "AttributeType": "S"},
            {"AttributeName": RANGE_KEY, "AttributeType": "S"},
            {"AttributeName": DUE_GROUP, "AttributeType": "S"},
            {"AttributeName": DUE_AT, "AttributeType": "N"},
        ],
        "GlobalSecondaryIndexes": [
            {
                "IndexName": DUE_INDEX,
                "KeySchema": [
                    {"AttributeName": DUE_GROUP, "KeyType": "HASH"},
                    {"AttributeName": DUE_AT, "KeyType": "RANGE"},
                ],
                "Projection": {"ProjectionType": "KEYS_ONLY"},
            }
        ],
        "BillingMode": "PAY_PER_REQUEST",
    }


class DynamoDbLedger:
    """A `LedgerTable`."""

    def __init__(self, client: Any, table: str) -> None:
        self._client, self._table = client, table

    def partitions(self, keys: Sequence[Key]) -> Mapping[Key, PartitionState]:
        """The partitions that exist, by key."""
        found: dict[Key, PartitionState] = {}
        wanted = [_key(*key) for key in dict.fromkeys(keys)]
        while wanted:
            batch, wanted = wanted[:100], wanted[100:]
            answer = self._client.batch_get_item(
                RequestItems={self._table: {"Keys": batch, "ConsistentRead": True}}
            )
            for item in answer["Responses"].get(self._table, []):
                state = _partition(item)
                found[state.key] = state
            wanted += answer.get("UnprocessedKeys", {}).get(self._table, {}).get("Keys", [])
        return found

    def report(self, report: str) -> Sequence[PartitionState]:
        """Every partition of the report, in order."""
        return [_partition(item) for item in self._query(report)]

    def due(self, now: int, limit: int) -> Sequence[Key]:
        """Up to `limit` partitions with `due_at <= now`, the longest due first."""
        answer = self._client.query(
            TableName=self._table,
            IndexName=DUE_INDEX,
            KeyConditionExpression=f"{DUE_GROUP} = :group AND {DUE_AT} <= :now",
            ExpressionAttributeValues={":group": {"S": DUE_INDEX}, ":now": {"N": str(now)}},
            Limit=limit,
        )
        return [Key(item[HASH_KEY]["S"], item[RANGE_KEY]["S"]) for item in answer["Items"]]

    def run(self, run_id: str) -> Run | None:
        """The run, or None when it has ended."""
        answer = self._client.get_item(TableName=self._table, Key=_key(RUNS, run_id), ConsistentRead=True)
        return _run(answer["Item"]) if "Item" in answer else None

    def runs(self) -> Sequence[Run]:
        """Every run that has not ended."""
        return [_run(item) for item in self._query(RUNS)]

    def commit(self, writes: Sequence[Write]) -> None:
        """Write all of them or none. Raises ConflictError, and ValueError for more than 100 writes."""
        if len(writes) > MOST_WRITES:
            raise ValueError(f"A commit holds at most {MOST_WRITES} writes, not {len(writes)}.")
        if not writes:
            return
        try:
            self._client.transact_write_items(TransactItems=[self._change(write) for write in writes])
        except ClientError as error:
            reasons = error.response.get("CancellationReasons", [])
            code = error.response["Error"]["Code"]
            if code == "TransactionCanceledException" and any(
                reason.get("Code") in _CONFLICTS for reason in reasons
            ):
                raise ConflictError(str(error)) from error
            raise

    def _query(self, hash_key: str) -> Iterable[dict[str, Any]]:
        pages = self._client.get_paginator("query").paginate(
            TableName=self._table,
            KeyConditionExpression="#hash = :hash",
            ExpressionAttributeNames={"#hash": HASH_KEY},
            ExpressionAttributeValues={":hash": {"S": hash_key}},
            ConsistentRead=True,
        )
        return (item for page in pages for item in page["Items"])

    def _change(self, write: Write) -> dict[str, Any]:
        if isinstance(write, Remove):
            key = _key(RUNS, write.run.run_id)
            return {"Delete": {"TableName": self._table, "Key": key, **_unless_changed(write.run.revision)}}
        return {"Put": {"TableName": self._table, "Item": _item(write), **_unless_changed(write.revision)}}


def _key(report: str, partition: str) -> dict[str, Any]:
    return {HASH_KEY: {"S": report}, RANGE_KEY: {"S": partition}}


def _unless_changed(revision: int) -> dict[str, Any]:
    if not revision:
        return {"ConditionExpression": f"attribute_not_exists({REVISION})"}
    return {
        "ConditionExpression": f"{REVISION} = :read",
        "ExpressionAttributeValues": {":read": {"N": str(revision)}},
    }


def _item(value: PartitionState | Run) -> dict[str, Any]:
    raised = replace(value, revision=value.revision + 1)
    item = {REVISION: {"N": str(raised.revision)}, STATE: {"S": msgspec.json.encode(raised).decode()}}
    if isinstance(value, Run):
        return _key(RUNS, value.run_id) | item
    if value.due_at is not None:
        # Without these two the item is not in the sparse index.
        item |= {DUE_GROUP: {"S": DUE_INDEX}, DUE_AT: {"N": str(value.due_at)}}
    return _key(value.report, value.partition) | item


def _partition(item: Mapping[str, Any]) -> PartitionState:
    return msgspec.json.decode(item[STATE]["S"], type=PartitionState)


def _run(item: Mapping[str, Any]) -> Run:
    return msgspec.json.decode(item[STATE]["S"], type=Run)
