"""Objects of the reporting bucket in S3."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from queries.api.reading.port import Object

PARALLEL_READS = 16


class S3Objects:
    """`Objects`. Each call is one or more of S3's, several of them at once."""

    def __init__(self, client: Any, bucket: str) -> None:
        self._client, self._bucket = client, bucket

    def below(self, prefix: str) -> Sequence[Object]:
        """Those that readers see below a prefix, in order."""
        pages = self._client.get_paginator("list_objects_v2").paginate(Bucket=self._bucket, Prefix=prefix)
        return [
            Object(found["Key"], found["Size"])
            for page in pages
            for found in page.get("Contents", [])
            # Athena does not read hidden files, so nobody does.
            if found["Size"] and not found["Key"].rpartition("/")[2].startswith(("_", "."))
        ]

    def read(self, keys: Sequence[str]) -> Sequence[bytes]:
        """The bytes of each."""
        if len(keys) == 1:
            return [self._bytes(keys[0])]
        with ThreadPoolExecutor(PARALLEL_READS) as pool:
            return list(pool.map(self._bytes, keys))

    def address(self, key: str, seconds: int) -> str:
        """An address at which anybody can read the object for so long."""
        address: str = self._client.generate_presigned_url(
            "get_object", Params={"Bucket": self._bucket, "Key": key}, ExpiresIn=seconds
        )
        return address

    def _bytes(self, key: str) -> bytes:
        return bytes(self._client.get_object(Bucket=self._bucket, Key=key)["Body"].read())
