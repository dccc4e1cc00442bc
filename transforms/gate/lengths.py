"""By how much a row can be longer than its event, from the contract alone, enrichments aside."""

from collections.abc import Iterator
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

import msgspec
from msgspec import Struct

from producers.contracts import EventType, Payload


def fixed_growth(event_type: EventType, column: str) -> int:
    """Bytes of JSON that every row has beyond its event: `column` is where the row has the payload."""
    arrival = len(',"arrival_time":"2026-11-24T10:00:00.000Z"')
    names = len(',"is_late":') + len(',"key_id":""') + len(column) - len("payload")
    spoken = sum(
        len(f',"{name}":') + len(msgspec.json.encode(default))
        for name, default in spoken_defaults(event_type.payload)
    )
    return arrival + names + spoken


def spoken_defaults(payload: type[Payload]) -> Iterator[tuple[str, Any]]:
    """(field, default) of those that rows fill in, because columns have no defaults."""
    for field in msgspec.structs.fields(payload):
        default = field.default_factory() if callable(field.default_factory) else field.default
        if default is not None and default is not msgspec.NODEFAULT:
            yield field.name, default


def measurable(hint: Any) -> bool:
    """True when a value of this annotation is never longer in a row than in the shortest record that has it.

    Not so for a number like `1e9`, for a time, and for a nested object whose members a record may leave out.
    A map's empty names make duplicates that are too short to be seen by their length.
    """
    if get_origin(hint) is Annotated:
        return measurable(hint.__origin__)
    if get_origin(hint) is Literal or hint in (str, int, bool, NoneType):
        return True
    if isinstance(hint, type) and issubclass(hint, Struct):
        hints = get_type_hints(hint, include_extras=True)
        return _written_as_read(hint) and all(measurable(hints[name]) for name in hint.__struct_fields__)
    return get_origin(hint) in (list, Union, UnionType) and all(map(measurable, get_args(hint)))


def _written_as_read(struct: type[Struct]) -> bool:
    """False when members that a record may leave out are written."""
    config = struct.__struct_config__
    return not (config.tag or config.array_like) and all(
        field.required or (config.omit_defaults and field.default is not msgspec.NODEFAULT)
        for field in msgspec.structs.fields(struct)
    )
