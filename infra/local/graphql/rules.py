"""Who may use which field: what the directives of the schema say, and whom it lets in (pure)."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from graphql import DirectiveNode, GraphQLObjectType, GraphQLSchema, ListValueNode, StringValueNode

POOL, IAM = "AMAZON_COGNITO_USER_POOLS", "AWS_IAM"
_MODES = {"aws_cognito_user_pools": POOL, "aws_iam": IAM}


@dataclass(frozen=True)
class Caller:
    """Who asks.

    Attributes:
        mode: the authentication type by which the caller was known.
        name: the user's `sub`, or the principal's ARN.
        groups: of the user pool.
        identity: the caller as functions receive it.
    """

    mode: str
    name: str
    groups: frozenset[str] = frozenset()
    identity: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Rule:
    """Authentication types that may use a field; for the user pool, the groups that may (None for all)."""

    modes: Mapping[str, frozenset[str] | None]

    def lets_in(self, caller: Caller) -> bool:
        """Whether the caller may use the field."""
        if caller.mode not in self.modes:
            return False
        groups = self.modes[caller.mode]
        return groups is None or bool(groups & caller.groups)


Rules = Mapping[tuple[str, str], Rule]
"""(type, field) -> its rule."""


def rules_of(schema: GraphQLSchema, default: str) -> Rules:
    """The rules of every field. Without a directive on it or its type, only the `default` mode may use it."""
    found = {}
    for kind in schema.type_map.values():
        if not isinstance(kind, GraphQLObjectType) or kind.name.startswith("__"):
            continue
        of_type = _modes([each for node in (kind.ast_node, *kind.extension_ast_nodes) if node
                          for each in node.directives])  # fmt: skip
        for name, each in kind.fields.items():
            own = _modes(each.ast_node.directives if each.ast_node else ())
            found[kind.name, name] = Rule(own or of_type or {default: None})
    return found


def _modes(directives: Any) -> dict[str, frozenset[str] | None]:
    return {
        _MODES[each.name.value]: _groups(each) for each in directives if each.name.value in _MODES
    }  # fmt: skip


def _groups(directive: DirectiveNode) -> frozenset[str] | None:
    for argument in directive.arguments:
        if isinstance(argument.value, ListValueNode):
            values = argument.value.values
            return frozenset(each.value for each in values if isinstance(each, StringValueNode))
    return None
