"""The site's bucket in S3."""

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from botocore.exceptions import ClientError

from dashboards.site.places import LATEST
from dashboards.site.publishing import MovedError

PARALLEL_WRITES = 8
_MISSING = frozenset({"NoSuchKey", "404", "AccessDenied", "403"})
"""What is not there is refused to whoever may not list the bucket."""
_MOVED = frozenset({"PreconditionFailed", "ConditionalRequestConflict", "412", "409"})


class S3Store:
    """`Store` of a publish, and `Objects` of what is answered."""

    def __init__(self, client: Any, bucket: str) -> None:
        self._client, self._bucket = client, bucket

    def get(self, key: str) -> bytes | None:
        """An object; None when there is none. Raises ClientError."""
        return self._read(key)[0]

    def put(self, objects: Mapping[str, bytes]) -> None:
        """Write objects, some at a time. Raises ClientError."""
        with ThreadPoolExecutor(PARALLEL_WRITES) as pool:
            list(pool.map(self._put, objects, objects.values()))

    def _put(self, key: str, body: bytes) -> None:
        self._client.put_object(Bucket=self._bucket, Key=key, Body=body)

    def latest(self) -> tuple[bytes | None, str]:
        """The pointer and its tag. Raises ClientError."""
        return self._read(LATEST)

    def move(self, body: bytes, tag: str) -> None:
        """Write the pointer if its tag is still this one. Raises MovedError and ClientError."""
        condition = {"IfMatch": tag} if tag else {"IfNoneMatch": "*"}
        try:
            self._client.put_object(Bucket=self._bucket, Key=LATEST, Body=body, **condition)
        except ClientError as error:
            if error.response["Error"]["Code"] in _MOVED:
                raise MovedError from error
            raise

    def _read(self, key: str) -> tuple[bytes | None, str]:
        try:
            found = self._client.get_object(Bucket=self._bucket, Key=key)
        except ClientError as error:
            if error.response["Error"]["Code"] in _MISSING:
                return None, ""
            raise
        return found["Body"].read(), str(found["ETag"])
