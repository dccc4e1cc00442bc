"""Glue's partitions on the local cloud: pages, expressions and lookups as Glue has them, for any number."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

pytestmark = pytest.mark.cloud
MANY = 1_250


@pytest.fixture(scope="module")
def glue(local_cloud: Any) -> Iterator[Any]:
    client = local_cloud.context.client("glue")
    client.create_database(DatabaseInput={"Name": "many"})
    table = {
        "Name": "t",
        "PartitionKeys": [{"Name": "hour", "Type": "string"}, {"Name": "shard", "Type": "int"}],
    }
    client.create_table(DatabaseName="many", TableInput=table)
    names = [f"{number:05}" for number in range(MANY)]
    for start in range(0, MANY, 100):
        made = client.batch_create_partition(
            DatabaseName="many",
            TableName="t",
            PartitionInputList=[partition(name, "first") for name in names[start : start + 100]],
        )
        assert not made["Errors"]
    yield client
    client.delete_database(Name="many")


def partition(hour: str, location: str) -> dict[str, Any]:
    descriptor = {"Location": location, "Columns": [{"Name": "c", "Type": "string"}]}
    return {"Values": [hour, "7"], "StorageDescriptor": descriptor, "Parameters": {"fence": "1"}}


def listed(glue: Any, **options: Any) -> list[str]:
    pages = glue.get_paginator("get_partitions").paginate(DatabaseName="many", TableName="t", **options)
    return [found["Values"][0] for page in pages for found in page["Partitions"]]


def test_partitions_come_in_pages_of_a_thousand_each_once(glue: Any) -> None:
    page = glue.get_partitions(DatabaseName="many", TableName="t")
    assert (len(page["Partitions"]), "NextToken" in page) == (1_000, True)
    assert listed(glue) == [f"{number:05}" for number in range(MANY)]
    assert listed(glue, PaginationConfig={"PageSize": 7, "MaxItems": 20}) == [f"{n:05}" for n in range(20)]


@pytest.mark.parametrize(
    ("expression", "first", "last"),
    [
        ("hour >= '01240'", 1_240, 1_249),
        ("hour > '01240' AND hour < '01243'", 1_241, 1_242),
        ("HOUR = '00007' and hour <= '00007'", 7, 7),
        # What is not a comparison of texts is left to whoever asked, as ever.
        ("shard > 8", 0, 1_249),
        ("hour = '00007' OR hour = '00008'", 0, 1_249),
    ],
)
def test_an_expression_holds_of_what_is_answered(glue: Any, expression: str, first: int, last: int) -> None:
    assert listed(glue, Expression=expression) == [f"{number:05}" for number in range(first, last + 1)]


def test_columns_are_left_out_when_nobody_wants_them(glue: Any) -> None:
    options = {"DatabaseName": "many", "TableName": "t", "Expression": "hour = '00007'"}
    (found,) = glue.get_partitions(**options, ExcludeColumnSchema=True)["Partitions"]
    assert found["StorageDescriptor"] == {"Location": "first"}
    (found,) = glue.get_partitions(**options)["Partitions"]
    assert found["StorageDescriptor"]["Columns"] == [{"Name": "c", "Type": "string"}]


def test_partitions_are_found_after_every_change(glue: Any, name: str) -> None:
    def locations(*hours: str) -> list[str]:
        wanted = [{"Values": [hour, "7"]} for hour in hours]
        found = glue.batch_get_partition(DatabaseName="many", TableName=name, PartitionsToGet=wanted)
        return [each["StorageDescriptor"]["Location"] for each in found["Partitions"]]

    keys = [{"Name": "hour", "Type": "string"}, {"Name": "shard", "Type": "int"}]
    table = {"DatabaseName": "many", "TableName": name}
    glue.create_table(DatabaseName="many", TableInput={"Name": name, "PartitionKeys": keys})
    assert locations("a") == []
    create: Callable[..., Any] = glue.batch_create_partition
    assert not create(**table, PartitionInputList=[partition("a", "1"), partition("b", "1")])["Errors"]
    (error,) = create(**table, PartitionInputList=[partition("b", "2"), partition("c", "1")])["Errors"]
    assert (error["PartitionValues"], error["ErrorDetail"]["ErrorCode"]) == (
        ["b", "7"],
        "AlreadyExistsException",
    )
    assert locations("a", "b", "c", "d") == ["1", "1", "1"]
    update = {"PartitionValueList": ["b", "7"], "PartitionInput": partition("b", "2")}
    lost = {"PartitionValueList": ["x", "7"], "PartitionInput": partition("x", "2")}
    (error,) = glue.batch_update_partition(**table, Entries=[update, lost])["Errors"]
    assert (error["PartitionValueList"], error["ErrorDetail"]["ErrorCode"]) == (
        ["x", "7"],
        "EntityNotFoundException",
    )
    glue.delete_partition(**table, PartitionValues=["a", "7"])
    assert locations("a", "b", "c") == ["2", "1"]
    (found,) = [glue.get_partition(**table, PartitionValues=["b", "7"])["Partition"]]
    assert found["Parameters"] == {"fence": "1"}
    renamed = {"PartitionValueList": ["b", "7"], "PartitionInput": partition("e", "3")}
    assert not glue.batch_update_partition(**table, Entries=[renamed])["Errors"]
    assert (locations("b"), locations("e")) == ([], ["3"])
    glue.delete_table(DatabaseName="many", Name=name)
    glue.create_table(DatabaseName="many", TableInput={"Name": name, "PartitionKeys": keys})
    assert locations("c", "e") == []
