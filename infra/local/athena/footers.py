"""Parquet footers: what a file's columns are, and how many bytes each takes. Read once per ETag."""

import threading
from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from infra.local.athena.errors import QueryError

_KEPT = 20_000


@dataclass(frozen=True)
class Footer:
    """One file: rows, Arrow schema, and compressed bytes by the path of each leaf column."""

    rows: int
    schema: pa.Schema
    sizes: tuple[tuple[str, int], ...]

    def bytes_of(self, needed: Iterable[tuple[str, ...]]) -> int:
        """Bytes of the column chunks below these columns or struct fields."""
        wanted = [".".join(path) for path in needed]
        return sum(
            size
            for name, size in self.sizes
            if any(name == path or name.startswith(f"{path}.") for path in wanted)
        )


class Footers:
    """A bounded memory of footers. Thread-safe."""

    def __init__(self) -> None:
        self._kept: OrderedDict[str, Footer] = OrderedDict()
        self._lock = threading.Lock()

    def read(self, name: str, path: Path, address: str) -> Footer:
        """The footer of the local copy called `name`. Raises QueryError when the object is not Parquet file."""
        with self._lock:
            if name in self._kept:
                self._kept.move_to_end(name)
                return self._kept[name]
        try:
            metadata = pq.read_metadata(path)
        except (pa.ArrowException, OSError) as error:
            raise QueryError("HIVE_BAD_DATA", f"{address} is not a valid Parquet file: {error}") from error
        sizes: dict[str, int] = {}
        for group in range(metadata.num_row_groups):
            for index in range(metadata.num_columns):
                chunk = metadata.row_group(group).column(index)
                key = chunk.path_in_schema.lower()
                sizes[key] = sizes.get(key, 0) + chunk.total_compressed_size
        footer = Footer(metadata.num_rows, metadata.schema.to_arrow_schema(), tuple(sizes.items()))
        with self._lock:
            self._kept[name] = footer
            while len(self._kept) > _KEPT:
                self._kept.popitem(last=False)
        return footer
