"""Pictures that a viewer takes away: a visual as PNG, drawn as SVG."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from dashboards.preview.charts import picture, png, values
from dashboards.render.page import VisualView
from dashboards.render.tile import tile
from dashboards.render.view import View

WIDTH, HEIGHT, MARGIN, HEAD = 720, 320, 20, 62
_FONT = "system-ui, 'DejaVu Sans', Arial, sans-serif"


def png_of(view: View, visual: VisualView, now: datetime) -> bytes:
    """The visual as a picture. Raises ValueError when there is nothing to draw."""
    return png(svg_of(tile(view, visual), now))


def svg_of(drawn: Mapping[str, Any], now: datetime, width: int = WIDTH, height: int = HEIGHT) -> str:
    """A tile as SVG: a card with its title, its chart or numbers, and when it was drawn."""
    if drawn["state"] not in ("data", "empty"):
        raise ValueError(drawn["message"])
    if drawn["state"] == "empty":
        body = _text(width / 2, height / 2, "No data in this range.", 16, "#51606e", anchor="middle")
    elif "spec" in drawn:
        inner = picture(drawn["spec"], values(drawn), width - 2 * MARGIN, height - HEAD - MARGIN)
        body = inner.replace("<svg ", f'<svg x="{MARGIN}" y="{HEAD}" ', 1)
    elif "kpi" in drawn:
        body = _text(MARGIN, 120, drawn["kpi"]["text"], 44, "#14202b", weight=650)
    else:
        body = _lines(drawn, height)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" font-family="{_FONT}">'
        f'<rect width="{width}" height="{height}" rx="10" fill="#ffffff"/>'
        f"{_text(MARGIN, 30, drawn['title'], 16, '#14202b', weight=650)}"
        f"{_text(MARGIN, 50, f'{now:%Y-%m-%d %H:%M} UTC', 11, '#51606e')}{body}</svg>"
    )


def _lines(drawn: Mapping[str, Any], height: int) -> str:
    lines = drawn.get("lines") or [
        "   ".join(column["label"] for column in drawn["columns"]),
        *("   ".join(row) for row in drawn["texts"]),
    ]
    room = (height - HEAD - MARGIN) // 20
    return "".join(
        _text(MARGIN, HEAD + 18 + 20 * at, line, 13, "#22303c") for at, line in enumerate(lines[:room])
    )


def _text(
    x: float, y: float, text: str, size: int, color: str, *, weight: int = 400, anchor: str = "start"
) -> str:
    safe = str(text).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return (
        f'<text x="{x}" y="{y}" font-size="{size}" fill="{color}" font-weight="{weight}" '
        f'text-anchor="{anchor}">{safe}</text>'
    )
