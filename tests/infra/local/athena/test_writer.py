"""Rows that a query writes, sorted into the files of their partitions."""

from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from infra.local.athena.sql.types import BIGINT, VARCHAR
from infra.local.athena.writer import FileWriter, Output

DAYS = [None, "b", "a", "b", None, "a", "b"]
PLACES = ["x", "y", "x", "x", "x", "x", "y"]


class Bucket:
    """Keeps what is put."""

    def __init__(self) -> None:
        self.objects: dict[str, Any] = {}

    def put_object(self, *, Bucket: str, Key: str, Body: Any) -> None:  # noqa: N803 - boto3's spelling
        self.objects[f"s3://{Bucket}/{Key}"] = pq.read_table(pa.BufferReader(Body.read())).to_pydict()


@pytest.fixture
def written(tmp_path: Path, request: pytest.FixtureRequest) -> dict[str, Any]:
    by: tuple[str, ...] = request.param
    given = {"n": (BIGINT, list(range(7))), "day": (VARCHAR, DAYS), "place": (VARCHAR, PLACES)}
    names = [name for name in given if name == "n" or name in by]
    batch = pa.RecordBatch.from_pydict({name: pa.array(given[name][1]) for name in names})
    numbers = iter(range(100))
    output = Output("s3://reports/run/", partitioned_by=by)
    writer = FileWriter(
        output, [(name, given[name][0]) for name in names], tmp_path / "out", lambda: f"f{next(numbers)}"
    )
    writer.write([batch.slice(0, 5), batch.slice(5), batch.slice(7)])
    bucket = Bucket()
    found = writer.finish(bucket)
    assert found.rows == 7
    assert set(found.addresses) == set(bucket.objects)
    assert list((tmp_path / "out").iterdir()) == []
    return {
        address.removeprefix(output.location).rpartition("/")[0]: bucket.objects[address]["n"]
        for address in found.addresses
    }


@pytest.mark.parametrize("written", [("day",)], indirect=True)
def test_rows_of_a_partition_are_in_one_file_and_in_their_order(written: dict[str, Any]) -> None:
    assert list(written.items()) == [
        ("day=__HIVE_DEFAULT_PARTITION__", [0, 4]),
        ("day=b", [1, 3, 6]),
        ("day=a", [2, 5]),
    ]


@pytest.mark.parametrize("written", [("day", "place")], indirect=True)
def test_several_columns_make_a_partition_of_each_combination(written: dict[str, Any]) -> None:
    assert list(written.items()) == [
        ("day=__HIVE_DEFAULT_PARTITION__/place=x", [0, 4]),
        ("day=b/place=y", [1, 6]),
        ("day=a/place=x", [2, 5]),
        ("day=b/place=x", [3]),
    ]


@pytest.mark.parametrize("written", [()], indirect=True)
def test_rows_without_partitions_are_one_file(written: dict[str, Any]) -> None:
    assert written == {"": [0, 1, 2, 3, 4, 5, 6]}
