"""MiniStack answers 200 to a PUT that its disk did not take. This refuses it.

A write is refused before anything is changed when the disk has too little room for it; one that fails all the
same is taken back. Either way the answer is 503, which every AWS client tries again, and nobody is notified
of an object that is not there.
"""

import json
import logging
import os
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

ROOM_BYTES = 1024 * 1024
"""What must be left beside an object: for its metadata, and for the files of the local server."""
_SAY_SECONDS = 30.0

Operation = Callable[..., Any]

logger = logging.getLogger(__name__)


class NotKeptError(Exception):
    """The disk did not take the object, or has it no more."""


class Store:
    """Makes MiniStack's operations that write objects keep them, or refuse.

    `s3` is MiniStack's module; `room` gives the free bytes of the disk.
    """

    def __init__(self, s3: Any, room: Callable[[], int], clock: Callable[[], float] = time.monotonic) -> None:
        self._s3, self._room, self._clock = s3, room, clock
        self._fire = s3._fire_s3_event_async
        self._events: list[tuple[tuple[Any, ...], dict[str, Any]]] | None = None
        self._said_at = float("-inf")

    def keeping(self, operation: Operation, size_of: Callable[..., int]) -> Operation:
        """An operation on (bucket, key, ...); `size_of` takes the same and gives the bytes it will write."""

        def run(bucket: str, key: str, *arguments: Any, **named: Any) -> Any:
            room = self._room()
            if room < size_of(bucket, key, *arguments, **named) + ROOM_BYTES:
                return self._refuse(bucket, key, f"{room} bytes are free")
            found = self._s3._buckets.get(bucket)
            before = found["objects"].get(key) if found else None
            versions = list(self._s3._object_versions.get((bucket, key)) or ())
            self._events = []
            try:
                answer = operation(bucket, key, *arguments, **named)
            except NotKeptError as error:
                self._events = None
                self._take_back(found, bucket, key, before, versions)
                return self._refuse(bucket, key, str(error))
            finally:
                events, self._events = self._events or [], None
            for given, options in events:
                self._fire(*given, **options)
            return answer

        return run

    def fire(self, *arguments: Any, **named: Any) -> None:
        """MiniStack's notification of an event, which waits until the object is kept."""
        if self._events is None:
            self._fire(*arguments, **named)
        else:
            self._events.append((arguments, named))

    def reading(self, read: Operation) -> Operation:
        """MiniStack's read of an object's bytes, which gives none when their file is gone."""

        def found(bucket: str, key: str, record: dict[str, Any]) -> Any:
            body = read(bucket, key, record)
            if not body and record.get("size"):
                raise NotKeptError(f"The file of {bucket}/{key} is gone from {self._s3.DATA_DIR}.")
            return body

        return found

    def persist(self, bucket: str, key: str, record: dict[str, Any]) -> None:
        """MiniStack's write of an object and its metadata. Raises NotKeptError; then neither has changed."""
        s3 = self._s3
        path = s3._object_disk_path(bucket, key)
        if path is None:
            return
        meta = {**s3._object_meta_from_record(record), **s3._key_history_meta(bucket, key), "key": key}
        parts = {path + ".meta.json": json.dumps(meta).encode()}
        if record.get("body") is not None:
            parts = {path: record["body"], **parts}
        written: list[str] = []
        try:
            Path(path).parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            for name, data in parts.items():
                written.append(name + ".tmp")
                _write(name + ".tmp", data)
            for name in parts:
                Path(name + ".tmp").replace(name)
        except OSError as error:
            for name in written:
                with suppress(OSError):
                    Path(name).unlink()
            raise NotKeptError(str(error)) from error
        self._forget_bodies(bucket, key, record)
        root = Path(s3.DATA_DIR) / s3.get_account_id() / bucket
        s3._remove_key_files(s3._other_key_disk_path(str(root), key, path))

    def _forget_bodies(self, bucket: str, key: str, record: dict[str, Any]) -> None:
        """What the disk has is read from there: MiniStack would keep every version's body, the whole lake."""
        record["body"] = None
        current = record.get("version_id") or "null"
        for version in self._s3._object_versions.get((bucket, key)) or ():
            kept = version["version_id"]
            if kept == current or self._s3._version_file_exists(bucket, key, kept):
                version["data"] = None

    def displacing(self, persist: Operation) -> Operation:
        """MiniStack's write of a version that another replaces, refused when the disk has not taken it."""

        def run(bucket: str, key: str, prior: dict[str, Any] | None, versioning: str) -> None:
            persist(bucket, key, prior, versioning)
            version, path = (prior or {}).get("version_id"), self._s3._object_disk_path(bucket, key)
            is_there = path is not None and Path(path).is_file()
            if version and is_there and not self._s3._version_file_exists(bucket, key, version):
                raise NotKeptError(f"Version {version} of {bucket}/{key} could not be kept.")

        return run

    def _take_back(self, found: Any, bucket: str, key: str, before: Any, versions: list[Any]) -> None:
        if before is None:
            found["objects"].pop(key, None)
        else:
            found["objects"][key] = before
        if versions:
            self._s3._object_versions[(bucket, key)] = versions
        else:
            self._s3._object_versions.pop((bucket, key), None)

    def _refuse(self, bucket: str, key: str, why: str) -> Any:
        if self._clock() - self._said_at >= _SAY_SECONDS:
            self._said_at = self._clock()
            logger.error("the disk below %s is full: objects are refused (%s)", self._s3.DATA_DIR, why)
        message = (
            f"The disk of the local cloud is full: {why}. Free some of it; the request may then be repeated."
        )
        return self._s3._error("ServiceUnavailable", message, 503, f"/{bucket}/{key}")


def _write(name: str, data: bytes) -> None:
    file = os.open(name, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        left = memoryview(data)
        while left:
            left = left[os.write(file, left) :]
    finally:
        os.close(file)


def free_bytes(folder: str) -> int:
    """Free bytes of the disk that has this folder."""
    found = os.statvfs(folder)
    return found.f_bavail * found.f_frsize


def install() -> None:
    """Make MiniStack use it. `expire.install` has checked the version."""
    from ministack.services import s3

    store = Store(s3, lambda: free_bytes(s3.DATA_DIR))
    s3._fire_s3_event_async = store.fire
    s3._persist_object = store.persist
    s3._read_body = store.reading(s3._read_body)
    s3._persist_displaced_version = store.displacing(s3._persist_displaced_version)
    s3._put_object = store.keeping(s3._put_object, lambda bucket, key, body, headers: len(body))  # noqa: ARG005
    for name in ("_copy_object", "_complete_multipart_upload", "_upload_part"):
        setattr(s3, name, store.keeping(getattr(s3, name), lambda *_, **__: 0))
