"""Which color a value has: the same in every visual and under every filter."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from zlib import crc32

PALETTE = (
    "#0b6e75",
    "#c2601c",
    "#4f5bd5",
    "#b83a68",
    "#4a7f23",
    "#8a4fa3",
    "#2f7fc1",
    "#8c6a1f",
    "#1d4e89",
    "#d1495b",
    "#3f8f5b",
)
OTHER_COLOR = "#7c8a97"
"""Of what is not a value of its own: "Other", and rows without a value."""


def _mixed(color: str, toward: int, share: float) -> str:
    parts = (int(color[at : at + 2], 16) for at in (1, 3, 5))
    return "#" + "".join(f"{round(part + (toward - part) * share):02x}" for part in parts)


SHADES = (
    *PALETTE,
    *(_mixed(color, 0, 0.35) for color in PALETTE),
    *(_mixed(color, 255, 0.35) for color in PALETTE),
)
"""For columns with more values than the palette has colors: darker, then lighter ones."""


@dataclass(frozen=True)
class Scale:
    """An ordinal scale as Vega-Lite has it: values in the order of the legend, each with its color."""

    domain: tuple[Any, ...]
    range: tuple[str, ...]


def scale(known: Sequence[str], present: Sequence[Any], other: str | None = None) -> Scale:
    """The scale over a column.

    A column of few values has all of them in its scale, so that a filter changes no specification. One of
    many has those that are shown. Every value is given its color by name; were the chart to give colors to
    what it meets, they would follow the filters and what the chart had shown before.

    Args:
        known: values of the whole column as text, whatever is filtered: in order when they fit the palette,
            otherwise the most frequent ones first.
        present: the values shown, as the chart's data has them.
        other: the name of what was folded together, when there is such a thing.
    """
    shown = {value for value in present if value is not None and value != other}
    if len(known) <= len(PALETTE) and {text_of(value) for value in shown} <= set(known):
        values: list[Any] = list(known)
    else:
        values = sorted(shown, key=lambda value: (isinstance(value, str), value))
    ranks = {text: rank for rank, text in enumerate(known)}
    colors = [_color(text_of(value), ranks) for value in values]
    extra: list[Any] = [other] if other is not None else []
    extra += [None] if None in present else []
    return Scale((*values, *extra), (*colors, *(OTHER_COLOR for _ in extra)))


def text_of(value: Any) -> str:
    """A value as SQL casts it to text."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def _color(text: str, ranks: Mapping[str, int]) -> str:
    rank = ranks.get(text)
    return SHADES[(crc32(text.encode()) if rank is None else rank) % len(SHADES)]
