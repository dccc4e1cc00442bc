"""Names of what an answer says: equal for equal content (pure)."""

import hashlib
from collections.abc import Sequence

import msgspec

from queries.contracts import Report
from queries.ledger.state import PartitionState


def digest(*parts: object) -> str:
    """32 hexadecimal digits that follow from the parts."""
    return hashlib.sha256(msgspec.json.encode(parts)).hexdigest()[:32]


def version_of(report: Report, newest: Sequence[PartitionState]) -> str:
    """Names what is published of the report, by its newest partitions."""
    published = [(state.partition, state.published.location if state.published else "") for state in newest]
    return digest(report.version, published)
