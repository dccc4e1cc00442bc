"""Insight visuals as sentences: each computation the preview knows is one line; the others are refused by
name.
"""

from collections.abc import Mapping
from typing import Any

from dashboards.expressions.typing import UnsupportedError
from dashboards.render.compile import base_rows, parameters
from dashboards.render.page import VisualView
from dashboards.render.view import View, plain
from dashboards.render.wells import Out, field_out


def drawn(view: View, visual: VisualView) -> dict[str, Any]:
    """The visual's lines of text, and the numbers in them as rows.

    Raises UnsupportedError, ExpressionError.
    """
    configuration = visual.body.get("InsightConfiguration", {})
    data_set = str(visual.body["DataSetIdentifier"])
    base, given = base_rows(view.page, visual, data_set, view.state, view.now, view.rules)
    behind = int(view.run(f"SELECT count(*) FROM ({base})", given)[0][0])  # noqa: S608
    lines: list[str] = []
    rows: list[tuple[str, Any, str]] = []
    for entry in configuration.get("Computations", []):
        for member, body in entry.items():
            if member not in _COMPUTATIONS:
                raise UnsupportedError(f"The computation {member} is not supported by the preview.")
            sentence, numbers = _COMPUTATIONS[member](view, body, base)
            lines.append(sentence)
            rows += numbers
    return {
        "state": "data" if behind else "empty",
        "behind": behind,
        "data_set": data_set,
        "lines": lines,
        "columns": [
            {"alias": "c0", "label": "What", "kind": "text", "role": "category", "unit": ""},
            {"alias": "c1", "label": "Value", "kind": "number", "role": "value", "unit": ""},
        ],
        "rows": [[what, plain(value)] for what, value, _ in rows],
        "texts": [[what, text] for what, _, text in rows],
        "message": "",
    }


def _field(view: View, entry: Mapping[str, Any], role: str) -> Out:
    member, body = next(iter(entry.items()))
    return field_out(view.page, member, body, role, {})


def _total(view: View, body: Mapping[str, Any], base: str) -> tuple[str, list[tuple[str, Any, str]]]:
    out = _field(view, body["Value"], "value")
    value = _rows(view, f"SELECT {out.sql} FROM ({base})")[0][0]  # noqa: S608
    text = out.format.text(value)
    return f"{out.label} in all: {text}.", [(f"{out.label} in all", value, text)]


def _top(view: View, body: Mapping[str, Any], base: str) -> tuple[str, list[tuple[str, Any, str]]]:
    category, value = _field(view, body["Category"], "category"), _field(view, body["Value"], "value")
    way = "DESC" if body.get("Type", "TOP") == "TOP" else "ASC"
    found = _rows(
        view,
        f"SELECT {category.sql} AS k, {value.sql} AS v FROM ({base}) GROUP BY 1 "  # noqa: S608
        f"ORDER BY 2 {way} NULLS LAST, 1 LIMIT {int(body.get('ResultSize', 3))}",
    )
    numbers = [(category.format.text(key), amount, value.text(amount, key)) for key, amount in found]
    said = "; ".join(f"{name} ({text})" for name, _, text in numbers)
    word = "Highest" if way == "DESC" else "Lowest"
    return f"{word} by {value.label.lower()}: {said or 'none'}.", numbers


def _unique(view: View, body: Mapping[str, Any], base: str) -> tuple[str, list[tuple[str, Any, str]]]:
    category = _field(view, body["Category"], "category")
    value = _rows(view, f"SELECT count(DISTINCT {category.sql}) FROM ({base})")[0][0]  # noqa: S608
    what = f"Different values of {category.label.replace('_', ' ')}"
    return f"{what}: {value:,}.", [(what, value, f"{value:,}")]


def _rows(view: View, text: str) -> list[tuple[Any, ...]]:
    return view.run(text, parameters(view.page, view.state, view.now, text))


_COMPUTATIONS = {"TotalAggregation": _total, "TopBottomRanked": _top, "UniqueValues": _unique}
