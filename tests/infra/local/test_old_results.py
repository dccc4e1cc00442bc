"""Results of queries do not pile up."""

import os
import time
from pathlib import Path

import pytest

from infra.local.cloud import LocalCloud
from infra.local.old_results import OldResults


@pytest.mark.cloud
def test_results_older_than_their_age_are_deleted_and_younger_ones_stay(
    local_cloud: LocalCloud, tmp_path: Path
) -> None:
    s3 = local_cloud.context.client("s3")
    bucket = next(
        stack["outputs"]["ResultsBucket"]
        for stack in local_cloud.outputs["stacks"].values()
        if "ResultsBucket" in stack["outputs"]
    )
    s3.put_object(Bucket=bucket, Key="analysts/one.csv", Body=b"1")
    for name, age in (("old.arrow", 700), ("new.arrow", 500)):
        (tmp_path / name).write_bytes(b"x")
        os.utime(tmp_path / name, (time.time() - age,) * 2)
    OldResults(local_cloud.context, tmp_path).delete()
    assert [each.name for each in tmp_path.iterdir()] == ["new.arrow"]
    assert s3.get_object(Bucket=bucket, Key="analysts/one.csv")["Body"].read() == b"1"
    OldResults(local_cloud.context, tmp_path, now=lambda: time.time() + 601).delete()
    assert not list(tmp_path.iterdir())
    assert s3.list_objects_v2(Bucket=bucket)["KeyCount"] == 0
