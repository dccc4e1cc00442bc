"""The event types as one HTML page, made from the contracts: nothing in it is written by hand."""

import json
from collections.abc import Iterator, Mapping
from html import escape
from pathlib import Path
from typing import Any

from producers.contracts import EventType, Stream
from transforms.contracts import LakeTable, payload_column, payload_type
from transforms.schema.ddl import create_table
from transforms.schema.declarations import Example, examples
from transforms.schema.evolution import Description, describe

_STYLE = """
:root { color-scheme: light dark; }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
table { border-collapse: collapse; width: 100%; margin: 0.5rem 0 1rem; }
caption { text-align: left; font-weight: 600; }
th, td { text-align: left; vertical-align: top; padding: 0.25rem 0.75rem 0.25rem 0; }
th, td { border-bottom: 1px solid #8886; }
pre { overflow-x: auto; padding: 0.75rem; border: 1px solid #8886; }
"""


def contract_page(streams: Mapping[str, Stream], folder: Path) -> str:
    """The whole page. `folder` is that of the streams; their examples are below it."""
    parts = [
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n<title>Event types</title>',
        f"<style>{_STYLE}</style>\n</head>\n<body>\n<main>\n<h1>Event types</h1>",
        "<p>Made by <code>penstock contracts docs</code> from the contracts.</p>",
    ]
    known = examples(folder)
    for stream in streams.values():
        parts += _stream(stream, known)
    return "\n".join([*parts, "</main>\n</body>\n</html>\n"])


def _stream(stream: Stream, known: list[Example]) -> Iterator[str]:
    described = describe(stream)
    hours = stream.allowed_lateness.total_seconds() / 3600
    yield f"<h2>Stream {escape(stream.name)}</h2>"
    yield (
        f"<p>Late after {hours:g} hours. Accepted up to {stream.accepted_past.days} days before arrival, "
        f"from replays back to {stream.history_floor:%Y-%m-%d}.</p>"
    )
    yield _fields("Envelope: what every event has", described["envelope"])
    for event_type in stream.all_types:
        yield from _type(event_type, described["types"][f"{event_type.name}.{event_type.version}"], known)
    table = LakeTable(stream)
    yield f"<h3>Lake table {escape(table.name)}</h3>"
    yield f'<pre tabindex="0">{escape(create_table(table, "s3://LAKE_BUCKET"))}</pre>'


def _type(event_type: EventType, described: Description, known: list[Example]) -> Iterator[str]:
    name = f"{event_type.name}.{event_type.version}"
    yield f'<h3 id="{escape(name)}">{escape(name)}</h3>'
    kept = "" if event_type.delivered else " Counted by the transformation, and not kept."
    yield (
        f"<p>{escape((event_type.payload.__doc__ or '').strip())}{kept} Kinesis partition key: "
        f"<code>{escape(event_type.partition_key)}</code>. "
        f"Unknown fields are {described['unknown_fields']}.</p>"
    )
    yield _fields("Payload", described["fields"])
    if event_type.delivered:
        yield (
            f"<p>Lake column <code>{escape(payload_column(event_type))}</code>: "
            f"<code>{escape(payload_type(event_type))}</code></p>"
        )
    for one in known:
        if (one.event_type, one.version) == (event_type.name, event_type.version):
            verdict = "passes" if one.passes else "fails"
            yield f"<details><summary>Example that {verdict}: {escape(one.case)}</summary>"
            yield f'<pre tabindex="0">{escape(json.dumps(json.loads(one.raw), indent=2))}</pre></details>'


def _fields(caption: str, fields: Description) -> str:
    rows = "\n".join(
        f"<tr><td><code>{escape(name)}</code></td><td>{escape(field['type'])}</td>"
        f"<td>{'required' if field['required'] else 'optional'}</td><td>{escape(_bounds(field))}</td></tr>"
        for name, field in fields.items()
    )
    names = ("field", "type", "needed", "bounds")
    head = "<tr>" + "".join(f'<th scope="col">{name}</th>' for name in names) + "</tr>"
    body = f"<thead>{head}</thead>\n<tbody>\n{rows}\n</tbody>"
    return f"<table>\n<caption>{escape(caption)}</caption>\n{body}\n</table>"


def _bounds(field: dict[str, Any]) -> str:
    said = [
        f"{name.replace('_', ' ')} {field[name]}"
        for name in ("ge", "gt", "le", "lt", "min_length", "max_length", "pattern")
        if name in field
    ]
    if "values" in field:
        said.append("one of " + ", ".join(map(str, field["values"])))
    if "personal" in field:
        said.append(f"personal: the lake has {field['personal']} in its place")
    if "query" in field:
        kept = ", ".join(field["query"]) or "none"
        said.append(f"an address: of its query the lake keeps {kept}; no fragment, user or password")
    said += [f"gives {column}" for column in field.get("derive", {})]
    return "; ".join(said)
