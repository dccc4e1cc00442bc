"""Objects of S3: which there are, and a bounded local copy of each, kept by its ETag."""

import os
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
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
                "HIVE_CANNOT_OPEN_SPLIT", f"Cannot list {location}: {code}. Check the bucket and the rights."
            ) from error
        for item in page.get("Contents", ()):
            if last and item["Key"] > last:
                return
            found = StoredObject(bucket, item["Key"], item["ETag"].strip('"'), item["Size"])
            if not found.is_hidden(prefix):
                yield found
        if not page.get("IsTruncated"):
            return
        arguments["ContinuationToken"] = page["NextContinuationToken"]


class ObjectCache:
    """Copies of objects in a folder, the least recently used removed when it grows beyond `limit` bytes.

    Thread-safe. What a running query uses it links into its own folder, so removal does not disturb it.
    """

    def __init__(self, folder: Path, limit: int) -> None:
        self._folder, self._limit = folder, limit
        folder.mkdir(parents=True, exist_ok=True)
        self._sizes = {
            path.name: path.stat().st_size for path in sorted(folder.iterdir(), key=os.path.getmtime)
        }
        self._lock = threading.Lock()
        self._pool = ThreadPoolExecutor(_DOWNLOADS, thread_name_prefix="athena-get")

    def link(self, name: str, make: Callable[[Path], None], target: Path) -> None:
        """Put the copy called `name` at `target`, calling `make` for it when there is none yet."""
        source = self._folder / name
        for _ in range(3):
            if name not in self._sizes:
                self._fill(source, make)
            try:
                os.link(source, target)
            except FileNotFoundError:  # removed meanwhile
                with self._lock:
                    self._sizes.pop(name, None)
                continue
            except FileExistsError:
                return
            with self._lock:
                if name in self._sizes:  # used last
                    self._sizes[name] = self._sizes.pop(name)
            return
        raise QueryError("HIVE_CURSOR_ERROR", f"The local object cache is too small for {name}.")

    def _fill(self, source: Path, make: Callable[[Path], None]) -> None:
        part = source.with_name(f".{source.name}.{threading.get_ident()}")
        try:
            make(part)
            size = part.stat().st_size
            part.rename(source)
        finally:
            part.unlink(missing_ok=True)
        with self._lock:
            self._sizes[source.name] = size
            total = sum(self._sizes.values())
            for name in list(self._sizes):
                if total <= self._limit or name == source.name:
                    break
                total -= self._sizes.pop(name)
                (self._folder / name).unlink(missing_ok=True)

    def link_all(self, wanted: Sequence[tuple[str, Callable[[Path], None], Path]]) -> None:
        """`link` for many, several at a time."""
        missing = [item for item in wanted if item[0] not in self._sizes]
        if len(missing) > 1:
            list(self._pool.map(lambda item: self.link(*item), missing))
            wanted = [item for item in wanted if item not in missing]
        for item in wanted:
            self.link(*item)


def download(s3: Any, stored: StoredObject) -> Callable[[Path], None]:
    """A maker for ObjectCache: the object's bytes."""

    def make(target: Path) -> None:
        try:
            body = s3.get_object(Bucket=stored.bucket, Key=stored.key)["Body"]
        except ClientError as error:
            message = f"Cannot read {stored.address}: {error.response['Error']['Code']}"
            raise QueryError("HIVE_CURSOR_ERROR", message) from error
        with target.open("wb") as out:
            for chunk in body.iter_chunks(1 << 20):
                out.write(chunk)

    return make
