"""What a mutation's document selects of its result: that, and no more, is sent to subscribers (pure)."""

from collections.abc import Iterable, Iterator
from typing import Any

from graphql import FieldNode, FragmentSpreadNode, GraphQLResolveInfo, InlineFragmentNode, SelectionSetNode
from graphql.execution.collect_fields import should_include_node


def selected(value: Any, info: GraphQLResolveInfo) -> Any:
    """The result of the field that is being resolved, with the fields that its document names."""
    return _selected(value, info.field_nodes, info)


def _selected(value: Any, nodes: Iterable[FieldNode], info: GraphQLResolveInfo) -> Any:
    if isinstance(value, list):
        return [_selected(each, nodes, info) for each in value]
    if not isinstance(value, dict):
        return value
    by_name: dict[str, list[FieldNode]] = {}
    for node in nodes:
        for each in _fields(node.selection_set, info):
            by_name.setdefault(each.name.value, []).append(each)
    if not by_name:
        return value  # a scalar, AWSJSON for example
    return {name: _selected(value.get(name), found, info) for name, found in by_name.items()}


def _fields(selection_set: SelectionSetNode | None, info: GraphQLResolveInfo) -> Iterator[FieldNode]:
    for each in selection_set.selections if selection_set else ():
        if not should_include_node(info.variable_values, each):
            continue
        if isinstance(each, FieldNode):
            yield each
        elif isinstance(each, FragmentSpreadNode):
            yield from _fields(info.fragments[each.name.value].selection_set, info)
        elif isinstance(each, InlineFragmentNode):
            yield from _fields(each.selection_set, info)


def names(nodes: Iterable[FieldNode], info: GraphQLResolveInfo, prefix: str = "") -> Iterator[str]:
    """Paths of all fields below these, as functions receive them: `a`, `a/b`."""
    for node in nodes:
        for each in _fields(node.selection_set, info):
            path = prefix + each.name.value
            yield path
            yield from names([each], info, f"{path}/")
