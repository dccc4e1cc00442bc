"""What every event has in common, and how an event type is declared."""

import re
from datetime import datetime
from functools import cached_property
from typing import Annotated, Any, ClassVar, Literal, cast

import msgspec
from msgspec import Meta

from producers.contracts.fields import LARGEST_INTEGER, Identifier

EventId = Annotated[
    str,
    Meta(
        pattern=r"^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\Z",
        min_length=36,
        max_length=36,
    ),
]
UtcTime = Annotated[datetime, Meta(tz=True)]


class Payload(msgspec.Struct, kw_only=True, omit_defaults=True, gc=False):
    """The part of an event that its type declares. Subclasses are one event type each.

    Unknown fields are ignored unless the class is declared with `forbid_unknown_fields=True`.
    `__event_type__` is the event type that the class was declared for.
    """

    __event_type__: ClassVar["EventType | None"] = None


class Event(msgspec.Struct, kw_only=True, tag_field="event_type", omit_defaults=True, gc=False):
    """A thing that happened: the envelope. The class of each event type adds `payload`.

    (producer_id, epoch, seq) names the event's place in what one producer sent: `seq` is gap-free from 1 in
    an epoch, so a lost event is a gap with a name. `seq` 0 is kept for the producer's own audit events.
    """

    event_id: EventId
    schema_version: Annotated[int, Meta(ge=1, le=9999)]
    event_time: UtcTime
    source: Identifier
    producer_id: Identifier
    epoch: Annotated[int, Meta(ge=0, le=LARGEST_INTEGER)]
    seq: Annotated[int, Meta(ge=0, le=LARGEST_INTEGER)]
    payload: ClassVar[Any]


ENVELOPE_FIELDS: tuple[str, ...] = ("event_type", *Event.__struct_fields__)
"""The envelope's members in the order in which they are written."""


class EventType(msgspec.Struct, frozen=True, dict=True):
    """One version of one event type.

    Attributes:
        payload: the class that declares the fields; its name in snake case is the event type's name.
        version: `schema_version` of events of this class.
        partition_key: the payload field whose value chooses the Kinesis shard.
        delivered: False for events that the transformation drops after counting them.
    """

    payload: type[Payload]
    version: int
    partition_key: str
    delivered: bool = True

    def __post_init__(self) -> None:
        if self.partition_key not in self.payload.__struct_fields__:
            raise ValueError(
                f"{self.payload.__name__} has no field {self.partition_key!r} to be its partition key "
                f"(it has: {', '.join(self.payload.__struct_fields__)})."
            )
        self.payload.__event_type__ = self

    @cached_property
    def name(self) -> str:
        """`RideEnded` is `ride_ended`; a trailing version number is not part of the name."""
        stem = re.sub(r"V?\d+$", "", self.payload.__name__)
        return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", stem).lower()

    @cached_property
    def event_class(self) -> type[Event]:
        """The class of whole events of this type and version: the envelope with this payload."""
        made = msgspec.defstruct(
            f"{self.payload.__name__}Event",
            [("schema_version", Literal[self.version]), ("payload", self.payload)],
            bases=(Event,),
            namespace={"__doc__": self.payload.__doc__},
            tag=self.name,
            kw_only=True,
            omit_defaults=True,
            gc=False,
        )
        return cast("type[Event]", made)
