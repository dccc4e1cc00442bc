"""The lake's objects by hour, from S3's listing."""

from collections.abc import Iterable, Mapping
from hashlib import sha256
from itertools import groupby
from typing import Any, NamedTuple

from queries.ledger import Input
from queries.partitions import lake_hour
from transforms.contracts import EVENT_HOUR, LAKE_TABLES


class Listed(NamedTuple):
    """One object of a lake hour, as a listing shows it; `modified` is in epoch milliseconds."""

    hour: str
    key: str
    tag: str
    bytes: int
    modified: int


class S3LakeIndex:
    """A `LakeIndex`."""

    def __init__(self, client: Any, bucket: str) -> None:
        self._client, self._bucket = client, bucket

    def hours(self, table: str, first: str = "", last: str = "9999") -> Mapping[str, Input]:
        """Every hour from `first` to `last` (inclusive) that has objects. Keys sort as hours do."""
        return summarize(self._objects(table, first, last))

    def _objects(self, table: str, first: str, last: str) -> Iterable[Listed]:
        prefix = f"{LAKE_TABLES[table].prefix}{EVENT_HOUR}="
        pages = self._client.get_paginator("list_objects_v2").paginate(
            Bucket=self._bucket, Prefix=prefix, StartAfter=f"{prefix}{first}"
        )
        for page in pages:
            for found in page.get("Contents", []):
                named = lake_hour(found["Key"], LAKE_TABLES)
                if named is None or not found["Size"]:
                    continue
                if named.hour > last:
                    return
                modified = int(found["LastModified"].timestamp() * 1000)
                yield Listed(named.hour, found["Key"], found["ETag"], found["Size"], modified)


def summarize(objects: Iterable[Listed]) -> dict[str, Input]:
    """Objects in order of key to what each hour holds; the digest is of their names, contents and sizes."""
    found: dict[str, Input] = {}
    for hour, listed in groupby(objects, key=lambda one: one.hour):
        members = list(listed)
        digest = sha256()
        for one in members:
            digest.update(f"{one.key}|{one.tag}|{one.bytes}\n".encode())
        found[hour] = Input(
            objects=len(members),
            bytes=sum(one.bytes for one in members),
            newest=max(one.modified for one in members),
            digest=digest.hexdigest()[:20],
        )
    return found
