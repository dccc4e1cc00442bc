"""Parquet footers: what a file's columns are, and how many bytes each takes. Read once per ETag."""

import threading
from collections import OrderedDict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from infra.local.athena.errors import QueryError

_KEPT = 20_000


@dataclass(frozen=True)
class Footer:
    """One file: rows, Arrow schema, paths of its leaf columns and their compressed bytes.

    `types` has each column's name and type as a text, by its name in lower case.
    """

    rows: int
    schema: pa.Schema
    paths: tuple[str, ...]
    sizes: tuple[int, ...]
    types: Mapping[str, str]

    def bytes_of(self, needed: Iterable[tuple[str, ...]]) -> int:
        """Bytes of the column chunks below these columns or struct fields."""
        return sum(self.sizes[at] for at in _below(self.paths, tuple(map(".".join, needed))))


@lru_cache(maxsize=256)
def _below(paths: tuple[str, ...], wanted: tuple[str, ...]) -> tuple[int, ...]:
    """Which of the paths are wanted, or lie below one that is: the same for nearly all files of a table."""
    return tuple(
        at
        for at, name in enumerate(paths)
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
        schema = metadata.schema.to_arrow_schema()
        types = {field.name.lower(): f"{field.name}:{field.type}" for field in schema}
        footer = Footer(metadata.num_rows, schema, tuple(sizes), tuple(sizes.values()), types)
        with self._lock:
            self._kept[name] = footer
            while len(self._kept) > _KEPT:
                self._kept.popitem(last=False)
        return footer
