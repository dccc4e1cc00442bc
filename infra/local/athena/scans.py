"""A table of the catalog as a view of DuckDB: objects linked into the sandbox, columns cast to the table's types."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pyarrow as pa

from infra.local.athena import text_files
from infra.local.athena.errors import QueryError
from infra.local.athena.file_types import is_read_as
from infra.local.athena.footers import Footer, Footers
from infra.local.athena.glue_catalog import GlueCatalog
from infra.local.athena.layout import Layout
from infra.local.athena.objects import Local, ObjectCache, StoredObject, download
from infra.local.athena.partitions import PartitionObjects, find_objects
from infra.local.athena.sandbox import Sandbox
from infra.local.athena.sql.tables import Scan, TableColumn
from infra.local.athena.sql.tree import Sql, build, join, quoted, text
from infra.local.athena.sql.types import Type

Guard = Callable[[int], None]
"""Called with the bytes scanned so far; raises when they are too many."""


@dataclass(frozen=True)
class _File:
    path: Path
    stored: StoredObject
    footer: Footer


@dataclass
class Reader:
    """Puts tables in place for one execution.

    Attributes:
        local: gives objects that lie on this machine.
        bytes_scanned: of the objects' column chunks that the query needs (of whole objects where they are text).
    """

    sandbox: Sandbox
    cache: ObjectCache
    footers: Footers
    catalog: GlueCatalog
    s3: Any
    now: datetime
    guard: Guard = lambda _: None
    local: Local = lambda _: None
    bytes_scanned: int = 0

    def place(self, scan: Scan, sql: str) -> None:
        """Create the view that the compiled query, whose text is given, calls `scan.name`. Raises QueryError."""
        layout: Layout = scan.table.handle
        columns = scan.offered(sql)
        partitions = find_objects(layout, scan.domains, self.catalog, self.s3, self.now)
        files = self._local(scan, layout, partitions)
        groups: dict[str, list[_File]] = {}
        for file in files:
            groups.setdefault(_shape(file.footer, columns), []).append(file)
        selects = [self._select(columns, layout, group) for group in groups.values()] or [_empty(columns)]
        self.sandbox.create_view(scan.name, join(" UNION ALL ", selects))

    def _local(self, scan: Scan, layout: Layout, partitions: Sequence[PartitionObjects]) -> list[_File]:
        """The objects as files of the sandbox; a partition's values are in its folder's name."""
        root = self.sandbox.folder / scan.name
        wanted: list[tuple[str, Callable[[Path], None], Path]] = []
        placed: list[tuple[str, Path, StoredObject]] = []
        for partition in partitions:
            place = root.joinpath(*(f"p{i}={_encoded(v)}" for i, v in enumerate(partition.values.values())))
            place.mkdir(parents=True, exist_ok=True)
            for stored in partition.objects:
                name, make = self._copy(layout, stored)
                target = place / f"{len(placed)}.parquet"
                wanted.append((name, make, target))
                placed.append((name, target, stored))
        self.cache.link_all(wanted)
        needed = [(ref.column, *ref.path) for ref in scan.needed]
        files = []
        for name, target, stored in placed:
            footer = self.footers.read(name, target, stored.address)
            self.bytes_scanned += footer.bytes_of(needed) if layout.format == "parquet" else stored.size
            files.append(_File(target, stored, footer))
        self.guard(self.bytes_scanned)
        return files

    def _copy(self, layout: Layout, stored: StoredObject) -> tuple[str, Callable[[Path], None]]:
        name = f"{stored.etag}-{stored.size}"
        make = download(self.s3, stored, self.local)
        if layout.format == "parquet":
            return f"{name}.parquet", make
        return f"{name}-{text_files.fingerprint(layout)}.parquet", text_files.converted(layout, stored, make)

    def _select(self, columns: Sequence[TableColumn], layout: Layout, files: Sequence[_File]) -> Sql:
        partition_names = [name for name, _ in layout.partitions]
        schema = {field.name.lower(): field for field in files[0].footer.schema}
        listed, with_path = [], False
        for column in columns:
            if column.hidden:
                with_path = True
                listed.append(build("m.address AS {}", quoted(column.name)))
            elif column.partition:
                stored = build("t.p{}", partition_names.index(column.name))
                listed.append(build("CAST({} AS {}) AS {}", stored, column.type.duck, quoted(column.name)))
            else:
                value = _column(schema.get(column.name), column.type, files[0].stored.address)
                listed.append(build("{} AS {}", value, quoted(column.name)))
        source = _read(files, len(partition_names), with_path=with_path)
        return build("SELECT {} FROM {}", join(", ", listed) if listed else build("1 AS one"), source)


def _read(files: Sequence[_File], partitions: int, *, with_path: bool) -> Sql:
    options = [build("[{}]", join(", ", (text(str(file.path)) for file in files)))]
    options.append(build("hive_partitioning = {}", "true" if partitions else "false"))
    if partitions:
        types = (build("{}: VARCHAR", text(f"p{i}")) for i in range(partitions))
        options.append(build("hive_types = {}", Sql(("{", join(", ", types), "}"))))
    if not with_path:
        return build("read_parquet({}) AS t", join(", ", options))
    options.append(build("filename = true"))
    known = (build("({}, {})", text(str(f.path)), text(f.stored.address)) for f in files)
    return build(
        "read_parquet({}) AS t JOIN (VALUES {}) AS m(path, address) ON t.filename = m.path",
        join(", ", options),
        join(", ", known),
    )


def _encoded(value: str | None) -> str:
    return "__HIVE_DEFAULT_PARTITION__" if value is None else quote(value, safe="")


def _shape(footer: Footer, columns: Sequence[TableColumn]) -> str:
    """Files with the same shape can be read by one SELECT."""
    return "|".join(f"{c.name}:{footer.types[c.name]}" for c in columns if c.name in footer.types)


def _empty(columns: Sequence[TableColumn]) -> Sql:
    listed = [build("CAST(NULL AS {}) AS {}", c.type.duck, quoted(c.name)) for c in columns]
    return build("SELECT {} WHERE false", join(", ", listed) if listed else build("1 AS one"))


def _column(field: pa.Field | None, of: Type, address: str) -> Sql:
    """A file's column as the table's type; NULL where the file has none.

    Raises QueryError HIVE_BAD_DATA for a type that Athena does not read as the declared one.
    """
    if field is None:
        return build("CAST(NULL AS {})", of.duck)
    if not is_read_as(field.type, of):
        raise QueryError(
            "HIVE_BAD_DATA",
            f"Field {field.name}'s type {str(field.type).upper()} in parquet file {address} is incompatible "
            f"with type {of} defined in table schema",
        )
    return _as_declared(build("t.{}", quoted(field.name)), field.type, of)


def _as_declared(sql: Sql, given: pa.DataType, of: Type) -> Sql:
    if _is_stored_as(given, of):
        return sql
    if of.name == "row" and pa.types.is_struct(given):
        inner = {given.field(i).name.lower(): given.field(i) for i in range(given.num_fields)}
        parts = []
        for name, wanted in zip(of.stored_names, of.of, strict=True):
            part = inner.get(name)
            value = (
                _as_declared(build("{}.{}", sql, quoted(part.name)), part.type, wanted)
                if part is not None
                else build("CAST(NULL AS {})", wanted.duck)
            )
            parts.append(build("{} := {}", quoted(name), value))
        return build("CASE WHEN {} IS NULL THEN NULL ELSE struct_pack({}) END", sql, join(", ", parts))
    if of.name == "timestamp" and pa.types.is_timestamp(given) and given.tz:
        return build("timezone('UTC', {})", sql)
    if of.name == "char":
        return build("rpad({}, {}, ' ')", sql, of.args[0])
    if of.name == "varchar" and of.args:
        return build("left({}, {})", sql, of.args[0])
    return build("CAST({} AS {})", sql, of.duck)


def _is_stored_as(given: pa.DataType, of: Type) -> bool:
    """Whether DuckDB reads this file type as the declared type without a cast."""
    if of.name in ("array", "map", "row"):
        if of.name == "array":
            return pa.types.is_list(given) and _is_stored_as(given.value_type, of.of[0])
        if of.name == "map":
            return pa.types.is_map(given) and all(
                map(_is_stored_as, (given.key_type, given.item_type), of.of)
            )
        return (
            pa.types.is_struct(given)
            and [given.field(i).name for i in range(given.num_fields)] == list(of.stored_names)
            and all(_is_stored_as(given.field(i).type, inner) for i, inner in enumerate(of.of))
        )
    if of.name == "timestamp":
        return pa.types.is_timestamp(given) and given.tz is None and given.unit in ("ms", "us")
    if of.name == "decimal":
        return pa.types.is_decimal(given) and (given.precision, given.scale) == (of.precision, of.scale)
    if of.is_text and of.args:
        return False  # what a file holds may be longer or shorter
    return {
        "boolean": "bool", "tinyint": "int8", "smallint": "int16", "integer": "int32", "bigint": "int64", "real": "float",
        "double": "double", "varchar": "string", "varbinary": "binary", "date": "date32[day]",
    }.get(of.name) == str(given)  # fmt: skip
