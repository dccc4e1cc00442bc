"""Vega-Lite specifications of bars, lines, areas, combos and pies.

Data goes in by name, so a refresh keeps the spec.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from dashboards.render.colors import PALETTE, scale
from dashboards.render.compile import OTHER
from dashboards.render.page import VisualView
from dashboards.render.ticks import ticks
from dashboards.render.view import axis_value
from dashboards.render.wells import Out

_DASHES = ((1, 0), (6, 3), (2, 2), (8, 3, 2, 3), (12, 4), (1, 3))
_SHAPES = ("circle", "square", "triangle-up", "diamond", "cross", "triangle-down")
_INK, _FAINT, _GRID = "#22303c", "#51606e", "#e3e8ec"
_FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, sans-serif"

Rows = Sequence[Sequence[Any]]
IN_ORDER_OF_ROWS = {"field": "row", "op": "min"}
"""The order of categories. It is stated over the data: left to itself (`"sort": null`), Vega orders values
as it first met them, and a chart that stands has met those of earlier answers.
"""


@dataclass(frozen=True)
class Colors:
    """What colors are chosen from.

    Attributes:
        known: dataset/column -> values of the column, whatever is filtered (see `render.colors.scale`).
        rows: the rows that the chart shows.
    """

    known: Mapping[str, Sequence[str]]
    rows: Rows


def spec(
    visual: VisualView, outs: Sequence[Out], rows: Rows, known: Mapping[str, Sequence[str]]
) -> dict[str, Any]:
    """The specification of a chart of `rows`, over data named `rows`. `known`: as in `Colors`."""
    chart = _CHARTS[visual.kind](visual, outs, Colors(known, rows))
    return {
        "$schema": "https://vega.github.io/schema/vega-lite/v6.json",
        "data": {"name": "rows"},
        "width": "container",
        "height": "container",
        "autosize": {"type": "fit", "contains": "padding", "resize": True},
        "background": "transparent",
        "padding": {"left": 2, "right": 6, "top": 6, "bottom": 2},
        "config": _CONFIG,
        **chart,
    }


_CONFIG: dict[str, Any] = {
    # A chart is one picture with a name, and its table is what a screen reader reads: words on every mark
    # would cost a third of the drawing and reach nobody.
    "aria": False,
    "font": _FONT,
    "view": {"stroke": None},
    "axis": {
        "labelColor": _FAINT,
        "titleColor": _FAINT,
        "labelFontSize": 11,
        "titleFontSize": 11,
        "titleFontWeight": 500,
        "domainColor": "#b9c3cc",
        "tickColor": "#b9c3cc",
        "gridColor": _GRID,
        "labelLimit": 180,
        "titlePadding": 8,
        "labelOverlap": True,
    },
    "axisTemporal": {"labelSeparation": 6},
    "axisQuantitative": {"labelSeparation": 6},
    "legend": {
        "labelColor": _INK,
        "labelFontSize": 11.5,
        "orient": "top",
        "title": None,
        "symbolSize": 90,
        "offset": 6,
        "columnPadding": 14,
        "labelLimit": 180,
    },
    "bar": {"cornerRadiusEnd": 2},
    "line": {"strokeWidth": 2.2, "strokeCap": "round", "strokeJoin": "round"},
    "area": {"fillOpacity": 0.88, "stroke": "#fff", "strokeWidth": 0.8},
    "arc": {"stroke": "#fff", "strokeWidth": 1.5},
}


def _category(outs: Sequence[Out]) -> Out:
    return next(out for out in outs if out.role == "category")


def _color(outs: Sequence[Out]) -> Out | None:
    return next((out for out in outs if out.role == "color"), None)


def _of(outs: Sequence[Out], role: str) -> list[Out]:
    return [out for out in outs if out.role == role]


def _axis(out: Out, **more: Any) -> dict[str, Any]:
    """The encoding of a dimension: a UTC time scale, or its values in the order of the rows."""
    if out.kind == "time":
        axis = {"title": None, **ticks(out.unit), **more}
        return {"field": out.alias, "type": "temporal", "scale": {"type": "utc"}, "axis": axis}
    return {
        "field": out.alias,
        "type": "nominal",
        "sort": IN_ORDER_OF_ROWS,
        "axis": {"title": out.label, "labelAngle": 0, **more},
    }


_BANDS = {
    "hour": "utcyearmonthdatehours",
    "day": "utcyearmonthdate",
    "month": "utcyearmonth",
    "year": "utcyear",
}


def _values_axis(outs: Sequence[Out], title: str | None = None) -> dict[str, Any]:
    axis: dict[str, Any] = {
        "title": outs[0].label if title is None else title,
        "format": outs[0].format.axis,
        "tickCount": 5,
    }
    if outs[0].format.axis.endswith("s"):
        axis["labelExpr"] = "datum.value === 0 ? '0' : datum.label"  # not 0k
    return axis


def _domain(outs: Sequence[Out], out: Out, colors: Colors, *, is_limited: bool = False) -> dict[str, Any]:
    at = outs.index(out)
    known = colors.known.get(f"{out.data_set}/{out.column}", ())
    present = [axis_value(row[at]) for row in colors.rows]
    found = scale(known, present, OTHER if is_limited else None)
    return {"scale": {"domain": list(found.domain), "range": list(found.range)}}


def _fold(outs: Sequence[Out]) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """Several measures as series: transforms, and the color encoding over their labels."""
    labels = [out.label for out in outs]
    cases = "".join(f"datum.key === '{out.alias}' ? {_quoted(out.label)} : " for out in outs)
    transforms: list[dict[str, Any]] = [
        {"fold": [out.alias for out in outs], "as": ["key", "value"]},
        {"calculate": f"{cases}''", "as": "series"},
    ]
    scale = {"domain": labels, "range": list(PALETTE[: len(labels)])}
    return transforms, {"field": "series", "type": "nominal", "scale": scale}


def _quoted(text: str) -> str:
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


def _legend(color: dict[str, Any], shown: Sequence[str] | None = None) -> dict[str, Any]:
    return {**color, "legend": {} if shown is None else {"values": list(shown)}}


def _bar(visual: VisualView, outs: Sequence[Out], colors: Colors) -> dict[str, Any]:
    category, values, color = _category(outs), _of(outs, "value"), _color(outs)
    arrangement = visual.chart.get("BarsArrangement", "CLUSTERED")
    is_horizontal = visual.chart.get("Orientation", "VERTICAL") == "HORIZONTAL"
    stack = {"STACKED": "zero", "STACKED_PERCENT": "normalize"}.get(arrangement)
    encoding: dict[str, Any] = {}
    transforms: list[dict[str, Any]] = []
    value: dict[str, Any]
    if len(values) > 1:
        transforms, encoding["color"] = _fold(values)
        value = {"field": "value", "type": "quantitative", "axis": _values_axis(values, "")}
    else:
        value = {"field": values[0].alias, "type": "quantitative", "axis": _values_axis(values)}
        encoding["color"] = (
            {"field": color.alias, "type": "nominal", **_domain(outs, color, colors)}
            if color
            else {"value": PALETTE[0]}
        )
    position = _axis(category)
    if category.kind == "time" and category.unit in _BANDS:
        position["timeUnit"], position["bandPosition"] = _BANDS[category.unit], 0.5
    series = encoding["color"].get("field")
    if series and stack is None:
        encoding["yOffset" if is_horizontal else "xOffset"] = {"field": series, "type": "nominal"}
    value["stack"] = stack
    encoding |= {"y": position, "x": value} if is_horizontal else {"x": position, "y": value}
    return {
        "transform": transforms,
        "mark": {"type": "bar", **_width(category), **_square(stack)},
        "encoding": encoding,
    }


def _point(category: Out) -> int:
    """Hours are many, so that their points are small."""
    return 12 if category.unit in ("hour", "minute") else 34


def _square(stack: str | None) -> dict[str, Any]:
    """Stacked bars have no round end: Vega-Lite would put each stack into a group, six elements for one."""
    return {"cornerRadiusEnd": 0} if stack else {}


def _width(category: Out) -> dict[str, Any]:
    """Room between bars of days and longer; bars of hours are many and stand close."""
    return {"width": {"band": 0.72}} if category.unit in ("day", "week", "month", "year") else {}


def _line(visual: VisualView, outs: Sequence[Out], colors: Colors) -> dict[str, Any]:
    category, values, color = _category(outs), _of(outs, "value"), _color(outs)
    is_area = visual.chart.get("Type") in ("STACKED_AREA", "AREA")
    encoding: dict[str, Any] = {"x": _axis(category)}
    transforms: list[dict[str, Any]] = []
    if len(values) > 1:
        transforms, encoding["color"] = _fold(values)
        encoding["y"] = {"field": "value", "type": "quantitative", "axis": _values_axis(values, "")}
    else:
        encoding["y"] = {"field": values[0].alias, "type": "quantitative", "axis": _values_axis(values)}
        encoding["color"] = (
            {"field": color.alias, "type": "nominal", **_domain(outs, color, colors)}
            if color
            else {"value": PALETTE[0]}
        )
    series = encoding["color"].get("field")
    if is_area:
        encoding["y"]["stack"] = "zero" if visual.chart.get("Type") == "STACKED_AREA" else None
        return {"transform": transforms, "mark": {"type": "area", "line": False}, "encoding": encoding}
    line = dict(encoding)
    points = dict(encoding)
    if series:
        # Never color alone: each series has its dash and its shape too.
        domain = encoding["color"]["scale"].get("domain", [])
        line["strokeDash"] = {
            "field": series,
            "type": "nominal",
            "scale": {
                "domain": domain,
                "range": [list(_DASHES[at % len(_DASHES)]) for at in range(len(domain))],
            },
        }
        points["shape"] = {
            "field": series,
            "type": "nominal",
            "scale": {"domain": domain, "range": [_SHAPES[at % len(_SHAPES)] for at in range(len(domain))]},
        }
    layers: list[dict[str, Any]] = [
        {"mark": {"type": "line"}, "encoding": line},
        {
            "mark": {"type": "point", "filled": True, "size": _point(category), "opacity": 1},
            "encoding": points,
        },
    ]
    if not series:
        layers.insert(
            0, {"mark": {"type": "area", "fillOpacity": 0.08, "strokeWidth": 0}, "encoding": encoding}
        )
    return {"transform": transforms, "layer": layers}


def _combo(_: VisualView, outs: Sequence[Out], __: Colors) -> dict[str, Any]:
    category, bars, lines = _category(outs), _of(outs, "value"), _of(outs, "line")
    labels = [out.label for out in (*bars, *lines)]
    scale = {"domain": labels, "range": list(PALETTE[: len(labels)])}
    position = _axis(category)
    banded = dict(position)
    if category.kind == "time" and category.unit in _BANDS:
        banded["timeUnit"], banded["bandPosition"] = _BANDS[category.unit], 0.5
        # Without the same unit the line would sit at the start of each bar.
        position = {**position, "timeUnit": _BANDS[category.unit], "bandPosition": 0.5}
    under = [
        {
            "mark": {"type": "bar", **_width(category)},
            "encoding": {
                "x": banded,
                "y": {"field": out.alias, "type": "quantitative", "axis": _values_axis([out]), "stack": None},
                "color": {"datum": out.label, "type": "nominal", "scale": scale},
            },
        }
        for out in bars
    ]
    over = [
        {"mark": {"type": "line", "point": {"filled": True, "size": _point(category)}}, "encoding": {
            "x": position,
            "y": {"field": out.alias, "type": "quantitative", "axis": {**_values_axis([out]), "grid": False}},
            "color": {"datum": out.label, "type": "nominal", "scale": scale}}}
        for out in lines
    ]  # fmt: skip
    return {"layer": [{"layer": under}, {"layer": over}], "resolve": {"scale": {"y": "independent"}}}


def _pie(visual: VisualView, outs: Sequence[Out], colors: Colors) -> dict[str, Any]:
    category, value = _category(outs), _of(outs, "value")[0]
    thickness = visual.chart.get("DonutOptions", {}).get("ArcOptions", {}).get("ArcThickness")
    inner = {"SMALL": 0.75, "MEDIUM": 0.6, "LARGE": 0.4}.get(str(thickness), 0)
    encoding = {
        "theta": {"field": value.alias, "type": "quantitative", "stack": True},
        "order": {"field": "row", "type": "quantitative"},
        "color": {
            "field": category.alias,
            "type": "nominal",
            **_domain(outs, category, colors, is_limited=True),
            "legend": {"orient": "right", "values": {"expr": f"pluck(data('rows'), '{category.alias}')"}},
        },
    }
    radius = "min(width, height) / 2"
    mark = {
        "type": "arc",
        "outerRadius": {"expr": radius},
        "innerRadius": {"expr": f"{inner} * {radius}"},
    }
    return {"mark": mark, "encoding": encoding}


_CHARTS = {"bar": _bar, "line": _line, "combo": _combo, "pie": _pie}
CHARTED = frozenset(_CHARTS)
