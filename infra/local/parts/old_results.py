"""Deletes old results of queries: the template's lifecycle counts days, and a local cloud runs for hours.

Every refresh of a report leaves files that nobody reads again. On AWS the results bucket's lifecycle deletes
them; here it is an age. The same goes for copies of objects that
no query has read since.
"""

import asyncio
import contextlib
import logging
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError
from starlette.concurrency import run_in_threadpool

from infra.local.files import read_json
from infra.local.parts.background import Background
from infra.local.parts.context import LocalContext

KEPT_SECONDS = 600.0
EVERY_SECONDS = 30.0
OUTPUT = "ResultsBucket"
"""The stack output that names the bucket."""

logger = logging.getLogger(__name__)


class OldResults(Background):
    """Deletes what is older than `kept_seconds`, in the bucket and in the folders of local copies.

    A file's age is since it was written or, in the cache of objects, last read by a query.
    """

    def __init__(
        self,
        context: LocalContext,
        folders: Sequence[Path],
        kept_seconds: float = KEPT_SECONDS,
        now: Callable[[], float] = time.time,
    ) -> None:
        super().__init__()
        self._context, self._folders, self._kept, self._now = context, folders, kept_seconds, now

    async def _run(self) -> None:
        while True:
            await asyncio.sleep(EVERY_SECONDS)
            try:
                await run_in_threadpool(self.delete)
            except (ClientError, BotoCoreError, OSError) as error:
                logger.warning("old results could not be deleted: %s", error)

    def delete(self) -> int:
        """Delete what is too old now; how many files and objects it was. Raises ClientError, OSError."""
        before, deleted = self._now() - self._kept, 0
        for file in (file for folder in self._folders for file in folder.glob("*")):
            with contextlib.suppress(FileNotFoundError):
                if file.stat().st_mtime < before:
                    file.unlink()
                    deleted += 1
        bucket = self._bucket()
        if bucket is None:
            return deleted
        s3 = self._context.client("s3")
        for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket):
            old = [each for each in page.get("Contents", ()) if each["LastModified"].timestamp() < before]
            if old:
                keys: list[Any] = [{"Key": each["Key"]} for each in old]
                s3.delete_objects(Bucket=bucket, Delete={"Objects": keys, "Quiet": True})
                deleted += len(keys)
        return deleted

    def _bucket(self) -> str | None:
        outputs = read_json(self._context.paths.outputs) or {"stacks": {}}
        found = (stack["outputs"].get(OUTPUT) for stack in outputs["stacks"].values())
        return next((name for name in found if name), None)
