"""Queries for the first items of an index answer as MiniStack's own do, whatever came and went before."""

import json
import random
import uuid
from collections.abc import Iterator
from typing import Any

import pytest
from ministack.services import dynamodb

from infra.local.ministack import conditions, ordered_index
from queries.ledger.dynamodb import DUE_AT, DUE_GROUP, DUE_INDEX, table_definition

Query = dict[str, Any]


@pytest.fixture
def table(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A ledger's table in MiniStack as it came, which the test may change."""
    for name in ("_tokenize", "_query", "_index_members", "_index_item", "_evaluate_condition"):
        monkeypatch.setattr(dynamodb, name, getattr(dynamodb, name))  # undone afterwards
    for name in ("_check_redundant_parens", "_check_reserved_keyword_usage", "_condition_syntax_error"):
        monkeypatch.setattr(dynamodb, name, getattr(dynamodb, name))
    name = f"ledger-{uuid.uuid4().hex}"
    dynamodb._create_table({"TableName": name, **table_definition()})
    yield name
    dynamodb._delete_table({"TableName": name})


def queries(table: str) -> list[Query]:
    """Such that the order answers, and others."""
    asked: Query = {
        "TableName": table,
        "IndexName": DUE_INDEX,
        "KeyConditionExpression": f"{DUE_GROUP} = :group AND {DUE_AT} <= :now",
        "ExpressionAttributeValues": {":group": {"S": DUE_INDEX}, ":now": {"N": "40"}},
        "Limit": 7,
    }
    names = {"#g": DUE_GROUP, "#at": DUE_AT}
    other = {":group": {"S": "other"}, ":now": {"N": "40.0"}}
    start = {"report": {"S": "a"}, "partition": {"S": "3"}, DUE_GROUP: {"S": DUE_INDEX}, DUE_AT: {"N": "20"}}
    return [
        asked,
        {**asked, "Limit": 1},
        {**asked, "Limit": 1000},
        {**asked, "KeyConditionExpression": "#g = :group AND #at < :now", "ExpressionAttributeNames": names},
        {**asked, "ExpressionAttributeValues": other},
        {**asked, "ScanIndexForward": False},
        {**asked, "KeyConditionExpression": f"{DUE_GROUP} = :group AND {DUE_AT} > :now"},
        {**asked, "ExclusiveStartKey": start},
        {**asked, "FilterExpression": "report = :report"}
        | {"ExpressionAttributeValues": {**asked["ExpressionAttributeValues"], ":report": {"S": "a"}}},
        {**asked, "ExpressionAttributeValues": {":group": {"S": DUE_INDEX}}},
        {**asked, "ExpressionAttributeValues": {":group": {"S": DUE_INDEX}, ":now": {"S": "40"}}},
        {**asked, "IndexName": "another"},
        {**asked, "TableName": "another"},
    ]


def answers(table: str) -> list[Any]:
    found = [dynamodb._query(query) for query in queries(table)]
    return [(status, json.loads(body)) for status, _, body in found]


def change(table: str, chance: random.Random) -> None:
    """Put an item, due or not, in place of another one or beside it; or delete one."""
    key = {"report": {"S": chance.choice("ab")}, "partition": {"S": str(chance.randrange(30))}}
    if chance.random() < 0.2:
        dynamodb._delete_item({"TableName": table, "Key": key})
        return
    at = {DUE_AT: {"N": str(chance.randrange(60))}} if chance.random() < 0.8 else {}
    group = {DUE_GROUP: {"S": chance.choice([DUE_INDEX, DUE_INDEX, "other"])}}
    dynamodb._put_item({"TableName": table, "Item": {**key, **at, **group}})


def test_random_changes_of_a_table_give_the_answers_of_ministack(table: str) -> None:
    own = dynamodb._query, dynamodb._index_members
    conditions.install()
    ordered_index.install()
    fast = dynamodb._query, dynamodb._index_members
    chance = random.Random(3)
    lengths = set()
    for _ in range(80):
        for _ in range(5):
            change(table, chance)
        dynamodb._query, dynamodb._index_members = own
        expected = answers(table)
        dynamodb._query, dynamodb._index_members = fast
        assert answers(table) == expected
        lengths.add(len(expected[0][1]["Items"]))
    assert max(lengths) == 7


def test_what_is_due_is_found_without_comparing_items(table: str, monkeypatch: pytest.MonkeyPatch) -> None:
    conditions.install()
    ordered_index.install()
    chance = random.Random(4)
    for _ in range(200):
        change(table, chance)
    asked = queries(table)[0]
    dynamodb._query(asked)  # the order is made, and the expression read

    compared: list[Any] = []
    compare = dynamodb._evaluate_condition

    def noted(*given: Any, **named: Any) -> Any:
        compared.append(given)
        return compare(*given, **named)

    monkeypatch.setattr(dynamodb, "_evaluate_condition", noted)
    status, _, body = dynamodb._query(asked)
    assert (status, len(json.loads(body)["Items"])) == (200, 7)
    assert len(compared) == 8
