"""The ledger in DynamoDB: an item per report partition and per run, written by transactions on `revision`."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal

import msgspec
from botocore.exceptions import ClientError

from queries.ledger import PartitionState, Run
from queries.ledger_table import MOST_WRITES, ConflictError, Remove, Write
from queries.partitions import Key

HASH_KEY, RANGE_KEY = "report", "partition"
RUNS = "~run"
"""Hash key of the runs; no report can have this name."""
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
        kind: Literal["Put", "Delete"] = "Put"
        match write:
            case Remove(run):
                kind, revision, change = "Delete", run.revision, {"Key": _key(RUNS, run.run_id)}
            case Run():
                item = msgspec.to_builtins(write) | {
                    HASH_KEY: RUNS,
                    RANGE_KEY: write.run_id,
                    "of": write.report,
                }
                revision, change = write.revision, {"Item": _item(item, write.revision)}
            case PartitionState():
                item = msgspec.to_builtins(write)
                if write.due_at is not None:
                    item[DUE_GROUP] = DUE_INDEX
                revision, change = write.revision, {"Item": _item(item, write.revision)}
        condition: dict[str, Any] = {"ConditionExpression": "attribute_not_exists(revision)"}
        if revision:
            condition = {
                "ConditionExpression": "revision = :read",
                "ExpressionAttributeValues": {":read": {"N": str(revision)}},
            }
        return {kind: {"TableName": self._table, **change, **condition}}


def _key(report: str, partition: str) -> dict[str, Any]:
    return {HASH_KEY: {"S": report}, RANGE_KEY: {"S": partition}}


def _item(value: dict[str, Any], revision: int) -> dict[str, Any]:
    written = value | {"revision": revision + 1}
    # An attribute that is absent keeps the item out of the sparse index; null would be a type error there.
    return {name: _to_attribute(member) for name, member in written.items() if member is not None}


def _partition(item: Mapping[str, Any]) -> PartitionState:
    return msgspec.convert({name: _from_attribute(value) for name, value in item.items()}, PartitionState)


def _run(item: Mapping[str, Any]) -> Run:
    value = {name: _from_attribute(attribute) for name, attribute in item.items()}
    return msgspec.convert(value | {"report": value["of"]}, Run)


def _to_attribute(value: Any) -> dict[str, Any]:
    match value:
        case None:
            return {"NULL": True}
        case bool():
            return {"BOOL": value}
        case int():
            return {"N": str(value)}
        case str():
            return {"S": value}
        case list() | tuple():
            return {"L": [_to_attribute(member) for member in value]}
        case dict():
            return {"M": {name: _to_attribute(member) for name, member in value.items()}}
    raise TypeError(f"The ledger keeps no {type(value).__name__}.")


def _from_attribute(attribute: Mapping[str, Any]) -> Any:
    ((kind, value),) = attribute.items()
    match kind:
        case "N":
            return int(value)
        case "L":
            return [_from_attribute(member) for member in value]
        case "M":
            return {name: _from_attribute(member) for name, member in value.items()}
        case "NULL":
            return None
    return value
