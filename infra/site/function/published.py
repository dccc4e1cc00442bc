"""What is published of reports, as the catalogue says it, and its files on this machine."""

import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

import duckdb

from dashboards.site.tables import File

PARALLEL_READS = 16


class RowsMissingError(RuntimeError):
    """The files of a published partition are not all there, or lie elsewhere."""


@dataclass(frozen=True)
class Partition:
    """A partition of a report: its name, the prefix of its files in the reporting bucket, and its rows; None
    where the catalogue does not say how many.
    """

    name: str
    prefix: str
    rows: int | None


class Catalogue:
    """The reports' tables in Glue."""

    def __init__(self, client: Any, database: str, bucket: str) -> None:
        self._client, self._database, self._bucket = client, database, bucket

    def partitions(self, report: str) -> Sequence[Partition]:
        """What is published of a report. Raises ClientError and RowsMissingError."""
        pages = self._client.get_paginator("get_partitions").paginate(
            DatabaseName=self._database, TableName=report, ExcludeColumnSchema=True
        )
        return [self._partition(report, each) for page in pages for each in page["Partitions"]]

    def _partition(self, report: str, found: Mapping[str, Any]) -> Partition:
        name, location = str(found["Values"][0]), str(found["StorageDescriptor"]["Location"])
        root = f"s3://{self._bucket}/"
        if not location.startswith(root):
            raise RowsMissingError(f"Partition {name} of {report} does not lie in the reporting bucket.")
        rows = found.get("Parameters", {}).get("rows")
        prefix = location.removeprefix(root)
        return Partition(name, f"{prefix.rstrip('/')}/", None if rows is None else int(rows))


def token_of(partitions: Sequence[Partition]) -> str:
    """Changes whenever another run serves a partition."""
    lines = "".join(f"{each.name} {each.prefix}\n" for each in sorted(partitions, key=lambda p: p.name))
    return sha256(lines.encode()).hexdigest()


class KeptFiles:
    """Files of runs by their prefix, as they were fetched last: what a run has written never changes.

    Those that were asked for longest ago are forgotten when all take more than `most` bytes. Thread-safe.
    """

    def __init__(self, most: int = 128 << 20) -> None:
        self._most, self._size = most, 0
        self._runs: OrderedDict[str, Sequence[bytes]] = OrderedDict()
        self._lock = threading.Lock()

    def of(self, prefix: str, fetch: Callable[[str], Sequence[bytes]]) -> Sequence[bytes]:
        """The files below a prefix; `fetch` is asked for those that are not here. Raises what it raises."""
        with self._lock:
            known = self._runs.get(prefix)
            if known is not None:
                self._runs.move_to_end(prefix)
                return known
        found = fetch(prefix)
        with self._lock:
            self._size += _size(found) - _size(self._runs.pop(prefix, ()))
            self._runs[prefix] = found
            while self._size > self._most:
                self._size -= _size(self._runs.popitem(last=False)[1])
        return found

    def forget(self, prefix: str) -> None:
        """Have a run's files fetched again."""
        with self._lock:
            self._size -= _size(self._runs.pop(prefix, ()))


def _size(files: Sequence[bytes]) -> int:
    return sum(map(len, files))


class PublishedFiles:
    """The files of published partitions, put into a folder when they are asked for."""

    def __init__(
        self,
        client: Any,
        bucket: str,
        published: Mapping[str, Sequence[Partition]],
        folder: Path,
        kept: KeptFiles,
    ) -> None:
        self._client, self._bucket, self._published, self._folder = client, bucket, published, folder
        self._kept = kept

    def of(self, report: str, partitions: Sequence[str] | None) -> Sequence[File]:
        """Their files. Raises ClientError and RowsMissingError."""
        wanted = [each for each in self._published[report] if partitions is None or each.name in partitions]
        with ThreadPoolExecutor(PARALLEL_READS) as pool:
            bodies = list(pool.map(lambda each: self._kept.of(each.prefix, self._fetched), wanted))
        named = [(each, body) for each, found in zip(wanted, bodies, strict=True) for body in found]
        files = [self._written(report, number, *one) for number, one in enumerate(named)]
        self._check(report, wanted, files)
        return files

    def _fetched(self, prefix: str) -> Sequence[bytes]:
        pages = self._client.get_paginator("list_objects_v2").paginate(Bucket=self._bucket, Prefix=prefix)
        keys = [
            found["Key"]
            for page in pages
            for found in page.get("Contents", [])
            # Athena does not read hidden files, so nobody does.
            if found["Size"] and not found["Key"].rpartition("/")[2].startswith(("_", "."))
        ]
        return [self._client.get_object(Bucket=self._bucket, Key=key)["Body"].read() for key in keys]

    def _written(self, report: str, number: int, partition: Partition, body: bytes) -> File:
        path = self._folder / f"{report}-{number}.parquet"
        path.write_bytes(body)
        return File(partition.name, path)

    def _check(self, report: str, wanted: Sequence[Partition], files: Sequence[File]) -> None:
        """A file that is missing is an error, and no partition of fewer rows."""
        counted: dict[str, int] = {}
        if files:
            paths = [str(file.path) for file in files]
            # A connection of its own: datasets are read at the same time.
            with duckdb.connect(":memory:") as connection:
                found = connection.execute(
                    "SELECT file_name, sum(num_rows) FROM parquet_file_metadata(?) GROUP BY 1", [paths]
                ).fetchall()
            rows = {str(path): int(count) for path, count in found}
            for file in files:
                counted[file.partition] = counted.get(file.partition, 0) + rows[str(file.path)]
        for each in wanted:
            if each.rows is not None and counted.get(each.name, 0) != each.rows:
                self._kept.forget(each.prefix)
                raise RowsMissingError(
                    f"Partition {each.name} of {report} was published with {each.rows} rows, and its files "
                    f"have {counted.get(each.name, 0)}. An operator can publish it again: "
                    f"penstock reports backfill {report} --force."
                )
