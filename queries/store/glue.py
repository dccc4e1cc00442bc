"""Reports in S3 and Glue: run folders in the reporting bucket, one Glue partition per report partition."""

from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple
from urllib.parse import unquote

from botocore.exceptions import ClientError

from queries.store.checks import FAILED_CHECK
from queries.store.parquet_footer import TAIL_BYTES, Footer, footer_length, read_footer
from queries.store.port import Entry, NewerVersionError, Output, StoredRun, SwapRefusedError

RETIRED_TAG = ("penstock", "retired")
"""The reporting bucket's lifecycle rule deletes objects with this tag: no function of ours may delete."""
_PARALLEL = 16


class _File(NamedTuple):
    partition: str
    key: str
    size: int


class GlueReportStore:
    """A `ReportStore`."""

    def __init__(self, s3: Any, glue: Any, *, bucket: str, database: str) -> None:
        self._s3, self._glue = s3, glue
        self._bucket, self._database = bucket, database
        self._descriptors: dict[str, Any] = {}

    def url(self, location: str) -> str:
        """The location as Athena writes it, `s3://...`."""
        return location if location.startswith("s3://") else f"s3://{self._bucket}/{location}"

    def outputs(self, location: str, grain: str) -> Mapping[str, Output]:
        """What lies in a run's folder, by partition; only the files' footers are read."""
        files = list(self._files(location, grain))
        with ThreadPoolExecutor(_PARALLEL) as pool:
            footers = list(pool.map(self._footer, files))
        found: dict[str, Output] = {}
        for file, footer in zip(files, footers, strict=True):
            before = found.get(file.partition, Output(columns=footer.columns))
            found[file.partition] = Output(
                rows=before.rows + footer.rows,
                bytes=before.bytes + file.size,
                files=before.files + 1,
                untold=before.untold + (footer.values is None),
                failed=(*before.failed, *(footer.values or ())),
                columns=tuple(name for name in before.columns or () if name in footer.columns),
            )
        return found

    def served(self, table: str, values: Sequence[str]) -> Mapping[str, Entry]:
        """What the catalog says of these partitions; nothing where it does not have the table."""
        try:
            found = self._partitions(table, values)
        except ClientError as error:
            if not _is_missing(error):
                raise
            return {}
        return {value: self._entry(value, partition) for value, partition in found.items()}

    def registered(self, table: str, column: str, first: str) -> Mapping[str, Entry]:
        """Every partition that the catalog knows, from `first` on; one call for a thousand of them."""
        pages = self._glue.get_paginator("get_partitions").paginate(
            DatabaseName=self._database,
            TableName=table,
            Expression=f"{column} >= '{first}'",
            ExcludeColumnSchema=True,
        )
        try:
            found = [partition for page in pages for partition in page["Partitions"]]
        except ClientError as error:
            if not _is_missing(error):
                raise
            return {}
        # Asked again here: not every catalog reads the expression.
        named = ((partition["Values"][0], partition) for partition in found)
        return {value: self._entry(value, partition) for value, partition in named if value >= first}

    def stored(self, prefix: str) -> Mapping[str, int]:
        """Bytes of the files that readers see, by folder of a partition of a run."""
        pages = self._s3.get_paginator("list_objects_v2").paginate(
            Bucket=self._bucket, Prefix=f"{prefix}run="
        )
        sizes: dict[str, int] = {}
        for page in pages:
            for found in page.get("Contents", []):
                folder, _, name = found["Key"].rpartition("/")
                if name and not name.startswith(("_", ".")) and found["Size"]:
                    sizes[f"{folder}/"] = sizes.get(f"{folder}/", 0) + found["Size"]
        return sizes

    def swap(self, table: str, entries: Sequence[Entry]) -> None:
        """Move each partition to its new location; create those that the catalog does not know."""
        try:
            self._swap(table, entries)
        except ClientError as error:
            if not _is_missing(error):
                raise
            raise SwapRefusedError(
                f"Glue does not have {self._database}.{table}, which the next tick makes again: {error}"
            ) from error

    def _swap(self, table: str, entries: Sequence[Entry]) -> None:
        known = self._partitions(table, [entry.value for entry in entries])
        for entry in entries:
            fence = known.get(entry.value, {}).get("Parameters", {}).get("fence", "0")
            if int(fence) > int(entry.parameters["fence"]):
                raise NewerVersionError(f"{table}/{entry.value} is served from claim {fence} already.")
        missing = [entry for entry in entries if entry.value not in known]
        changed = [entry for entry in entries if entry.value in known]
        errors: list[Any] = []
        if missing:
            descriptor = self._descriptor(table)
            created = self._glue.batch_create_partition(
                DatabaseName=self._database,
                TableName=table,
                PartitionInputList=[self._input(entry, descriptor, {}) for entry in missing],
            )
            errors += [
                (error.get("PartitionValues"), error.get("ErrorDetail"))
                for error in created.get("Errors", [])
            ]
        if changed:
            updated = self._glue.batch_update_partition(
                DatabaseName=self._database,
                TableName=table,
                Entries=[
                    {
                        "PartitionValueList": [entry.value],
                        "PartitionInput": self._input(
                            entry,
                            known[entry.value]["StorageDescriptor"],
                            known[entry.value].get("Parameters", {}),
                        ),
                    }
                    for entry in changed
                ],
            )
            errors += [
                (error.get("PartitionValueList"), error.get("ErrorDetail"))
                for error in updated.get("Errors", [])
            ]
        if errors:  # a success status can still carry errors
            raise SwapRefusedError(f"Glue refused partitions of {self._database}.{table}: {errors[:5]}")

    def runs(self, prefix: str) -> Iterable[StoredRun]:
        """Every run's folder below a report's prefix."""
        pages = self._s3.get_paginator("list_objects_v2").paginate(
            Bucket=self._bucket, Prefix=f"{prefix}run="
        )
        current, newest = "", 0
        for page in pages:
            for found in page.get("Contents", []):
                folder = found["Key"][len(prefix) :].partition("/")[0]
                location, modified = f"{prefix}{folder}/", int(found["LastModified"].timestamp() * 1000)
                if location != current:
                    if current:
                        yield StoredRun(current, newest)
                    current, newest = location, 0
                newest = max(newest, modified)
        if current:
            yield StoredRun(current, newest)

    def retire(self, location: str) -> int:
        """Tag the files of a run's folder; the bucket's lifecycle rule deletes what has the tag."""
        pages = self._s3.get_paginator("list_objects_v2").paginate(Bucket=self._bucket, Prefix=location)
        keys = [found["Key"] for page in pages for found in page.get("Contents", [])]
        with ThreadPoolExecutor(_PARALLEL) as pool:
            return len(list(pool.map(self._tag, keys)))

    def _tag(self, key: str) -> None:
        tags = {"TagSet": [{"Key": RETIRED_TAG[0], "Value": RETIRED_TAG[1]}]}
        self._s3.put_object_tagging(Bucket=self._bucket, Key=key, Tagging=tags)

    def put(self, key: str, body: bytes) -> None:
        """Write one small object, whole."""
        self._s3.put_object(Bucket=self._bucket, Key=key, Body=body)

    def get(self, key: str) -> bytes:
        """Such an object; nothing where there is none, which S3 tells only those who may list everything."""
        try:
            return bytes(self._s3.get_object(Bucket=self._bucket, Key=key)["Body"].read())
        except ClientError as error:
            if error.response["Error"]["Code"] not in ("NoSuchKey", "AccessDenied"):
                raise
            return b""

    def _files(self, location: str, grain: str) -> Iterable[_File]:
        pages = self._s3.get_paginator("list_objects_v2").paginate(Bucket=self._bucket, Prefix=location)
        for page in pages:
            for found in page.get("Contents", []):
                folder, _, name = found["Key"][len(location) :].partition("/")
                column, _, value = folder.partition("=")
                # Athena does not read hidden files, so neither does the audit.
                if column == grain and name and not name.startswith(("_", ".")) and found["Size"]:
                    yield _File(unquote(value), found["Key"], found["Size"])

    def _footer(self, file: _File) -> Footer:
        tail = self._tail(file, min(TAIL_BYTES, file.size))
        needed = footer_length(tail)
        if needed > len(tail):
            tail = self._tail(file, needed)
        return read_footer(tail, FAILED_CHECK)

    def _tail(self, file: _File, length: int) -> bytes:
        answer = self._s3.get_object(Bucket=self._bucket, Key=file.key, Range=f"bytes={file.size - length}-")
        return bytes(answer["Body"].read())

    def _entry(self, value: str, partition: Any) -> Entry:
        location = str(partition["StorageDescriptor"].get("Location", ""))
        return Entry(value, location.removeprefix(self.url("")), dict(partition.get("Parameters", {})))

    def _partitions(self, table: str, values: Sequence[str]) -> dict[str, Any]:
        found: dict[str, Any] = {}
        wanted: list[Any] = [{"Values": [value]} for value in values]
        for start in range(0, len(wanted), 100):
            asked, is_first = wanted[start : start + 100], True
            while asked:
                answer = self._glue.batch_get_partition(
                    DatabaseName=self._database, TableName=table, PartitionsToGet=asked
                )
                found |= {partition["Values"][0]: partition for partition in answer["Partitions"]}
                # Glue counts as unprocessed both what it has not and what it did not come to look for: only
                # what it does not give when asked again alone is not there.
                is_last = not (is_first or answer["Partitions"])
                asked, is_first = [] if is_last else answer.get("UnprocessedKeys", []), False
        return found

    def _descriptor(self, table: str) -> Any:
        if table not in self._descriptors:
            answer = self._glue.get_table(DatabaseName=self._database, Name=table)
            self._descriptors[table] = answer["Table"]["StorageDescriptor"]
        return self._descriptors[table]

    def _input(self, entry: Entry, descriptor: Any, before: Mapping[str, str]) -> Any:
        # The input replaces the whole partition, so what it had is repeated; the rest of what Glue answered
        # (CreationTime, CatalogId, ...) is refused in an input.
        return {
            "Values": [entry.value],
            "StorageDescriptor": {**descriptor, "Location": self.url(entry.location)},
            "Parameters": {**before, **entry.parameters},
        }


def _is_missing(error: ClientError) -> bool:
    return error.response["Error"]["Code"] == "EntityNotFoundException"
