"""The page of the report site as it is put into its bucket.

Every file is below an address that names what all of them hold: a browser keeps them, and a page that is open
never meets the files of a newer one.
"""

import base64
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass

from dashboards.drawing.shared import BOARD, CHARTS, MEDIA_TYPES, scripts, static_text

_OWN = "dashboards.site"
_MODULES = (
    "main.js", "session.js", "api.js", "pulse.js", "dashboards.js", "jobs.js", "start.js", "rows.js",
    "failed.js", "number.js",
)  # fmt: skip
INDEX, ICON = "index.html", "favicon.ico"
KEPT, ASKED_FOR = "public, max-age=31536000, immutable", "no-cache"


@dataclass(frozen=True)
class ShellFile:
    """A file of the page: its text, and what a browser learns about it."""

    text: str
    media_type: str
    cache_control: str


def shell() -> Mapping[str, ShellFile]:
    """Every file by its key. `index.html` comes last: what it names is there by then.

    Browsers ask for `favicon.ico` beside pages that name no icon, as those of the sign-in.
    """
    texts = {
        "page.css": static_text("page.css") + static_text("site.css", _OWN),
        "board.js": scripts([*map(static_text, BOARD)]),
        "charts.js": scripts([*map(static_text, CHARTS)]),
        **{name: static_text(name, _OWN) for name in _MODULES},
    }
    digest = hashlib.sha256("\0".join(f"{name}\0{text}" for name, text in sorted(texts.items())).encode())
    folder = f"static/{digest.hexdigest()[:16]}/"
    found = {
        folder + name: ShellFile(text, MEDIA_TYPES[name.rpartition(".")[2]], KEPT)
        for name, text in texts.items()
    }
    # The mark is small enough to come with the page, twice.
    mark = base64.b64encode(static_text("mark.svg").encode()).decode()
    index = static_text(INDEX, _OWN).replace("/static/mark.svg", f"data:image/svg+xml;base64,{mark}")
    index = index.replace('"/static/', f'"/{folder}')
    found[ICON] = ShellFile(static_text("mark.svg"), MEDIA_TYPES["svg"], ASKED_FOR)
    return {**found, INDEX: ShellFile(index, MEDIA_TYPES["html"], ASKED_FOR)}
