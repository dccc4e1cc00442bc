"""The page's files in memory, each under an address that names its content: a browser keeps them, and its
compiled scripts, for as long as they are the same.
"""

import hashlib
from dataclasses import dataclass
from functools import lru_cache

from dashboards.drawing.shared import BOARD, CHARTS, MEDIA_TYPES, scripts, static_text

_OWN = "dashboards.preview"
FOLDER = "/static/"


@dataclass(frozen=True)
class Asset:
    """A file as it is served."""

    path: str
    body: bytes
    media_type: str


@lru_cache(maxsize=1)
def assets() -> dict[str, Asset]:
    """Every file by the path of its address."""
    found = {}
    for name, text in _texts().items():
        body = text.encode()
        path = f"{FOLDER}{hashlib.sha256(body).hexdigest()[:16]}/{name}"
        found[path] = Asset(path, body, MEDIA_TYPES[name.rpartition(".")[2]])
    return found


@lru_cache(maxsize=1)
def shell() -> tuple[str, str]:
    """The page's HTML before and after the place of its first answer."""
    text = static_text("index.html", _OWN)
    for path in assets():
        text = text.replace(f'"{FOLDER}{path.rpartition("/")[2]}"', f'"{path}"')
    before, _, after = text.partition("{{opening}}")
    return before, after


def _texts() -> dict[str, str]:
    """What is served, put together."""
    return {
        "page.css": static_text("page.css"),
        "mark.svg": static_text("mark.svg"),
        "page.js": scripts([*map(static_text, BOARD), static_text("app.js", _OWN)]),
        "charts.js": scripts([*map(static_text, CHARTS)]),
    }
