"""Processes that write parts of an import: making rows takes a processor each."""

from collections.abc import Sequence
from concurrent.futures import Executor, Future, ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from botocore.config import Config

from infra import without_pandas
from infra.project.loading import load
from producers.contracts import FilePlace
from transforms.failed.s3_bucket import S3Objects
from transforms.gate.gate import Gate
from transforms.importing.rows import RowMaker, Sender
from transforms.importing.writing import Part, PartWriter, Written

PUTS = 4
"""Objects that a process puts at a time."""
CLIENT_CONFIG = Config(
    retries={"mode": "standard", "total_max_attempts": 5},
    # S3 checks the body against its ETag; a second checksum of every byte is CPU.
    request_checksum_calculation="when_required",
    response_checksum_validation="when_required",
    # Bucket, key and body are ours, and the check of them is a tenth of what a request costs.
    parameter_validation=False,
    # The SDK composes its own anew for every request: a seventh of what one costs.
    user_agent="penstock-import",
)


@dataclass(frozen=True)
class Setup:
    """What a process must know to write parts; sent to it over a pipe, since it holds a key.

    `project` is the project's file.
    """

    project: Path
    bucket: str
    table: str
    key_id: str
    key: bytes
    sender: Sender

    def writer(self, s3: Any) -> PartWriter:
        """A writer on this S3 client."""
        table = load(self.project).tables[self.table]
        maker = RowMaker(table, Gate(table, key_id=self.key_id, key=self.key))
        return PartWriter(S3Objects(s3, self.bucket), table, maker, self.sender, puts=PUTS)

    def __repr__(self) -> str:
        return f"Setup({self.bucket!r}, {self.table!r}, key_id={self.key_id!r})"


class Processes:
    """Writes parts in processes of its own, with AWS clients made from the environment."""

    def __init__(self, setup: Setup, count: int) -> None:
        self._pool: Executor = ProcessPoolExecutor(
            count, mp_context=get_context("spawn"), initializer=_start, initargs=(setup,)
        )

    def submit(self, parts: Sequence[Part]) -> "Future[list[Written]]":
        """Begin to write them."""
        return self._pool.submit(_write, parts)

    def replace(self, part: Part, places: Sequence[FilePlace]) -> "Future[None]":
        """Begin to replace them."""
        return self._pool.submit(_replace, part, places)

    def close(self) -> None:
        """End the processes."""
        self._pool.shutdown(cancel_futures=True)


_here: dict[str, PartWriter] = {}


def _start(setup: Setup) -> None:
    from queries.engine.aws_session import aws_session

    _here["writer"] = setup.writer(aws_session().client("s3", config=CLIENT_CONFIG))
    without_pandas.keep_out()  # now, when the project's own modules are imported


def _write(parts: Sequence[Part]) -> list[Written]:
    return _here["writer"].write(parts)


def _replace(part: Part, places: Sequence[FilePlace]) -> None:
    _here["writer"].replace(part, places)
