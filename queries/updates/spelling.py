"""Names in the GraphQL schema's spelling (pure)."""

from collections.abc import Mapping
from typing import Any


def in_camel_case(found: Mapping[str, Any]) -> dict[str, Any]:
    """The members under their names in the schema."""
    return {_camel(name): value for name, value in found.items()}


def _camel(name: str) -> str:
    first, *others = name.split("_")
    return first + "".join(part.title() for part in others)
