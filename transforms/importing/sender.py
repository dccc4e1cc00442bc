"""Who the events of an import are from."""

from typing import NamedTuple

IMPORT_SOURCE = "import"
"""What stands as `source` in the envelope of an imported event."""


class Sender(NamedTuple):
    """An import is a producer with an epoch. `arrival_ms` is when it began."""

    producer_id: str
    epoch: int
    arrival_ms: int
