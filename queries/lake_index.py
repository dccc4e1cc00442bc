"""The port to what the lake holds: its objects by hour."""

from collections.abc import Mapping
from typing import Protocol

from queries.ledger import Input


class LakeIndex(Protocol):
    """Lists lake tables; the listing is strongly consistent."""

    def hours(self, table: str, first: str = "", last: str = "9999") -> Mapping[str, Input]:
        """Every hour from `first` to `last` (inclusive) of the table that has objects, and what it has."""
        ...
