"""Results of queries do not pile up."""

import os
import time
from itertools import product
from pathlib import Path

import pytest

from infra.local.cloud import LocalCloud
from infra.local.parts.old_results import OldResults

AGES = {"old.arrow": 700, "new.arrow": 500, ".a-download-that-was-killed": 700}
"""Seconds since each file was written or read."""


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
    folders = [tmp_path / "results", tmp_path / "cache"]
    for folder, (name, age) in product(folders, AGES.items()):
        folder.mkdir(exist_ok=True)
        (folder / name).write_bytes(b"x")
        os.utime(folder / name, (time.time() - age,) * 2)
    OldResults(local_cloud.context, folders).delete()
    assert [each.name for folder in folders for each in folder.iterdir()] == ["new.arrow", "new.arrow"]
    assert s3.get_object(Bucket=bucket, Key="analysts/one.csv")["Body"].read() == b"1"
    OldResults(local_cloud.context, folders, now=lambda: time.time() + 601).delete()
    assert not [each for folder in folders for each in folder.iterdir()]
    assert s3.list_objects_v2(Bucket=bucket)["KeyCount"] == 0
