"""A receipt as lines of text. Values are escaped by whoever prints them."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from queries.commands.cost import human_bytes
from queries.receipts.cell import shown
from queries.receipts.model import Comparison, ProducerRun, Receipt, Sample, Version

MOST_CHANGES = 200
"""Events of a difference that people are shown."""
_INDENT = "  "


def receipt_lines(receipt: Receipt) -> Iterator[str]:
    """The whole receipt; each line is one fact."""
    yield receipt.headline
    yield from (f"{_INDENT}{each}" for each in receipt.findings[1:])
    served = receipt.versions[0]
    yield f"report: {receipt.report} ({receipt.title}), {receipt.condition}"
    yield f"value: {value_text(served)} ({receipt.type})"
    yield from _versions(receipt)
    yield (
        f"objects read: {served.input_objects:,}, {human_bytes(served.input_bytes)}; "
        f"{len(receipt.objects):,} of them are known, {receipt.newer_objects:,} have come since"
    )
    for each in receipt.objects:
        yield f"{_INDENT}{each.url}: {each.events:,} events, written {moment(each.arrived_at)}"
    yield from _events(receipt)
    yield from _producers(receipt)
    yield from _refused(receipt)
    yield f"in flight: {in_flight(receipt)}"
    yield from (f"not looked at: {each}" for each in receipt.unknown)
    yield f"digest: {receipt.digest}"
    yield (
        f"this receipt: {receipt.statements_run} statements, {human_bytes(receipt.bytes_scanned)} scanned, "
        f"${receipt.dollars:.6f} on AWS, made {moment(receipt.made_at)}"
    )


def comparison_lines(found: Comparison) -> Iterator[str]:
    """What made the difference, event by event."""
    yield found.headline
    for version in (found.old, found.new):
        yield f"version {version.number}: {value_text(version)}, published {moment(version.published_at)}"
    if found.sql_changed:
        by_sql = shown(found.by_sql)
        yield f"SQL: changed; over the objects of version {found.old.number} the new one gives {by_sql}"
        yield from (f"{_INDENT}{line}" for line in found.sql_changes.splitlines())
    else:
        yield "SQL: the same"
    for named, count in sorted(found.counts.items()):
        yield f"events {named}: {count:,}"
    for change in found.changes[:MOST_CHANGES]:
        yield f"{_INDENT}{'+' if change.is_added else '-'} {event_line(change.event)}: {change.why}"
    if len(found.changes) > MOST_CHANGES:
        yield f"{_INDENT}and {len(found.changes) - MOST_CHANGES:,} more, all of them with --json"
    yield f"digests: {found.digests[0]} -> {found.digests[1]}"


def event_line(event: Sample) -> str:
    """One event by its names."""
    late = ", late" if event.is_late else ""
    return (
        f"{event.event_time} {event.event_type} {event.event_id} from {event.producer_id}/{event.epoch} "
        f"number {event.seq} ({event.source}{late})"
    )


def value_text(version: Version) -> str:
    """The number in a version, or why there is none."""
    if not version.value_is_kept:
        return "its files are gone"
    return shown(version.value) if version.has_row else "no such row"


def moment(milliseconds: int) -> str:
    """Epoch milliseconds as a person reads them."""
    return f"{datetime.fromtimestamp(milliseconds / 1000, UTC):%Y-%m-%d %H:%M:%S} UTC"


def sequence_line(run: ProducerRun) -> str:
    """What is known of a producer run's sequence."""
    if not run.known:
        return "its sequence was not looked at"
    far = f"up to {run.known:,}, its last audit or later" if run.is_audited else f"up to {run.known:,}"
    state = (
        "" if run.is_audited else "; it reported no total" + (" and has ended" if run.has_ended else " yet")
    )
    whole = f"lacks {run.missing}" if run.missing_count else "no gap"
    return (
        f"{whole} {far}{state}: {run.landed:,} landed, {run.failed:,} failed, {run.dropped:,} dropped, "
        f"{run.missing_count:,} in no place"
    )


def hourless(receipt: Receipt) -> str:
    """What failed or was dropped at a time that is not known."""
    return (
        f"{receipt.without_hour:,} failed records and {receipt.dropped_without_hour:,} dropped events show "
        "no time"
    )


def in_flight(receipt: Receipt) -> str:
    """How far the delivery is, and whether the lake holds more than the number has."""
    stale = f"{receipt.newer_objects:,} objects wait to be counted; " if receipt.newer_objects else ""
    if receipt.delivered_until is None:
        return f"{stale}how far the delivery is, is not known"
    return f"{stale}the lake has all that was on the streams until {moment(receipt.delivered_until)}"


def _versions(receipt: Receipt) -> Iterator[str]:
    yield f"versions: {len(receipt.versions)} kept"
    for version in receipt.versions:
        served = ", served" if version.is_served else ""
        yield (
            f"{_INDENT}{version.number}{served}: {value_text(version)}; "
            f"published {moment(version.published_at)} from the lake as of {moment(version.data_as_of)}; "
            f"run {version.run}, query execution {version.query_execution_id or 'not known'}, "
            f"{human_bytes(version.bytes_scanned)} scanned, ${version.dollars:.6f}; SQL {version.sql_sha}"
            f"{_since(version)}"
        )


def _since(version: Version) -> str:
    if version.is_served or version.came_since is None:
        return ""
    return f"; {version.came_since:,} of the events came after it, {version.late_since:,} of them late"


def _events(receipt: Receipt) -> Iterator[str]:
    if receipt.untraced:
        yield f"events: cannot be traced, because {receipt.untraced}"
        return
    yield f"events: {receipt.events:,}, copies removed: {receipt.copies_removed:,}"
    for group in receipt.groups:
        yield f"{_INDENT}{group.event_type} from {group.source}: {group.events:,}, {group.late:,} late"
    for event in receipt.samples:
        yield f"{_INDENT}for example {event_line(event)}"
    yield f"{_INDENT}all of them: the statement in --json and --html"


def _producers(receipt: Receipt) -> Iterator[str]:
    yield f"producer runs: {len(receipt.producers)}"
    for run in receipt.producers:
        yield (
            f"{_INDENT}{run.producer_id}/{run.epoch}: {run.events:,} events here, numbers {run.first_seq:,} "
            f"to {run.last_seq:,}; {sequence_line(run)}"
        )


def _refused(receipt: Receipt) -> Iterator[str]:
    total = sum(each.records for each in receipt.refused)
    yield f"failed records of these hours: {total:,}"
    for each in receipt.refused:
        yield f"{_INDENT}{each.reason}: {each.records:,}, {each.replayed:,} of them in the lake by now"
    yield f"dropped events of these hours: {sum(each.dropped for each in receipt.hours):,}"
    for hour in receipt.hours:
        yield f"{_INDENT}{hour.hour}: {hour.failed:,} failed, {hour.dropped:,} dropped"
    yield f"{_INDENT}{hourless(receipt)}"


def keys_text(keys: Mapping[str, Any]) -> str:
    """The keys of a row."""
    return " ".join(f"{name}={shown(value)}" for name, value in keys.items())
