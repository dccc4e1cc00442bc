"""Glue's partitions, found by their values and answered in pages.

MiniStack compares every partition of a table with each that is asked for, and answers GetPartitions with all
of them, whatever the expression says. Tables of some thousand hours spend most of a refresh in that.
"""

import re
import time
from collections.abc import Mapping, Sequence
from typing import Any

PAGE = 1_000
"""Partitions of one answer, as in Glue."""
_COMPARISON = re.compile(r"\s*(\w+)\s*(>=|<=|=|<|>)\s*'([^']*)'\s*")
_AND = re.compile(r"\bAND\b", re.IGNORECASE)
_TEXTS = ("string", "varchar", "char")
_HOLDS = {
    "=": lambda value, bound: value == bound,
    ">=": lambda value, bound: value >= bound,
    "<=": lambda value, bound: value <= bound,
    ">": lambda value, bound: value > bound,
    "<": lambda value, bound: value < bound,
}
Comparison = tuple[int, str, str]
"""Position of the column, operator, value."""


class _Index:
    """Positions in a table's list of partitions, which grows at its end and is replaced when it shrinks."""

    def __init__(self, listed: list[dict[str, Any]]) -> None:
        self.listed = listed
        self._count = 0
        self._by_values: dict[tuple[str, ...], dict[str, Any]] = {}

    def find(self, values: Sequence[str]) -> dict[str, Any] | None:
        """The first partition with these values."""
        for partition in self.listed[self._count :]:
            self._by_values.setdefault(tuple(partition.get("Values", ())), partition)
        self._count = len(self.listed)
        return self._by_values.get(tuple(values))


class Partitions:
    """MiniStack's operations on partitions. `glue` is its module."""

    def __init__(self, glue: Any) -> None:
        self._glue = glue
        self._indexes: dict[Any, _Index] = {}

    def get(self, data: Mapping[str, Any]) -> Any:
        """GetPartition."""
        found = self._find(_table(data), data.get("PartitionValues", []))
        if found is None:
            return self._glue.error_response_json("EntityNotFoundException", "Partition not found", 400)
        return self._glue.json_response({"Partition": found})

    def pages(self, data: Mapping[str, Any]) -> Any:
        """GetPartitions: a page of those that the expression holds of, without columns when asked."""
        listed = self._glue._partitions.get(_table(data), [])
        first = int(data.get("NextToken") or 0)
        most = min(int(data.get("MaxResults") or PAGE), PAGE)
        wanted = self._comparisons(data)
        page: list[Any] = []
        for position in range(first, len(listed)):
            if not _holds(wanted, listed[position].get("Values", ())):
                continue
            if len(page) == most:
                return self._glue.json_response({"Partitions": page, "NextToken": str(position)})
            page.append(
                _without_columns(listed[position]) if data.get("ExcludeColumnSchema") else listed[position]
            )
        return self._glue.json_response({"Partitions": page})

    def batch_get(self, data: Mapping[str, Any]) -> Any:
        """BatchGetPartition."""
        found, unknown = [], []
        for entry in data.get("PartitionsToGet", []):
            partition = self._find(_table(data), entry.get("Values", []))
            if partition is None:
                unknown.append(entry)
            else:
                found.append(partition)
        return self._glue.json_response({"Partitions": found, "UnprocessedKeys": unknown})

    def batch_create(self, data: Mapping[str, Any]) -> Any:
        """BatchCreatePartition."""
        key, errors = _table(data), []
        listed = self._glue._partitions.setdefault(key, [])
        for given in data.get("PartitionInputList", []):
            values = given.get("Values", [])
            if self._find(key, values) is not None:
                detail = {"ErrorCode": "AlreadyExistsException", "ErrorMessage": "Partition already exists"}
                errors.append({"PartitionValues": values, "ErrorDetail": detail})
            else:
                listed.append(self._made(data, given, int(time.time())))
        return self._glue.json_response({"Errors": errors})

    def batch_update(self, data: Mapping[str, Any]) -> Any:
        """BatchUpdatePartition."""
        key, errors = _table(data), []
        if key not in self._glue._tables:
            message = f"Table {data.get('TableName')} not found in {data.get('DatabaseName')}"
            return self._glue.error_response_json("EntityNotFoundException", message, 400)
        for entry in data.get("Entries", []):
            values, given = entry.get("PartitionValueList", []), entry.get("PartitionInput", {})
            found = self._find(key, values)
            if found is None:
                detail = {"ErrorCode": "EntityNotFoundException", "ErrorMessage": "Partition not found"}
                errors.append({"PartitionValueList": values, "ErrorDetail": detail})
                continue
            created = found.get("CreationTime")
            found.clear()
            found.update(self._made(data, given, created), LastAccessTime=int(time.time()))
            if list(given.get("Values", ())) != list(values):
                self._indexes.clear()
        return self._glue.json_response({"Errors": errors})

    def _made(self, data: Mapping[str, Any], given: Mapping[str, Any], created: Any) -> dict[str, Any]:
        return {
            **given,
            "DatabaseName": data.get("DatabaseName"),
            "TableName": data.get("TableName"),
            "CreationTime": created,
            "CatalogId": self._glue.get_account_id(),
        }

    def _find(self, key: str, values: Sequence[str]) -> dict[str, Any] | None:
        place = self._glue._partitions._scoped(key)
        listed = self._glue._partitions.get(key)
        if listed is None:
            self._indexes.pop(place, None)
            return None
        index = self._indexes.get(place)
        if index is None or index.listed is not listed:
            index = self._indexes[place] = _Index(listed)
        return index.find(values)

    def _comparisons(self, data: Mapping[str, Any]) -> list[Comparison]:
        """The expression, as far as it compares texts; the caller of Glue asks about the others again."""
        keys = (self._glue._tables.get(_table(data)) or {}).get("PartitionKeys", [])
        positions = {key["Name"].lower(): number for number, key in enumerate(keys) if _is_text(key)}
        found: list[Comparison] = []
        for term in _AND.split(data.get("Expression") or ""):
            match = _COMPARISON.fullmatch(term)
            if match and match[1].lower() in positions:
                found.append((positions[match[1].lower()], match[2], match[3]))
        return found if " or " not in (data.get("Expression") or "").lower() else []


def _table(data: Mapping[str, Any]) -> str:
    return f"{data.get('DatabaseName')}/{data.get('TableName')}"


def _is_text(key: Mapping[str, Any]) -> bool:
    return str(key.get("Type", "")).lower().startswith(_TEXTS)


def _holds(wanted: Sequence[Comparison], values: Sequence[str]) -> bool:
    return all(_HOLDS[operator](values[position], bound) for position, operator, bound in wanted)


def _without_columns(partition: Mapping[str, Any]) -> dict[str, Any]:
    descriptor = {
        name: value for name, value in partition.get("StorageDescriptor", {}).items() if name != "Columns"
    }
    return {**partition, "StorageDescriptor": descriptor}


def install() -> None:
    """Make MiniStack's Glue use them. `expire.install` has checked the version."""
    from ministack.services import glue

    partitions = Partitions(glue)
    glue._get_partition, glue._get_partitions = partitions.get, partitions.pages
    glue._batch_get_partition = partitions.batch_get
    glue._batch_create_partition = partitions.batch_create
    glue._batch_update_partition = partitions.batch_update
