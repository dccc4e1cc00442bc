"""A receipt as one HTML file that needs nothing else."""

from collections.abc import Iterator, Sequence

from queries.commands.cost import human_bytes
from queries.receipts.cell import shown
from queries.receipts.html import Link, bullets, code, document, heading, section, table, text
from queries.receipts.model import Comparison, Receipt, Sample, Version
from queries.receipts.text import (
    MOST_CHANGES,
    event_line,
    hourless,
    in_flight,
    keys_text,
    moment,
    sequence_line,
    value_text,
)


def receipt_page(receipt: Receipt, *, address: str = "") -> str:
    """The receipt as a page. With its `address` (see `address_of`), versions lead to what changed since."""
    title = f"Receipt: {receipt.report} {receipt.partition} {keys_text(receipt.keys)} {receipt.column}"
    return document(title, "".join(_receipt_parts(receipt, address)))


def comparison_page(found: Comparison) -> str:
    """What made the difference between two versions, as a page."""
    title = f"Difference: {found.report} {found.partition} {keys_text(found.keys)} {found.column}"
    return document(title, "".join(_comparison_parts(found)))


def _receipt_parts(receipt: Receipt, address: str) -> Iterator[str]:
    served = receipt.versions[0]
    yield heading(receipt.headline, kind="broken" if receipt.findings else "whole")
    yield f'<p class="value">{text(value_text(served))}</p>'
    yield f"<p>{text(receipt.title)}: <code>{text(receipt.column)}</code> of {text(receipt.partition)}"
    yield f" {text(keys_text(receipt.keys))}, {text(receipt.condition)}</p>"
    if receipt.findings or receipt.unknown:
        unknown = (f"Not looked at: {each}" for each in receipt.unknown)
        yield section("Findings", bullets([*receipt.findings, *unknown]))
    yield section("Events", _events(receipt))
    yield section("Versions", _versions(receipt.versions, address))
    yield section("Producers", _producers(receipt))
    yield section("Failed and dropped in these hours", _not_landed(receipt))
    objects = [
        (each.url, human_bytes(each.bytes), moment(each.arrived_at), each.events) for each in receipt.objects
    ]
    heads = ("object", "size", "written", "events here")
    yield section("Lake objects that were read", table("Lake objects", heads, objects))
    yield section("In flight", f"<p>{text(in_flight(receipt))}</p>")
    if served.sql:
        yield section("SQL", code("SQL of the report", served.sql))
    if receipt.statement:
        yield section("A statement that lists every event", code("Listing statement", receipt.statement))
    yield _foot(receipt)


def _comparison_parts(found: Comparison) -> Iterator[str]:
    yield heading(found.headline, kind="broken" if found.unexplained else "whole")
    yield f'<p class="value">{text(value_text(found.old))} → {text(value_text(found.new))}</p>'
    yield section("Versions", _versions((found.new, found.old)))
    if found.sql_changed:
        gives = f"<p>Over the older objects the new SQL gives {text(shown(found.by_sql))}.</p>"
        yield section("SQL that was changed", gives + code("Changes of the SQL", found.sql_changes))
    counted = [(named, count) for named, count in sorted(found.counts.items())]
    yield section("Events by reason", table("Reasons", ("reason", "events"), counted))
    rows = [
        ("+" if change.is_added else "-", change.why, event_line(change.event))
        for change in found.changes[:MOST_CHANGES]
    ]
    more = len(found.changes) - len(rows)
    others = f"<p>And {more:,} more, all of them with --json.</p>" if more else ""
    yield section("Event by event", table("Events", ("", "why", "event"), rows) + others)
    old, new = found.digests
    yield f"<footer><p>Digests: <code>{old}</code> → <code>{new}</code></p></footer>"


def _events(receipt: Receipt) -> str:
    if receipt.untraced:
        return f"<p>Cannot be traced, because {text(receipt.untraced)}.</p>"
    groups = [(each.event_type, each.source, each.events, each.late, each.copies) for each in receipt.groups]
    heads = ("type", "source", "events", "late", "further copies")
    removed = f"<p>{receipt.events:,} events; {receipt.copies_removed:,} copies were removed.</p>"
    return removed + table("Events", heads, groups) + _samples(receipt.samples)


def _samples(samples: Sequence[Sample]) -> str:
    rows = [
        (each.event_time, each.event_type, each.event_id, f"{each.producer_id}/{each.epoch}", each.seq)
        for each in samples
    ]
    return table("Some of the events", ("time", "type", "id", "producer run", "number"), rows)


def _versions(versions: Sequence[Version], address: str = "") -> str:
    tells = any(version.came_since is not None for version in versions)
    rows = [
        (
            _numbered(version, address),
            value_text(version),
            *(_since(version) if tells else ()),
            moment(version.published_at),
            moment(version.data_as_of),
            version.run,
            version.query_execution_id,
            human_bytes(version.bytes_scanned),
            f"${version.dollars:.6f}",
            version.sql_sha,
        )
        for version in versions
    ]
    heads = (
        "version",
        "value",
        *(("events since", "late") if tells else ()),
        "published",
        "lake as of",
        "run",
        "query execution",
        "scanned",
        "cost",
        "SQL",
    )
    return table("Versions", heads, rows)


def _numbered(version: Version, address: str) -> int | Link:
    if not address or version.is_served:
        return version.number
    number = version.number
    return Link(str(number), f"?{address}&diff={number}", "what changed since this version")


def _since(version: Version) -> tuple[int | str, int | str]:
    if version.came_since is None or version.late_since is None:
        return "not known", "not known"
    return version.came_since, version.late_since


def _producers(receipt: Receipt) -> str:
    rows = [
        (
            f"{run.producer_id}/{run.epoch}",
            run.events,
            f"{run.first_seq:,} to {run.last_seq:,}",
            sequence_line(run),
        )
        for run in receipt.producers
    ]
    return table("Producers", ("producer run", "events here", "numbers", "its whole sequence"), rows)


def _not_landed(receipt: Receipt) -> str:
    by_reason = [(each.reason, each.records, each.replayed) for each in receipt.refused]
    by_hour = [(each.hour, each.failed, each.replayed, each.dropped) for each in receipt.hours]
    return (
        table("Failed records by reason", ("reason", "records", "in the lake by now"), by_reason)
        + table("By hour", ("hour", "failed", "in the lake by now", "dropped"), by_hour)
        + f"<p>{text(hourless(receipt))}</p>"
    )


def _foot(receipt: Receipt) -> str:
    return (
        f"<footer><p>Digest: <code>{receipt.digest}</code></p><p>Made {moment(receipt.made_at)} by "
        f"{receipt.statements_run} statements that scanned {human_bytes(receipt.bytes_scanned)}, "
        f"${receipt.dollars:.6f} on AWS.</p></footer>"
    )
