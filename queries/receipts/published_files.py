"""The rows of a version as its files have them, also of one that no reader sees any more."""

import io
from typing import Any

from queries.contracts import Report
from queries.ledger.state import Published


class PublishedFiles:
    """Reads the reporting bucket's Parquet files; that costs no query."""

    def __init__(self, s3: Any, bucket: str) -> None:
        self._s3, self._bucket = s3, bucket

    def rows(self, report: Report, version: Published) -> list[dict[str, Any]] | None:
        """The rows of a version of a partition; None when its files are gone."""
        import pyarrow.parquet as pq

        if not version.rows:
            return []
        location = version.location
        pages = self._s3.get_paginator("list_objects_v2").paginate(Bucket=self._bucket, Prefix=location)
        keys = [
            each["Key"]
            for page in pages
            for each in page.get("Contents", [])
            if each["Size"] and not each["Key"].rpartition("/")[2].startswith(("_", "."))
        ]
        names = [column.name for column in report.columns]
        found: list[dict[str, Any]] = []
        for key in keys:
            try:
                body = self._s3.get_object(Bucket=self._bucket, Key=key)["Body"].read()
            except self._s3.exceptions.NoSuchKey:  # deleted since it was listed
                return None
            table = pq.ParquetFile(io.BytesIO(body)).read()
            found += table.select([name for name in names if name in table.column_names]).to_pylist()
        return found if keys else None
