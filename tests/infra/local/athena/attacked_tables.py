"""Tables whose catalog entry, folders and files are hostile: names, types, partition values, properties, contents."""

import io
import json
import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from tests.infra.local.athena.attacks import hostile

_LIBRARIES = {
    "parquet": "org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe",
    "json": "org.openx.data.jsonserde.JsonSerDe",
    "csv": "org.apache.hadoop.hive.serde2.OpenCSVSerde",
    "text": "org.apache.hadoop.hive.serde2.lazy.LazySimpleSerDe",
}


@dataclass
class HostileTable:
    """A Glue table with its registered partitions and its objects by key."""

    entry: dict[str, Any]
    objects: dict[str, bytes]
    partitions: list[dict[str, Any]] = field(default_factory=list)


def hostile_tables(seed: int, count: int) -> Iterator[HostileTable]:
    """Always the same for a seed."""
    chance = random.Random(seed)
    for _ in range(count):
        kind = chance.choice(("parquet", "parquet", "json", "csv", "text"))
        column, inner, value = (hostile(chance).replace("\0", "") for _ in range(3))
        column = column.lower()
        struct = "".join(c for c in inner.lower() if c.isalnum() or c in "_$") or "x"
        content = _content(kind, chance, column, inner, struct)
        entry: dict[str, Any] = {
            "DatabaseName": "db", "Name": "t", "Parameters": {}, "PartitionKeys": [],
            "StorageDescriptor": {
                "Location": "s3://lake/t/", "Columns": [{"Name": column, "Type": chance.choice(("string", "bigint"))},
                {"Name": "s", "Type": f"struct<`{inner.replace('`', '')}`:string,{struct}:string>"}],
                "SerdeInfo": {"SerializationLibrary": _LIBRARIES[kind], "Parameters": {
                    "field.delim": hostile(chance), "separatorChar": ",", "serialization.null.format": hostile(chance)}},
            },
        }  # fmt: skip
        table = HostileTable(entry, {f"t/{hostile(chance)}/1": content, "t/1": content})
        if chance.random() < 0.5:
            _partition(table, chance, column, value, content)
        yield table


def _content(kind: str, chance: random.Random, column: str, inner: str, struct: str) -> bytes:
    if kind == "parquet":
        out = io.BytesIO()
        rows = {column: [hostile(chance)], "s": [{inner: hostile(chance), struct: "1"}]}
        pq.write_table(pa.table(rows), out)
        return out.getvalue()
    if kind == "json":
        return json.dumps({column: hostile(chance), "s": {inner: hostile(chance)}}).encode() + b"\n"
    return f"{hostile(chance)},{hostile(chance)}\n".encode()


def _partition(table: HostileTable, chance: random.Random, name: str, value: str, content: bytes) -> None:
    table.entry["PartitionKeys"] = [{"Name": f"p{name}", "Type": "string"}]
    table.objects = {f"t/x={value}/1": content}
    if chance.random() < 0.5:
        location = {"Location": f"s3://lake/t/x={value}/"}
        table.partitions = [{"Values": [value], "StorageDescriptor": location}]
        return
    value = value.replace(",", "")
    table.objects = {f"t/x={value}/1": content}
    table.entry["Parameters"] = {
        "projection.enabled": "true",
        f"projection.p{name}.type": "enum",
        f"projection.p{name}.values": f"{value},../../etc/passwd",
        "storage.location.template": "s3://lake/t/x=" + value,
    }


@dataclass
class Bucket:
    """What the reader asks of S3, over objects in memory."""

    objects: Mapping[str, bytes]

    def list_objects_v2(self, *, Bucket: str, Prefix: str, **_: Any) -> dict[str, Any]:  # noqa: N803
        found = sorted(key for key in self.objects if key.startswith(Prefix))
        return {
            "Contents": [
                {"Key": k, "ETag": f"e{abs(hash(self.objects[k]))}", "Size": len(self.objects[k])}
                for k in found
            ]
        }

    def get_object(self, *, Bucket: str, Key: str) -> dict[str, Any]:  # noqa: N803
        body = self.objects[Key]

        class Body:
            def iter_chunks(self, _: int) -> list[bytes]:
                return [body]

        return {"Body": Body()}
