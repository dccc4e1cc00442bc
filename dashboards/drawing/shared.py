"""The files of a page, and what is put together from them: few files are few questions."""

from collections.abc import Sequence
from importlib.resources import files

TILES = ("numbers.js", "tiles.js")
BOARD = (*TILES, "controls.js", "board.js")
CHARTS = ("vega.min.js", "vega-interpreter.js")
MEDIA_TYPES = {
    "css": "text/css; charset=utf-8",
    "html": "text/html; charset=utf-8",
    "js": "text/javascript; charset=utf-8",
    "json": "application/json",
    "svg": "image/svg+xml",
}


def static_text(name: str, package: str = "dashboards.drawing") -> str:
    """A file of a package's folder `static`; the shared ones are in this package's."""
    return files(package).joinpath("static", name).read_text(encoding="utf-8")


def scripts(texts: Sequence[str]) -> str:
    """Classic scripts as one: a part that ends without a semicolon must not call the next one."""
    return "\n;\n".join(texts)
