"""Everything that the QuickSight service model states about a request, checked without the service.

botocore's own validator checks a third of it: no enums, patterns, upper bounds, map bounds or unions.
"""

import re
from collections.abc import Iterator
from functools import cache
from typing import Any

import botocore.session
from botocore.model import ListShape, MapShape, ServiceModel, Shape, StructureShape

from dashboards.lint.findings import Finding, JsonPath

# Members of the CloudFormation types that the API's shapes do not have.
CLOUDFORMATION_ONLY = {"DataSet": ("IngestionWaitPolicy", "DataSetRefreshProperties"), "RefreshSchedule": ()}

# Unions by neither of the model's two marks: the documentation of these says nothing.
_UNMARKED_UNIONS = frozenset({"DimensionField", "MeasureField", "TransformStep"})
_PROSE = ("union type", "variant type", "only one of the attributes")

# Python's name of what the model wants, and how people call it.
_EXPECTED: dict[str, tuple[tuple[type, ...], str]] = {
    "string": ((str,), "a string"),
    "boolean": ((bool,), "true or false"),
    "integer": ((int,), "a whole number"),
    "long": ((int,), "a whole number"),
    "double": ((int, float), "a number"),
    "float": ((int, float), "a number"),
    "structure": ((dict,), "an object"),
    "map": ((dict,), "an object"),
    "list": ((list,), "a list"),
}


@cache
def service_model() -> ServiceModel:
    """The QuickSight service model that this botocore carries."""
    return botocore.session.get_session().get_service_model("quicksight")


@cache
def unions() -> frozenset[str]:
    """Names of the structures of which exactly one member may be set, from tag, prose and our list."""
    found = set(_UNMARKED_UNIONS)
    model = service_model()
    for name in model.shape_names:
        shape = model.shape_for(name)
        if isinstance(shape, StructureShape) and len(shape.members) > 1:
            text = (shape.documentation or "").lower()
            if shape.is_tagged_union or any(mark in text for mark in _PROSE):
                found.add(name)
    return frozenset(found)


@cache
def _pattern(text: str) -> re.Pattern[str] | None:
    """The model's pattern for fullmatch; None for the few in a dialect that Python cannot compile."""
    try:
        return re.compile(text.removeprefix("^").removesuffix("$"))
    except re.error:
        return None


def check_request(operation: str, request: dict[str, Any], asset: str = "") -> tuple[Finding, ...]:
    """Findings of a whole request of `operation`, for example CreateDashboard."""
    shape = service_model().operation_model(operation).input_shape
    assert shape is not None
    return tuple(_Walk(asset).of(shape, request, ()))


def check_shape(name: str, value: Any, asset: str = "", at: JsonPath = ()) -> tuple[Finding, ...]:
    """Findings of a value against a named shape, for example DashboardVersionDefinition."""
    return tuple(_Walk(asset).of(service_model().shape_for(name), value, at))


def check_properties(type_name: str, properties: dict[str, Any], asset: str = "") -> tuple[Finding, ...]:
    """Findings of a CloudFormation resource's properties against the request that its creation makes."""
    kind = type_name.rsplit("::", 1)[-1]
    api = {key: value for key, value in properties.items() if key not in CLOUDFORMATION_ONLY.get(kind, ())}
    return check_request(f"Create{kind}", api, asset)


class _Walk:
    def __init__(self, asset: str) -> None:
        self._asset = asset

    def _found(self, rule: str, path: JsonPath, message: str, fix: str) -> Finding:
        return Finding(rule, self._asset, path, message, fix)

    def of(self, shape: Shape, value: Any, path: JsonPath) -> Iterator[Finding]:
        """Findings at and below `path`."""
        expected, name = _EXPECTED.get(shape.type_name, ((object,), "a value"))
        is_bool_as_number = isinstance(value, bool) and shape.type_name != "boolean"
        if not isinstance(value, expected) or (is_bool_as_number and shape.type_name in _EXPECTED):
            yield self._found("shape/type", path, f"{_brief(value)} is not {name}.", f"Write {name}.")
            return
        yield from self._bounds(shape, value, path)
        yield from self._inside(shape, value, path)

    def _inside(self, shape: Shape, value: Any, path: JsonPath) -> Iterator[Finding]:
        match shape:
            case StructureShape():
                yield from self._structure(shape, value, path)
            case ListShape():
                for at, entry in enumerate(value):
                    yield from self.of(shape.member, entry, (*path, at))
            case MapShape():
                for key, entry in value.items():
                    yield from self.of(shape.key, key, (*path, key))
                    yield from self.of(shape.value, entry, (*path, key))
            case _:
                yield from self._scalar(shape, value, path)

    def _structure(self, shape: StructureShape, value: dict[str, Any], path: JsonPath) -> Iterator[Finding]:
        for key in value:
            if key not in shape.members:
                known = ", ".join(shape.members)
                yield self._found("shape/unknown-member", (*path, key), f"{shape.name} has no {key!r}.",
                                  f"Use one of: {known}.")  # fmt: skip
        for key in shape.required_members:
            if key not in value:
                yield self._found("shape/missing-member", path, f"{shape.name} needs {key!r}.", "Add it.")
        if shape.name in unions():
            given = [key for key in value if key in shape.members]
            if len(given) != 1:
                shown = ", ".join(given) or "none"
                yield self._found(
                    "shape/union",
                    path,
                    f"{shape.name} takes exactly one member; given: {shown}.",
                    "Keep one.",
                )
        for key, entry in value.items():
            if key in shape.members:
                yield from self.of(shape.members[key], entry, (*path, key))

    def _bounds(self, shape: Shape, value: Any, path: JsonPath) -> Iterator[Finding]:
        size = len(value) if isinstance(value, (str, list, dict)) else value
        what = (
            "characters"
            if isinstance(value, str)
            else "entries"
            if isinstance(value, (list, dict))
            else "as value"
        )
        least, most = shape.metadata.get("min"), shape.metadata.get("max")
        if isinstance(size, bool) or not isinstance(size, (int, float)):
            return
        if least is not None and size < least:
            yield self._found("shape/too-small", path, f"{size} {what}; {shape.name} wants at least {least}.",
                              f"Give at least {least}.")  # fmt: skip
        if most is not None and size > most:
            yield self._found("shape/too-large", path, f"{size} {what}; {shape.name} takes at most {most}.",
                              f"Give at most {most}.")  # fmt: skip

    def _scalar(self, shape: Shape, value: Any, path: JsonPath) -> Iterator[Finding]:
        enum = getattr(shape, "enum", None)
        if enum and value not in enum:
            yield self._found("shape/enum", path, f"{_brief(value)} is no {shape.name}.",
                              f"Use one of: {', '.join(enum)}.")  # fmt: skip
        pattern = shape.metadata.get("pattern")
        if isinstance(value, str) and pattern and "${" not in value:
            compiled = _pattern(pattern)
            if compiled is not None and not compiled.fullmatch(value):
                yield self._found("shape/pattern", path, f"{_brief(value)} does not match {pattern}.",
                                  "Correct the characters.")  # fmt: skip


def _brief(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."
