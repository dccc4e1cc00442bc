"""A chart that was compiled before its values were known is the chart that a compiler makes of them."""

from typing import Any

import pytest

from dashboards.preview.charts import vega
from dashboards.site.charts import CompiledCharts, UnknownChartError, distinct, shape_of

VALUES: tuple[list[Any], ...] = (
    ["EUR"],
    ["EUR", "USD", "Other", None],
    [f"value {number}" for number in range(12)],
    ['it\'s "quoted" \\ and , [x]', "é\u2028", "\\ue000domain", "</script>"],
)


def spec(domain: list[Any]) -> dict[str, Any]:
    colors = [f"#{number:06x}" for number in range(len(domain))]
    by = {"field": "c1", "type": "nominal"}
    line = {
        "x": {"field": "c0", "type": "temporal"},
        "y": {"field": "c2", "type": "quantitative"},
        "color": {**by, "scale": {"domain": domain, "range": colors}},
    }
    dashes = {**by, "scale": {"domain": domain, "range": [[at + 1, 2] for at in range(len(domain))]}}
    return {
        "$schema": "https://vega.github.io/schema/vega-lite/v6.json",
        "data": {"name": "rows"},
        "layer": [
            {"mark": "line", "encoding": {**line, "strokeDash": dashes}},
            {"mark": "point", "encoding": line},
        ],
    }


@pytest.mark.parametrize("domain", VALUES, ids=["one", "other", "many", "awkward"])
def test_the_values_of_a_chart_are_filled_in_as_the_compiler_would_write_them(domain: list[Any]) -> None:
    compiled = {name: vega(shape)[1] for name, shape in distinct([spec(["a", "b"])])}
    assert CompiledCharts(compiled)(spec(domain)) == vega(spec(domain))


def test_charts_that_differ_in_their_values_alone_have_one_shape() -> None:
    assert len(list(distinct([spec(domain) for domain in VALUES]))) == 1
    shape, fills = shape_of(spec(["EUR"]))
    assert "EUR" not in str(shape)
    assert ["EUR"] in fills.values()


def test_a_chart_of_another_shape_is_refused_with_what_to_do() -> None:
    with pytest.raises(UnknownChartError, match="penstock deploy"):
        CompiledCharts({})(spec(["EUR"]))
