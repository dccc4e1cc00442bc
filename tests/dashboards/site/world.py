"""The shop's reports as published files, its dashboards as they are declared, and a bucket in memory."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from dashboards.preview.charts import vega
from dashboards.site.building import compiled_charts
from dashboards.site.charts import CompiledCharts
from dashboards.site.drawing import Declared
from dashboards.site.places import LATEST
from dashboards.site.publishing import MovedError
from dashboards.site.tables import File
from tests.dashboards import rows
from tests.shop import DASHBOARDS, REPORTS

READ_AT = int(rows.NOW.timestamp() * 1000)


class PartitionFiles:
    """`Files`: one of Parquet for each partition."""

    def __init__(self, published: rows.Rows, folder: Path) -> None:
        self.files: dict[str, list[File]] = {}
        for report, entries in published.items():
            grain = REPORTS[report].grain
            parts = defaultdict(list)
            for entry in entries:
                parts[entry[grain]].append({name: value for name, value in entry.items() if name != grain})
            for partition, found in parts.items():
                path = folder / f"{report}-{partition}.parquet"
                pq.write_table(pa.Table.from_pylist(found), path)
                self.files.setdefault(report, []).append(File(partition, path))

    def of(self, report: str, partitions: Sequence[str] | None) -> Sequence[File]:
        return [each for each in self.files[report] if partitions is None or each.partition in partitions]


class Bucket:
    """`Store` and `Objects`. `ends_at` is the number of the write that ends the process instead."""

    def __init__(self, ends_at: int = 0) -> None:
        self.objects: dict[str, bytes] = {}
        self.writes, self.moves, self.ends_at = 0, 0, ends_at

    def get(self, key: str) -> bytes | None:
        return self.objects.get(key)

    def put(self, objects: Mapping[str, bytes]) -> None:
        for key, body in objects.items():
            self._write()
            self.objects[key] = body

    def latest(self) -> tuple[bytes | None, str]:
        return self.objects.get(LATEST), str(self.moves or "")

    def move(self, body: bytes, tag: str) -> None:
        if tag != str(self.moves or ""):
            raise MovedError
        self._write()
        self.moves += 1
        self.objects[LATEST] = body

    def _write(self) -> None:
        self.writes += 1
        if self.writes == self.ends_at:
            raise KeyboardInterrupt


def declarations() -> Mapping[str, Declared]:
    """The shop's dashboards, with charts that were compiled once."""
    charts = CompiledCharts(compiled_charts(REPORTS, DASHBOARDS, vega))
    return {name: Declared(each, REPORTS, charts) for name, each in DASHBOARDS.items()}


def without(answer: dict[str, Any], *names: str) -> dict[str, Any]:
    """An answer without some of its members."""
    return {name: value for name, value in answer.items() if name not in names}
