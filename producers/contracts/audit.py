"""What a producer says of its own work, in the same stream: how far its sequence went.

Without it, "nothing arrived" and "nothing was sent" look the same. Every stream carries this event type.
Its events have `seq` 0: they are about the sequence, not in it.
"""

from producers.contracts.envelope import EventType, Payload
from producers.contracts.fields import Count, Identifier


class ProducerAudited(Payload):
    """A producer has put `last_seq` events on the stream in this epoch."""

    producer: Identifier
    last_seq: Count
    closed: bool = False


PRODUCER_AUDITED = EventType(ProducerAudited, version=1, partition_key="producer")
AUDIT_TYPE = PRODUCER_AUDITED.name
