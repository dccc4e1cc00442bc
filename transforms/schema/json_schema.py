r"""An event type as JSON Schema.

The pattern of a JSON Schema is an ECMAScript regular expression. The end of the text is `\Z` in Python's,
whose `$` lets a newline follow, and `$` in ECMAScript's, which reads `\Z` as the letter Z.
"""

import re
from typing import Any

import msgspec

_ESCAPED = re.compile(r"\\(.)", re.DOTALL)


def json_schema(event_class: type) -> dict[str, Any]:
    """The schema of an event class, its patterns in ECMAScript's words."""
    found: dict[str, Any] = translated(msgspec.json.schema(event_class))
    return found


def translated(value: Any) -> Any:
    """A schema with every pattern in ECMAScript's words."""
    if isinstance(value, dict):
        return {
            key: ecmascript(inner) if key == "pattern" and isinstance(inner, str) else translated(inner)
            for key, inner in value.items()
        }
    return [translated(inner) for inner in value] if isinstance(value, list) else value


def ecmascript(pattern: str) -> str:
    r"""A pattern of Python's as ECMAScript reads it: `\Z` becomes `$`, every other escape stays."""
    return _ESCAPED.sub(lambda found: "$" if found[1] == "Z" else found[0], pattern)
