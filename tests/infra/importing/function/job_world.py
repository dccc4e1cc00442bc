"""A job's import over buckets in memory: the real steps, the machine's real definition and the real importer."""

import hashlib
import io
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from infra.importing.function.importer import Importer
from infra.importing.function.places import FileGoneError, OverwrittenError, Places
from producers.sources.definition import SourceDefinition
from producers.sources.reader import SourceReader
from queries.jobs.import_plan import INBOX, ImportFile
from queries.jobs.imports import PlannedImports
from queries.jobs.state import Import, Job
from tests.infra.importing.world import HEAD, Bucket
from tests.queries.jobs.world import World
from transforms.contracts import LakeTable
from transforms.failed.bucket import ObjectName
from transforms.gate.gate import Gate
from transforms.importing.rows import RowMaker

OF_DELIVERY = ["source", "producer_id", "epoch", "seq", "arrival_time", "is_late"]


class LakeBucket(Bucket):
    """The lake bucket, with the inbox in it."""

    def part(self, key: str, start: int, end: int) -> bytes:
        self.before()
        return self.bodies[key][start:end]

    def fetch(self, file: ImportFile, path: Path) -> None:
        self.before()
        body = self.bodies.get(file.key)
        if body is None or tag_of(body) != file.tag:
            raise FileGoneError("It was changed.")
        path.write_bytes(body)

    def names(self, prefix: str) -> Iterator[ObjectName]:
        return iter([replace(name, tag=tag_of(self.bodies[name.key])) for name in super().names(prefix)])

    def put_over(self, key: str, data: bytes, tag: str) -> str:
        self.before()
        if (tag_of(self.bodies[key]) if key in self.bodies else "") != tag:
            raise OverwrittenError(key)
        self.bodies[key] = data
        self.before()
        return tag_of(data)


def tag_of(body: bytes) -> str:
    return hashlib.md5(body).hexdigest()


class MemoryStore:
    """An `ImportStore` over two buckets."""

    def __init__(self, lake: Bucket, plans: Bucket) -> None:
        self._lake, self._plans = lake, plans

    def files(self, prefix: str) -> Iterator[ImportFile]:
        for key in sorted(self._lake.bodies):
            if key.startswith(prefix) and self._lake.bodies[key]:
                body = self._lake.bodies[key]
                yield ImportFile(key, tag_of(body), len(body))

    def read(self, key: str) -> bytes:
        return self._plans.bodies[key]

    def write(self, key: str, body: bytes) -> None:
        self._plans.bodies[key] = body


class Imports:
    """One deployment's imports: by jobs, and as the command does them."""

    def __init__(
        self, scratch: Path, sources: Mapping[str, SourceDefinition], tables: Mapping[str, LakeTable]
    ) -> None:
        self.lake, self.plans = LakeBucket(), Bucket()
        self.notified: list[str] = []
        self.corrections: list[tuple[int, Sequence[str]]] = []
        self.scratch = scratch
        self.places = Places(
            self.lake,
            self.plans,
            sources,
            tables,
            lambda table: RowMaker(table, Gate(table, key_id="k1", key=b"k" * 32)),
            self.notified.extend,
            clock=lambda: 1_796_000_000_000,
            scratch=scratch,
        )
        imports = PlannedImports(
            MemoryStore(self.lake, self.plans), inbox=f"s3://lake/{INBOX}", sources=list(sources)
        )
        self.importer = Importer(self.places, lambda count, rows: self.corrections.append((count, rows)))
        self.world = World(imports=imports, work=self.importer.work)

    def put(self, files: Mapping[str, bytes]) -> None:
        """Copy files into the inbox."""
        for name, body in files.items():
            self.lake.bodies[f"{INBOX}{name}"] = body

    def start(self, prefix: str, source: str, key: str = "key") -> Job:
        """Ask for an import."""
        return self.world.asking.start("somebody", key, Import(prefix=prefix, source=source)).job

    def run(self, prefix: str, source: str, key: str = "key") -> Job:
        """Ask for an import, and let it happen."""
        return self.world.run(self.start(prefix, source, key).job_id)

    def command(self, source: str, files: Mapping[str, bytes], head: Mapping[str, Any] = HEAD) -> None:
        """Import these as `penstock import` does."""
        definition = self.places.sources[source]
        folder = self.scratch / "files"
        folder.mkdir()
        paths = []
        for name, body in files.items():
            path = folder / Path(name).name
            path.write_bytes(body)
            paths.append(str(path))
        with SourceReader(definition, self.places.table_of(definition).stream) as reader:
            self.places.session(definition, self.scratch / "command").run(reader, source, paths, head)

    def objects(self, prefix: str) -> dict[str, Any]:
        """Key to what the object's rows say, without who sent them and when; audits are left out."""
        found = {}
        for key, body in sorted(self.lake.bodies.items()):
            if key.startswith(prefix):
                rows = pq.read_table(io.BytesIO(body))
                if rows.column("event_type").to_pylist() != ["producer_audited"]:
                    found[key] = rows.drop_columns(OF_DELIVERY)
        return found


def killed_at(bucket: Bucket, call: int, error: Callable[[], BaseException]) -> None:
    """Have the process end at this call of the bucket."""

    def end() -> None:
        raise error()

    called_at(bucket, call, end)


def called_at(bucket: Bucket, call: int, does: Callable[[], None]) -> None:
    """Have this happen once, at this call of the bucket."""
    calls = iter(range(1, call + 1))

    def before() -> None:
        if next(calls, None) is None:
            bucket.before = lambda: None
            does()

    bucket.before = before
