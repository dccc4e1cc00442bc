"""The classes that the validator decodes into and encodes from: an event, and its lake row.

The event's class is the contract's with two differences, both for speed: the patterns of the envelope are
checked by the validator, and the payload has room for its derived fields. The payload object itself goes
into the row; only the envelope is copied. Our members that a producer wrote are overwritten or never read.
"""

from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property, partial
from types import NoneType
from typing import Annotated, Any, Literal, Union, get_args, get_type_hints

import msgspec
from msgspec import Meta, Struct, defstruct

from producers.contracts import AUDIT_TYPE, Event, EventType, Payload
from transforms.contracts import LakeTable, field_extra, payload_column
from transforms.gate.lengths import fixed_growth, measurable, spoken_defaults

_CHECKED_ELSEWHERE: Mapping[str, Any] = {
    "event_id": Annotated[str, Meta(min_length=36, max_length=36)],
    "event_time": str,
    "source": Annotated[str, Meta(min_length=1, max_length=64)],
    "producer_id": Annotated[str, Meta(min_length=1, max_length=64)],
}
"""Fields that `transforms.gate.accept` checks faster: three patterns cost msgspec more than all else."""


class Step(Struct, frozen=True):
    """One enrichment: the value of the payload's `field` goes through `enrichment` and becomes `column`.

    Where it `replaces`, the column stands at the row's top and the field is left out of the row; else it is a
    derived field beside it in the payload. `overhead` is how many bytes names and quotes add to the JSON;
    only an `optional` field can be None.
    """

    field: str
    column: str
    enrichment: str
    replaces: bool
    overhead: int
    optional: bool


class Address(Struct, frozen=True):
    """A field that holds an address, of which the row keeps the query parameters in `kept` only.

    `derived` are the steps that start from the address as it is kept; `name` is unique in the table.
    """

    name: str
    field: str
    kept: tuple[str, ...]
    derived: tuple[Step, ...]
    optional: bool


class RowPlan(Struct, frozen=True, dict=True):
    """How events of one type and version become rows.

    Attributes:
        event_class: what records are decoded into.
        row_class: the row; positional: envelope, arrival_time, is_late, key_id, personal columns, payload.
        fixed_growth: bytes of JSON that every row has beyond its event, steps, key id and `is_late` aside.
    """

    event_type: EventType
    event_class: type[Struct]
    row_class: type[Struct]
    steps: tuple[Step, ...]
    addresses: tuple[Address, ...]
    fixed_growth: int

    @cached_property
    def writes_defaults(self) -> bool:
        """True when a row or event may be longer than what was read, for a default that is filled in."""
        return any(True for _ in spoken_defaults(self.event_type.payload))

    @cached_property
    def measurable(self) -> bool:
        """True when no row is longer than `steps` and `fixed_growth` say, whatever values a record has."""
        return measurable(self.event_type.payload)

    @property
    def is_audit(self) -> bool:
        """True for the type that alone may have sequence number 0."""
        return self.event_type.name == AUDIT_TYPE


def row_plan(table: LakeTable, event_type: EventType) -> RowPlan:
    """Build the classes and the steps of one event type."""
    steps = tuple(_steps(event_type.payload))
    column = payload_column(event_type)
    envelope = [name for name in Event.__struct_fields__ if name != "payload"]
    row_class = defstruct(
        f"{event_type.payload.__name__}Row",
        [
            *((name, Any) for name in envelope),
            *(
                (name, Any, None)
                for name in ("arrival_time", "is_late", "key_id", *table.personal_columns, column)
            ),
        ],
        tag_field="event_type",
        tag=event_type.name,
        omit_defaults=True,
        gc=False,
    )
    event_class = defstruct(
        f"{event_type.payload.__name__}Judged",
        [
            *_envelope_fields(),
            ("schema_version", Literal[event_type.version]),
            ("payload", _payload_columns(event_type.payload, steps)),
        ],
        tag_field="event_type",
        tag=event_type.name,
        kw_only=True,
        gc=False,
    )
    addresses = tuple(_addresses(event_type.payload, column, steps))
    return RowPlan(event_type, event_class, row_class, steps, addresses, fixed_growth(event_type, column))


def layers(plans: Iterable[RowPlan]) -> list[list[RowPlan]]:
    """The newest version of every type, then the second newest of those that have it, and so on.

    A tagged union holds one class per tag, so versions of one type cannot stand in the same union.
    """
    found: list[list[RowPlan]] = []
    depth: dict[str, int] = {}
    for plan in sorted(plans, key=lambda plan: -plan.event_type.version):
        level = depth.get(plan.event_type.name, 0)
        depth[plan.event_type.name] = level + 1
        if level == len(found):
            found.append([])
        found[level].append(plan)
    return found


def decoder(layer: Iterable[RowPlan]) -> msgspec.json.Decoder[Any]:
    """Decodes the events of one layer."""
    return msgspec.json.Decoder(Union[tuple(plan.event_class for plan in layer)])  # noqa: UP007


def _envelope_fields() -> Iterator[tuple[str, Any]]:
    hints = get_type_hints(Event, include_extras=True)
    for name in Event.__struct_fields__:
        if name not in ("schema_version", "payload"):
            yield name, _CHECKED_ELSEWHERE.get(name, hints[name])


def _payload_columns(payload: type[Payload], steps: tuple[Step, ...]) -> type[Struct]:
    """The payload with its derived fields. Defaults other than None are written: columns have none."""
    hints = get_type_hints(payload, include_extras=True)
    spoken = [
        (name, hints[name], msgspec.field(default_factory=partial(_same, default)))
        for name, default in spoken_defaults(payload)
    ]
    derived = [(step.column, Any, None) for step in steps if not step.replaces]
    return defstruct(
        f"{payload.__name__}Columns", [*spoken, *derived], bases=(payload,), kw_only=True, gc=False
    )


def _same(value: Any) -> Any:
    return value


def _steps(payload: type[Payload]) -> Iterator[Step]:
    hints = get_type_hints(payload, include_extras=True)
    for name in payload.__struct_fields__:
        extra, optional = field_extra(hints[name]), _may_be_none(hints[name])
        if "personal" in extra:
            column = str(extra["personal"])
            yield Step(name, column, column, True, len(column) - len(name), optional)
        for column, enrichment in extra.get("derive", {}).items():
            yield Step(name, column, enrichment, False, len(f',"{column}":""'), optional)


def _addresses(payload: type[Payload], column: str, steps: tuple[Step, ...]) -> Iterator[Address]:
    hints = get_type_hints(payload, include_extras=True)
    for name in payload.__struct_fields__:
        kept = field_extra(hints[name]).get("query")
        if kept is not None:
            derived = tuple(step for step in steps if step.field == name and not step.replaces)
            yield Address(f"{column}_{name}", name, tuple(kept), derived, _may_be_none(hints[name]))


def _may_be_none(hint: Any) -> bool:
    return hint in (None, NoneType, Any) or any(map(_may_be_none, get_args(hint)))
