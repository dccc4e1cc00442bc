"""Pages that need nothing else: no script, one style that is allowed by its hash.

Every value goes through `text`, so that none of it is markup.
"""

import base64
import hashlib
from collections.abc import Iterable, Sequence
from html import escape
from typing import Any, NamedTuple

from queries.receipts.style import STYLE

_HASH = base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()
POLICY = f"default-src 'none'; base-uri 'none'; form-action 'none'; style-src 'sha256-{_HASH}'"
"""The pages' Content-Security-Policy."""


class Link(NamedTuple):
    """A value that leads somewhere; `says` is what it does, for those who hear it without its column."""

    value: str
    address: str
    says: str


def document(title: str, body: str) -> str:
    """The page."""
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{text(title)}</title>\n<style>{STYLE}</style>\n</head>\n"
        f"<body><main>{body}</main></body>\n</html>\n"
    )


def heading(line: str, *, kind: str) -> str:
    """The first line; `kind` is whole, broken or plain."""
    return f'<h1 class="{kind}">{text(line)}</h1>'


def section(title: str, body: str) -> str:
    """A part with a heading of its own."""
    return f"<section><h2>{text(title)}</h2>{body}</section>"


def table(label: str, heads: Sequence[str], rows: Sequence[Sequence[Any]]) -> str:
    """A table that can be scrolled with the keyboard; whole numbers and links stand on the right."""
    if not rows:
        return f"<p>{text(label)}: none.</p>"
    head = "".join(_head(name, value) for name, value in zip(heads, rows[0], strict=True))
    body = "".join(f"<tr>{''.join(map(_data, row))}</tr>" for row in rows)
    return (
        f'<div class="wide" role="region" aria-label="{text(label)}" tabindex="0"><table>'
        f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>"
    )


def bullets(lines: Iterable[str]) -> str:
    """A list."""
    return f"<ul>{''.join(f'<li>{text(line)}</li>' for line in lines)}</ul>"


def code(label: str, content: str) -> str:
    """Text as it is written."""
    return f'<pre role="region" aria-label="{text(label)}" tabindex="0">{text(content)}</pre>'


def link(found: Link) -> str:
    """An anchor. Its address is one of our own."""
    said = f"{found.value}: {found.says}"
    return f'<a href="{text(found.address)}" aria-label="{text(said)}">{text(found.value)}</a>'


def text(value: str) -> str:
    """The value as text of the page: no markup, and no character that cannot be seen."""
    return escape("".join(c if c.isprintable() or c == "\n" else _named(c) for c in value), quote=True)


def _head(name: str, value: Any) -> str:
    """The head of a column that begins with this value."""
    kind = ' class="number"' if isinstance(value, int | Link) else ""
    return f'<th scope="col"{kind}>{text(name)}</th>' if name else "<td></td>"


def _data(value: Any) -> str:
    if isinstance(value, Link):
        return f'<td class="number">{link(value)}</td>'
    if isinstance(value, int):
        return f'<td class="number">{value:,}</td>'
    return f"<td>{text(str(value))}</td>"


def _named(character: str) -> str:
    return character.encode("unicode_escape", "surrogatepass").decode("ascii")
