"""Where the importer finds and keeps what it works on."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from botocore.exceptions import ClientError

from infra.importing.here import Here
from infra.importing.session import Places as LakePlaces
from infra.importing.session import Session
from producers.sources.definition import SourceDefinition
from queries.jobs.import_plan import ImportFile
from transforms.contracts import LakeTable
from transforms.failed.bucket import Objects
from transforms.failed.s3_bucket import S3Objects
from transforms.importing.rows import RowMaker, Sender
from transforms.importing.writing import PartWriter

_GONE = frozenset({"PreconditionFailed", "NoSuchKey", "AccessDenied", "403", "404", "412"})
"""What is not there is refused to whoever may not list the bucket."""
_OVERWRITTEN = frozenset({"PreconditionFailed", "ConditionalRequestConflict", "NoSuchKey"})


class FileGoneError(Exception):
    """A file of the inbox is not what it was when the job was planned."""


class OverwrittenError(RuntimeError):
    """An object is not the one that was to be replaced: somebody else has written it."""


class Files(Objects, Protocol):
    """The lake bucket, with what only the importer asks of it."""

    def part(self, key: str, start: int, end: int) -> bytes:
        """The object's bytes from `start` to before `end`."""
        ...

    def fetch(self, file: ImportFile, path: Path) -> None:
        """Write a file of the inbox to the disk. Raises FileGoneError."""
        ...

    def put_over(self, key: str, data: bytes, tag: str) -> str:
        """Write the object in place of the one with this tag, or of none (""); its tag is returned.

        Raises OverwrittenError.
        """
        ...


@dataclass(frozen=True)
class Places:
    """What the importer works with.

    Attributes:
        lake, plans: the buckets.
        sources, tables: of the project, by name.
        maker: makes the one of a table.
        notify: tells the reports of new objects.
        clock: gives epoch milliseconds.
        scratch: makes a folder of its own for each chunk below this one.
    """

    lake: Files
    plans: Objects
    sources: Mapping[str, SourceDefinition]
    tables: Mapping[str, LakeTable]
    maker: Callable[[LakeTable], RowMaker]
    notify: Callable[[Sequence[str]], None]
    clock: Callable[[], int]
    scratch: Path | None = None

    def table_of(self, source: SourceDefinition) -> LakeTable:
        """The lake table that the source's events belong to."""
        return next(table for table in self.tables.values() if table.stream.name == source.stream)

    def session(self, source: SourceDefinition, folder: Path) -> Session:
        """An import as `penstock import` does it, whose state lies in the folder."""
        table = self.table_of(source)
        maker = self.maker(table)

        def pool(sender: Sender, _: int) -> Here:
            return Here(PartWriter(self.lake, table, maker, sender))

        return Session(folder, LakePlaces(self.lake, table, maker, pool, self.notify), lambda _: None)


class S3Files(S3Objects):
    """`Files` in a bucket of S3."""

    def __init__(self, client: Any, bucket: str) -> None:
        super().__init__(client, bucket)
        self._s3, self._name = client, bucket

    def part(self, key: str, start: int, end: int) -> bytes:
        """See `Files.part`."""
        asked = self._s3.get_object(Bucket=self._name, Key=key, Range=f"bytes={start}-{end - 1}")
        body: bytes = asked["Body"].read()
        return body

    def fetch(self, file: ImportFile, path: Path) -> None:
        """See `Files.fetch`."""
        try:
            body = self._s3.get_object(Bucket=self._name, Key=file.key, IfMatch=f'"{file.tag}"')["Body"]
        except ClientError as error:
            if error.response["Error"]["Code"] in _GONE:
                raise FileGoneError(
                    "It was changed or removed since the job began, or may not be read. Start another job."
                ) from error
            raise
        with path.open("wb") as written:
            for block in body.iter_chunks(1 << 20):
                written.write(block)

    def put_over(self, key: str, data: bytes, tag: str) -> str:
        """See `Files.put_over`."""
        condition = {"IfMatch": f'"{tag}"'} if tag else {"IfNoneMatch": "*"}
        try:
            put = self._s3.put_object(Bucket=self._name, Key=key, Body=data, **condition)
        except ClientError as error:
            if error.response["Error"]["Code"] in _OVERWRITTEN:
                raise OverwrittenError(
                    f"Another importer works on this chunk and has written {key}. Try the chunk again."
                ) from error
            raise
        written: str = put["ETag"].strip('"')
        return written
