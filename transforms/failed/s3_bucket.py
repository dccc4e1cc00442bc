"""The objects of an S3 bucket."""

from collections.abc import Iterator
from typing import Any

from botocore.exceptions import ClientError

from transforms.failed.bucket import ObjectName


class S3Objects:
    """The bucket `bucket`, by a boto3 S3 client."""

    def __init__(self, client: Any, bucket: str) -> None:
        self._client = client
        self._bucket = bucket
        client.meta.events.register("before-sign.s3.PutObject", _at_once, unique_id="penstock-at-once")

    def names(self, prefix: str) -> Iterator[ObjectName]:
        """See `Objects.names`."""
        pages = self._client.get_paginator("list_objects_v2").paginate(Bucket=self._bucket, Prefix=prefix)
        for page in pages:
            for each in page.get("Contents", ()):
                yield ObjectName(each["Key"], each["ETag"].strip('"'), each["Size"])

    def folders(self, prefix: str) -> Iterator[str]:
        """See `transforms.failed.recent.Listed`."""
        paginator = self._client.get_paginator("list_objects_v2")
        for page in paginator.paginate(Bucket=self._bucket, Prefix=prefix, Delimiter="/"):
            for each in page.get("CommonPrefixes", ()):
                yield each["Prefix"].removeprefix(prefix).rstrip("/")

    def get(self, key: str) -> bytes | None:
        """See `Objects.get`."""
        try:
            body: bytes = self._client.get_object(Bucket=self._bucket, Key=key)["Body"].read()
        except self._client.exceptions.NoSuchKey:
            return None
        except ClientError as error:
            if error.response["Error"]["Code"] != "AccessDenied" or self._is_there(key):
                raise
            return None
        return body

    def _is_there(self, key: str) -> bool:
        """To whoever may list a prefix only, S3 says `AccessDenied` of a key that does not exist.

        https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html
        """
        return any(found.key == key for found in self.names(key))

    def put(self, key: str, data: bytes) -> None:
        """See `Objects.put`."""
        self._client.put_object(Bucket=self._bucket, Key=key, Body=data)


def _at_once(request: Any, **_: Any) -> None:
    """Send headers and body together. The SDK would send the headers, and wait until S3 asks for the body."""
    del request.headers["Expect"]
