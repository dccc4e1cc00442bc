"""The page's files in memory, each under an address that names its content: a browser keeps them, and its
compiled scripts, for as long as they are the same.
"""

import hashlib
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files

_PARTS: dict[str, tuple[str, ...]] = {
    "page.css": ("page.css",),
    "mark.svg": ("mark.svg",),
    "page.js": ("tiles.js", "controls.js", "app.js"),
    "charts.js": ("vega.min.js", "vega-interpreter.js"),
}
"""What is served, and the files that it is put together from: few files are few questions."""
_MEDIA_TYPES = {
    "css": "text/css; charset=utf-8",
    "svg": "image/svg+xml",
    "js": "text/javascript; charset=utf-8",
}
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
    for name, parts in _PARTS.items():
        # A part that ends without a semicolon must not call the next one.
        body = "\n;\n".join(static_text(part) for part in parts).encode()
        path = f"{FOLDER}{hashlib.sha256(body).hexdigest()[:16]}/{name}"
        found[path] = Asset(path, body, _MEDIA_TYPES[name.rpartition(".")[2]])
    return found


@lru_cache(maxsize=1)
def shell() -> tuple[str, str]:
    """The page's HTML before and after the place of its first answer."""
    text = static_text("index.html")
    for path in assets():
        text = text.replace(f'"{FOLDER}{path.rpartition("/")[2]}"', f'"{path}"')
    before, _, after = text.partition("{{opening}}")
    return before, after


def static_text(name: str) -> str:
    """A file of the folder `static`."""
    return files("dashboards.preview").joinpath("static", name).read_text(encoding="utf-8")
