"""Objects of S3: which there are, and a bounded local copy of each, kept by its ETag."""

import os
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

from infra.local.athena.errors import QueryError
from infra.local.athena.layout import bucket_and_key

_DOWNLOADS = 4


@dataclass(frozen=True)
class StoredObject:
    """One object; `etag` changes with its content."""

    bucket: str
    key: str
    etag: str
    size: int

    @property
    def address(self) -> str:
        """`s3://bucket/key`, the value of "$path"."""
        return f"s3://{self.bucket}/{self.key}"

    def is_hidden(self, prefix: str) -> bool:
        """Athena sees no empty objects, and nothing below `prefix` with a part that begins with `_` or `.`."""
        return self.size == 0 or any(part[:1] in ("_", ".") for part in self.key[len(prefix) :].split("/"))


def list_objects(s3: Any, location: str, *, after: str = "", until: str = "") -> Iterator[StoredObject]:
    """Visible objects below a location, by key; from behind `after` up to `until` (both addresses)."""
    prefix = bucket_and_key(location)[1]
    for found in every_object(s3, location, after=after, until=until):
        if not found.is_hidden(prefix):
            yield found


def every_object(s3: Any, location: str, *, after: str = "", until: str = "") -> Iterator[StoredObject]:
    """As `list_objects`, and those that Athena does not see."""
    bucket, prefix = bucket_and_key(location)
    arguments: dict[str, Any] = {"Bucket": bucket, "Prefix": prefix}
    if after:
        arguments["StartAfter"] = bucket_and_key(after)[1]
    last = bucket_and_key(until)[1] if until else ""
    while True:
        try:
            page = s3.list_objects_v2(**arguments)
        except ClientError as error:
            code = error.response["Error"]["Code"]
            raise QueryError(
                "HIVE_CANNOT_OPEN_SPLIT",
                f"Cannot list {location}: {code}. Check the bucket and the permissions.",
            ) from error
        for item in page.get("Contents", ()):
            if last and item["Key"] > last:
                return
            yield StoredObject(bucket, item["Key"], item["ETag"].strip('"'), item["Size"])
        if not page.get("IsTruncated"):
            return
        arguments["ContinuationToken"] = page["NextContinuationToken"]


CACHE_BYTES = 512 << 20
"""Of the copies in all. The server deletes one that no query has read for ten minutes, too."""


class ObjectCache:
    """Copies of objects in a folder that processes share, the least recently used removed beyond `limit` bytes.

    What a running query uses it links into its own folder, so removal does not disturb it.
    """

    def __init__(self, folder: Path, limit: int) -> None:
        self._folder, self._limit = folder, limit
        folder.mkdir(parents=True, exist_ok=True)
        self._pool = ThreadPoolExecutor(_DOWNLOADS, thread_name_prefix="athena-get")

    def link_all(self, wanted: Sequence[tuple[str, Callable[[Path], None], Path]]) -> None:
        """Put the copy of each name at its target, calling its maker when there is none; several at a time."""
        missing = [item for item in wanted if not self._linked(item[0], item[2])]
        made = list(self._pool.map(lambda item: self._filled(*item), missing))
        if any(made):
            self._remove_oldest()

    def _linked(self, name: str, target: Path) -> bool:
        source = self._folder / name
        try:
            os.link(source, target)
            os.utime(source)
        except FileExistsError:
            return True
        except FileNotFoundError:
            return False
        return True

    def _filled(self, name: str, make: Callable[[Path], None], target: Path) -> bool:
        source = self._folder / name
        part = source.with_name(f".{source.name}.{os.getpid()}.{threading.get_ident()}")
        try:
            make(part)
            part.chmod(0o400)  # the same file will stand in the folder of every query that reads it
            os.link(part, target)
            part.rename(source)
        except FileExistsError:
            return False
        finally:
            part.unlink(missing_ok=True)
        return True

    def _remove_oldest(self) -> None:
        found = []
        for entry in os.scandir(self._folder):
            with suppress(FileNotFoundError):
                stat = entry.stat()
                found.append((stat.st_mtime, stat.st_size, entry.path))
        total = sum(size for _, size, _ in found)
        for _, size, path in sorted(found):
            if total <= self._limit:
                break
            total -= size
            Path(path).unlink(missing_ok=True)


Local = Callable[[StoredObject], bytes | None]
"""Gives an object's bytes without a request, or None."""


def download(s3: Any, stored: StoredObject, local: Local) -> Callable[[Path], None]:
    """A maker for ObjectCache: the object's bytes."""

    def make(target: Path) -> None:
        at_hand = local(stored)
        if at_hand is not None:
            target.write_bytes(at_hand)
            return
        try:
            body = s3.get_object(Bucket=stored.bucket, Key=stored.key)["Body"]
        except ClientError as error:
            message = f"Cannot read {stored.address}: {error.response['Error']['Code']}"
            raise QueryError("HIVE_CURSOR_ERROR", message) from error
        with target.open("wb") as out:
            for chunk in body.iter_chunks(1 << 20):
                out.write(chunk)

    return make
