"""A receipt as one HTML file that needs nothing else: no script, one style that is allowed by its hash.

Every value goes through `_text`, so that none of it is markup.
"""

import base64
import hashlib
from collections.abc import Iterable, Iterator, Sequence
from html import escape
from typing import Any

from queries.commands.cost import human_bytes
from queries.receipts.cell import shown
from queries.receipts.model import Comparison, Receipt, Sample, Version
from queries.receipts.style import STYLE
from queries.receipts.text import MOST_CHANGES, event_line, in_flight, keys_text, moment, sequence_line

_POLICY = "default-src 'none'; base-uri 'none'; form-action 'none'; style-src 'sha256-{digest}'"


def receipt_page(receipt: Receipt) -> str:
    """The receipt as a page."""
    title = f"Receipt: {receipt.report} {receipt.partition} {keys_text(receipt.keys)} {receipt.column}"
    return _document(title, "".join(_receipt_parts(receipt)))


def comparison_page(found: Comparison) -> str:
    """What made the difference between two versions, as a page."""
    title = f"Difference: {found.report} {found.partition} {keys_text(found.keys)} {found.column}"
    return _document(title, "".join(_comparison_parts(found)))


def _receipt_parts(receipt: Receipt) -> Iterator[str]:
    served = receipt.versions[0]
    yield _head(receipt.headline, is_whole=not receipt.findings)
    yield f'<p class="value">{_text(_value(served))}</p>'
    yield f"<p>{_text(receipt.title)}: <code>{_text(receipt.column)}</code> of {_text(receipt.partition)}"
    yield f" {_text(keys_text(receipt.keys))}, {_text(receipt.condition)}</p>"
    if receipt.findings or receipt.unknown:
        unknown = (f"Not looked at: {each}" for each in receipt.unknown)
        yield _section("Findings", _list([*receipt.findings, *unknown]))
    yield _section("Events", _events(receipt))
    yield _section("Versions", _versions(receipt.versions))
    yield _section("Producers", _producers(receipt))
    rows = [(each.reason, each.records, each.replayed) for each in receipt.refused]
    failed = _table("Failed records", ("reason", "records", "in the lake by now"), rows)
    hourless = f"<p>{receipt.without_hour:,} failed records show no time.</p>"
    yield _section("Failed records of these hours", failed + hourless)
    objects = [
        (each.url, human_bytes(each.bytes), moment(each.arrived_at), each.events) for each in receipt.objects
    ]
    heads = ("object", "size", "written", "events here")
    yield _section("Lake objects that were read", _table("Lake objects", heads, objects))
    yield _section("In flight", f"<p>{_text(in_flight(receipt))}</p>")
    if served.sql:
        yield _section("SQL", _code("SQL of the report", served.sql))
    if receipt.statement:
        yield _section("A statement that lists every event", _code("Listing statement", receipt.statement))
    yield _foot(receipt)


def _comparison_parts(found: Comparison) -> Iterator[str]:
    yield _head(found.headline, is_whole=not found.unexplained)
    yield f'<p class="value">{_text(_value(found.old))} → {_text(_value(found.new))}</p>'
    yield _section("Versions", _versions((found.new, found.old)))
    if found.sql_changed:
        gives = f"<p>Over the older objects the new SQL gives {_text(shown(found.by_sql))}.</p>"
        yield _section("SQL that was changed", gives + _code("Changes of the SQL", found.sql_changes))
    counted = [(named, count) for named, count in sorted(found.counts.items())]
    yield _section("Events by reason", _table("Reasons", ("reason", "events"), counted))
    rows = [
        ("+" if change.is_added else "-", change.why, event_line(change.event))
        for change in found.changes[:MOST_CHANGES]
    ]
    more = len(found.changes) - len(rows)
    others = f"<p>And {more:,} more, all of them with --json.</p>" if more else ""
    yield _section("Event by event", _table("Events", ("", "why", "event"), rows) + others)
    old, new = found.digests
    yield f"<footer><p>Digests: <code>{old}</code> → <code>{new}</code></p></footer>"


def _events(receipt: Receipt) -> str:
    if receipt.untraced:
        return f"<p>Cannot be traced, because {_text(receipt.untraced)}.</p>"
    groups = [(each.event_type, each.source, each.events, each.late, each.copies) for each in receipt.groups]
    heads = ("type", "source", "events", "late", "further copies")
    removed = f"<p>{receipt.events:,} events; {receipt.copies_removed:,} copies were removed.</p>"
    return removed + _table("Events", heads, groups) + _samples(receipt.samples)


def _samples(samples: Sequence[Sample]) -> str:
    rows = [
        (each.event_time, each.event_type, each.event_id, f"{each.producer_id}/{each.epoch}", each.seq)
        for each in samples
    ]
    return _table("Some of the events", ("time", "type", "id", "producer run", "number"), rows)


def _versions(versions: Sequence[Version]) -> str:
    rows = [
        (
            version.number,
            _value(version),
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
        "published",
        "lake as of",
        "run",
        "query execution",
        "scanned",
        "cost",
        "SQL",
    )
    return _table("Versions", heads, rows)


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
    return _table("Producers", ("producer run", "events here", "numbers", "its whole sequence"), rows)


def _foot(receipt: Receipt) -> str:
    return (
        f"<footer><p>Digest: <code>{receipt.digest}</code></p><p>Made {moment(receipt.made_at)} by "
        f"{receipt.statements_run} statements that scanned {human_bytes(receipt.bytes_scanned)}, "
        f"${receipt.dollars:.6f} on AWS.</p></footer>"
    )


def _value(version: Version) -> str:
    if not version.value_is_kept:
        return "its files are gone"
    return shown(version.value) if version.has_row else "no such row"


def _head(headline: str, *, is_whole: bool) -> str:
    return f'<h1 class="{"whole" if is_whole else "broken"}">{_text(headline)}</h1>'


def _section(title: str, body: str) -> str:
    return f"<section><h2>{_text(title)}</h2>{body}</section>"


def _table(label: str, heads: Sequence[str], rows: Sequence[Sequence[Any]]) -> str:
    if not rows:
        return "<p>None.</p>"
    head = "".join(f'<th scope="col">{_text(each)}</th>' if each else "<td></td>" for each in heads)
    body = "".join(f"<tr>{''.join(map(_data, row))}</tr>" for row in rows)
    return (
        f'<div class="wide" role="region" aria-label="{_text(label)}" tabindex="0"><table>'
        f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>"
    )


def _data(value: Any) -> str:
    if isinstance(value, int):
        return f'<td class="number">{value:,}</td>'
    return f"<td>{_text(str(value))}</td>"


def _list(lines: Iterable[str]) -> str:
    return f"<ul>{''.join(f'<li>{_text(line)}</li>' for line in lines)}</ul>"


def _code(label: str, text: str) -> str:
    return f'<pre role="region" aria-label="{_text(label)}" tabindex="0">{_text(text)}</pre>'


def _text(value: str) -> str:
    """The value as text of the page: no markup, and no character that cannot be seen."""
    return escape("".join(c if c.isprintable() or c == "\n" else _named(c) for c in value), quote=True)


def _named(character: str) -> str:
    return character.encode("unicode_escape", "surrogatepass").decode("ascii")


def _document(title: str, body: str) -> str:
    digest = base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()
    policy = _POLICY.format(digest=digest)
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{_text(title)}</title>\n<style>{STYLE}</style>\n</head>\n"
        f"<body><main>{body}</main></body>\n</html>\n"
    )
