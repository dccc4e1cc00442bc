"""Vega-Lite to what is drawn: Vega specifications for the browser, SVG and PNG for files."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

import vl_convert


@lru_cache(maxsize=512)
def _compiled(text: str) -> tuple[str, dict[str, Any]]:
    compiled: dict[str, Any] = vl_convert.vegalite_to_vega(text)
    return hashlib.sha256(text.encode()).hexdigest()[:16], compiled


def vega(spec: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    """A name for the specification, and the Vega one of it. The page then needs no compiler, and no eval.

    Equal specifications have equal names; the Vega one is shared and must not be changed.
    """
    return _compiled(json.dumps(spec, sort_keys=True))


def values(tile: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The rows of a tile as the data named `rows`: values, and their number."""
    found = []
    for number, row in enumerate(tile["rows"]):
        entry: dict[str, Any] = {"row": number}
        for column, value in zip(tile["columns"], row, strict=True):
            entry[column["alias"]] = _milliseconds(value) if column["kind"] == "time" else value
        found.append(entry)
    return found


def _milliseconds(text: str | None) -> int | None:
    if text is None:
        return None
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() * 1000)


def picture(spec: Mapping[str, Any], rows: Sequence[Mapping[str, Any]], width: int, height: int) -> str:
    """A chart as SVG of a given size, drawn without a browser."""
    sized = {**spec, "width": width, "height": height, "data": {"name": "rows", "values": list(rows)}}
    return str(vl_convert.vegalite_to_svg(json.dumps(sized)))


def png(svg: str, scale: float = 2.0) -> bytes:
    """An SVG as PNG."""
    return bytes(vl_convert.svg_to_png(svg, scale=scale))
