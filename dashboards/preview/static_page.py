"""A page as one HTML file that needs no server: numbers, charts and styles inside, scripts allowed by
their hash.
"""

import base64
import hashlib
import json
from typing import Any

from dashboards.drawing.shared import CHARTS, TILES, static_text


def html(frame: dict[str, Any], sheets: dict[str, Any], drawn_at: str) -> str:
    """The file. `sheets`: sheet id -> tiles as the page fetches them."""
    shared = [static_text(name) for name in (*CHARTS, *TILES)]
    scripts = [_script(text) for text in (*shared, static_text("export.js", "dashboards.preview"))]
    style = static_text("page.css")
    data = json.dumps({"frame": frame, "sheets": sheets, "drawn_at": drawn_at}).replace("<", "\\u003c")
    sources = " ".join(f"'sha256-{digest}'" for _, digest in scripts)
    policy = f"default-src 'none'; script-src {sources}; style-src 'sha256-{_digest(style)}'; img-src data:"
    tags = "\n".join(text for text, _ in scripts)
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{_escaped(frame['title'])}</title>\n<style>{style}</style>\n</head>\n"
        '<body class="exported">\n<main id="main" tabindex="-1"></main>\n'
        f'<script type="application/json" id="data">{data}</script>\n{tags}\n</body>\n</html>\n'
    )


def _script(text: str) -> tuple[str, str]:
    safe = text.replace("</script", "<\\/script")
    return f"<script>{safe}</script>", _digest(safe)


def _digest(text: str) -> str:
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;")
