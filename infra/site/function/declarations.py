"""The dashboards that a function carries, with their charts."""

import json
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path

from dashboards.reading import read_dashboards
from dashboards.site.charts import CompiledCharts
from dashboards.site.drawing import Declared
from queries.contracts import read_reports

PROJECT = Path(__file__).resolve().parents[3] / "project"
"""The project's reports, dashboards and compiled charts lie in the function's zip, beside our packages."""
CHARTS = "charts.json"


@lru_cache(maxsize=1)
def declarations() -> Mapping[str, Declared]:
    """Every dashboard by name."""
    reports = read_reports(PROJECT / "reports")
    charts = CompiledCharts(json.loads((PROJECT / CHARTS).read_bytes()))
    found = read_dashboards(PROJECT / "dashboards")
    return {name: Declared(dashboard, reports, charts) for name, dashboard in found.items()}
