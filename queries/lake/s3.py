"""The lake's objects by hour, from S3's listing."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import groupby
from typing import Any

from botocore.exceptions import ClientError

from queries.hours import parse_hour
from queries.lake.port import Listed, summarize
from queries.ledger.state import Input
from queries.partitions import lake_hour
from queries.store.parquet_footer import TAIL_BYTES, FooterError, footer_length, read_columns
from transforms.contracts import EVENT_HOUR, lake_prefix

_PARALLEL_READS = 16
_FEWEST_KEYS, _MOST_KEYS = 50, 1_000
_REMEMBERED = 20_000
"""Objects of which this process remembers the columns."""


class S3LakeIndex:
    """A `LakeIndex`. What it read of an object it does not read again, as long as its ETag is the same."""

    def __init__(self, client: Any, bucket: str) -> None:
        self._client, self._bucket = client, bucket
        self._read: dict[tuple[str, str], Sequence[str] | str] = {}
        self._schemas: dict[Sequence[str], Sequence[str]] = {}

    def hours(self, table: str, first: str = "", last: str = "9999") -> Mapping[str, Input]:
        """Every hour from `first` to `last` (inclusive) that has objects. Keys sort as hours do."""
        listed = groupby(self._objects(table, first, last), key=lambda one: one.hour)
        found = {hour: summarize(objects) for hour, objects in listed}
        return {hour: held for hour, held in found.items() if held.objects}

    def objects(self, table: str, first: str, last: str) -> Mapping[str, Sequence[Listed]]:
        """The objects of these hours, in order of key; also empty ones."""
        listed = groupby(self._objects(table, first, last), key=lambda one: one.hour)
        return {hour: list(objects) for hour, objects in listed}

    def columns(self, objects: Iterable[Listed]) -> Mapping[str, Sequence[str] | str]:
        """By key, the columns of a Parquet file, or what is wrong; of each only the footer is read."""
        found, unread = dict[str, Sequence[str] | str](), list[Listed]()
        for one in objects:
            if (known := self._read.get((one.key, one.tag))) is None:
                unread.append(one)
            else:
                found[one.key] = known
        if len(self._read) > _REMEMBERED:
            self._read.clear()
            self._schemas.clear()
        with ThreadPoolExecutor(_PARALLEL_READS) as pool:
            for one, columns in zip(unread, pool.map(self._columns, unread), strict=True):
                # Objects of a table have the same columns for months: each list of them is kept once.
                shared = self._schemas.setdefault(columns, columns)
                found[one.key] = self._read[one.key, one.tag] = shared
        return found

    def _columns(self, one: Listed) -> Sequence[str] | str:
        try:
            tail = self._tail(one, min(TAIL_BYTES, one.bytes))
            if (needed := footer_length(tail)) > len(tail):
                tail = self._tail(one, min(needed, one.bytes))
            return read_columns(tail)
        except FooterError:
            return "is not a whole Parquet file"
        except ClientError as error:
            if error.response["Error"]["Code"] in ("NoSuchKey", "404"):
                return "was deleted just now"
            raise

    def _tail(self, one: Listed, length: int) -> bytes:
        answer = self._client.get_object(
            Bucket=self._bucket, Key=one.key, Range=f"bytes={one.bytes - length}-"
        )
        return bytes(answer["Body"].read())

    def _objects(self, table: str, first: str, last: str) -> Iterator[Listed]:
        prefix = f"{lake_prefix(table)}{EVENT_HOUR}="
        pages = self._client.get_paginator("list_objects_v2").paginate(
            Bucket=self._bucket,
            Prefix=prefix,
            StartAfter=f"{prefix}{first}",
            PaginationConfig={"PageSize": _page_size(first, last)},
        )
        for page in pages:
            for found in page.get("Contents", []):
                named = lake_hour(found["Key"], (table,))
                if named is None:
                    continue
                if named.hour > last:
                    return
                modified = int(found["LastModified"].timestamp() * 1000)
                yield Listed(named.hour, found["Key"], found["ETag"], found["Size"], modified)


def _page_size(first: str, last: str) -> int:
    """Keys to ask for at a time: of a few hours in years of them, few. A page of keys costs as it is long."""
    try:
        hours = int((parse_hour(last) - parse_hour(first)).total_seconds()) // 3600 + 1
    except ValueError:  # without bounds
        return _MOST_KEYS
    return max(_FEWEST_KEYS, min(_MOST_KEYS, hours * 2))
