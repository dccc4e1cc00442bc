"""Reference tables in S3 and Glue: a folder for each version, and one partition whose location moves."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from botocore.exceptions import ClientError

from queries.reference.declaration import CURRENT
from queries.reference.port import MissingTableError, Version

_FILE = "rows.parquet"


class GlueReferenceStore:
    """A `ReferenceStore`."""

    def __init__(self, s3: Any, glue: Any, *, bucket: str, database: str) -> None:
        self._s3, self._glue, self._bucket, self._database = s3, glue, bucket, database

    def current(self, table: str) -> Version | None:
        """The version that queries read; None before the first. Raises MissingTableError."""
        found = self._partition(table)
        if found is None:
            return None
        said, location = found.get("Parameters", {}), str(found["StorageDescriptor"]["Location"])
        return Version(
            name=said.get("version", ""),
            location=location.removeprefix(f"s3://{self._bucket}/"),
            rows=int(said.get("rows", 0)),
            published_at=int(said.get("published_at", 0)),
        )

    def put(self, location: str, body: bytes) -> None:
        """Write the file of a version."""
        self._s3.put_object(Bucket=self._bucket, Key=f"{location}{_FILE}", Body=body)

    def serve(self, table: str, version: Version) -> None:
        """Move the partition to the version's folder, in one request, with the columns that the table has."""
        entry = {
            "Values": [CURRENT],
            "StorageDescriptor": {
                **self._descriptor(table),
                "Location": f"s3://{self._bucket}/{version.location}",
            },
            "Parameters": {
                "version": version.name,
                "rows": str(version.rows),
                "published_at": str(version.published_at),
            },
        }
        place: dict[str, Any] = {"DatabaseName": self._database, "TableName": table}
        try:
            self._glue.create_partition(**place, PartitionInput=entry)
        except self._glue.exceptions.AlreadyExistsException:
            self._glue.batch_update_partition(
                **place, Entries=[{"PartitionValueList": [CURRENT], "PartitionInput": entry}]
            )

    def _descriptor(self, table: str) -> dict[str, Any]:
        with _missing(table):
            answer = self._glue.get_table(DatabaseName=self._database, Name=table)
        found: dict[str, Any] = answer["Table"]["StorageDescriptor"]
        return found

    def _partition(self, table: str) -> Any | None:
        with _missing(table):
            answer = self._glue.batch_get_partition(
                DatabaseName=self._database, TableName=table, PartitionsToGet=[{"Values": [CURRENT]}]
            )
        return next(iter(answer["Partitions"]), None)


@contextmanager
def _missing(table: str) -> Iterator[None]:
    try:
        yield
    except ClientError as error:
        if error.response["Error"]["Code"] != "EntityNotFoundException":
            raise
        raise MissingTableError(
            f"The catalog has no table {table}. Deploy it first: penstock local up, or penstock deploy"
        ) from error
