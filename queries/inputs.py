"""What the lake holds for report partitions: the fingerprint by which a lost notification is found out."""

from collections.abc import Sequence
from hashlib import sha256

from queries.contracts import Report
from queries.hours import ranges
from queries.lake_index import LakeIndex
from queries.ledger import Input
from queries.partitions import input_hours


def read_inputs(lake: LakeIndex, report: Report, partitions: Sequence[str]) -> dict[str, Input]:
    """List the hours that these partitions read, and sum them up for each partition."""
    hours: dict[str, Input] = {}
    for first, last in ranges(input_hours(report, partitions)):
        hours |= lake.hours(report.source, first, last)
    return {partition: combine(report, partition, hours) for partition in partitions}


def combine(report: Report, partition: str, hours: "dict[str, Input]") -> Input:
    """The partition's input, from that of the table's hours."""
    found = [(name, hours[name]) for name in input_hours(report, [partition]) if name in hours]
    if not found:
        return Input()
    digest = sha256("\n".join(f"{name}|{one.digest}" for name, one in found).encode()).hexdigest()[:20]
    return Input(
        objects=sum(one.objects for _, one in found),
        bytes=sum(one.bytes for _, one in found),
        newest=max(one.newest for _, one in found),
        digest=digest,
    )
