"""The first items of an index partition are found by their order, which is kept.

MiniStack sorts and compares every item of the partition for each query. The ledger's index of what is due has
20,000 items while a year of history is computed, and a worker asks for the first 2,000 again and again.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Mapping
from typing import Any, NamedTuple

from infra.local.ministack.conditions import comparisons

_ORDERS = "kept in order"
"""Beside the indexes by name, in what MiniStack derives of a table and drops when it cannot be kept up."""
_OTHERS = ("KeyConditions", "FilterExpression", "QueryFilter", "ExclusiveStartKey", "ConsistentRead")
_BOUNDS = {"<=": bisect_right, "<": bisect_left}


class _Wanted(NamedTuple):
    """The first items of a partition: those of a query `hash = value AND range <= value`, with a limit."""

    name: str
    partition: str
    operator: str
    bound: Any
    limit: int


class OrderedIndexes:
    """Keeps the items of index partitions in order. `dynamodb` is MiniStack's module."""

    def __init__(self, dynamodb: Any) -> None:
        self._dynamodb = dynamodb
        self._query, self._members, self._index = (
            dynamodb._query,
            dynamodb._index_members,
            dynamodb._index_item,
        )
        self._wanted: _Wanted | None = None

    def query(self, data: dict[str, Any]) -> Any:
        """MiniStack's query; where it wants the first items of a partition it is shown no others."""
        self._wanted = self._first_items(data)
        try:
            return self._query(data)
        finally:
            self._wanted = None

    def members(self, table: dict[str, Any]) -> Mapping[str, Any]:
        """MiniStack's items of the indexes."""
        found: dict[str, Any] = self._members(table)
        wanted = self._wanted
        if wanted is None or wanted.partition not in found.get(wanted.name, ()):
            return found
        order = self._order(table, found, wanted)
        end = _BOUNDS[wanted.operator](order, wanted.bound, key=_range_value)
        # One more than asked for: MiniStack says whether there are more.
        first = {place: None for _, place in order[: min(end, wanted.limit + 1)]}
        return {wanted.name: {wanted.partition: first}}

    def index(self, table: dict[str, Any], pk: Any, sk: Any, item: dict[str, Any], add: bool) -> None:
        """MiniStack's change of the indexes when an item comes or goes."""
        self._index(table, pk, sk, item, add)
        orders = table.get(self._dynamodb._INDEX_MEMBERS, {}).get(_ORDERS, {})
        for (name, partition), order in orders.items():
            hashes, ranges = self._dynamodb._index_key_lists(self._dynamodb._index_def(table, name))
            if self._dynamodb._index_partition(item, hashes, ranges) != partition:
                continue
            entry = self._entry(table, ranges, (pk, sk), item)
            at = bisect_left(order, entry)
            is_there = at < len(order) and order[at] == entry
            if add and not is_there:
                order.insert(at, entry)
            elif not add and is_there:
                del order[at]

    def _order(self, table: dict[str, Any], found: dict[str, Any], wanted: _Wanted) -> list[Any]:
        orders = found.setdefault(_ORDERS, {})
        name = wanted.name, wanted.partition
        if name not in orders:
            _, ranges = self._dynamodb._index_key_lists(self._dynamodb._index_def(table, wanted.name))
            orders[name] = sorted(
                self._entry(table, ranges, (pk, sk), table["items"][pk][sk])
                for pk, sk in found[wanted.name][wanted.partition]
            )
        order: list[Any] = orders[name]
        return order

    def _entry(
        self, table: dict[str, Any], ranges: list[str], place: tuple[Any, Any], item: dict[str, Any]
    ) -> tuple[Any, ...]:
        """What MiniStack orders the item by, and where it is in the table."""
        keys = self._dynamodb._index_order_keys(table, ranges)
        return tuple(self._dynamodb._index_order_value(item, *key) for key in keys), place

    def _first_items(self, data: Mapping[str, Any]) -> _Wanted | None:
        """What the query wants, if that is the first items of a partition."""
        dynamodb = self._dynamodb
        text, index_name, limit = (data.get(key) for key in ("KeyConditionExpression", "IndexName", "Limit"))
        if not (text and index_name and limit) or any(data.get(key) for key in _OTHERS):
            return None
        table = dynamodb._tables.get(dynamodb._normalize_table_name(data.get("TableName")))
        index = dynamodb._index_def(table, index_name) if table else None
        compared = comparisons(dynamodb._tokenize(text)) if index else ()
        if len(compared) != 2 or not data.get("ScanIndexForward", True):
            return None
        named, values = (
            data.get("ExpressionAttributeNames") or {},
            data.get("ExpressionAttributeValues") or {},
        )
        (first, equals, group), (second, operator, bound) = compared
        keys = [named.get(first, first)], [named.get(second, second)]
        are_there = group in values and bound in values
        if (
            dynamodb._index_key_lists(index) != keys
            or equals != "="
            or operator not in _BOUNDS
            or not are_there
        ):
            return None
        kind = dynamodb._get_attr_type(table, *keys[1])
        return _Wanted(
            index_name,
            dynamodb._extract_key_val(values[group]),
            operator,
            dynamodb._sort_key_value(values[bound], kind),
            int(limit),
        )


def _range_value(entry: tuple[Any, ...]) -> Any:
    return entry[0][0]


def install() -> None:
    """Make MiniStack use it; after `conditions`, whose tokenizer remembers. The version is checked."""
    from ministack.services import dynamodb

    ordered = OrderedIndexes(dynamodb)
    dynamodb._query, dynamodb._index_members, dynamodb._index_item = (
        ordered.query,
        ordered.members,
        ordered.index,
    )
