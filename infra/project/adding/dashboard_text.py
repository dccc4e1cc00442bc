"""The TOML file of a starter dashboard: how many events, when, and of which kind (pure)."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from infra.project.adding.report_text import Plan

_HEAD = """\
# Columns and their types come from the reports' SQL files; none is written here.
title = "{title}"
about = "How many {words} there are, when, and of which kind."
"""
_REPORT = """
[report.{name}]
import_mode = "direct"
stale_after = "never"

[report.{name}.measures]
{measures}
"""
_FILTER = """
[[filter]]
id = "time"
kind = "range"
title = "Time"
default = "all"

[[sheet]]
id = "overview"
title = "Overview"
"""
_VISUAL = """
[[sheet.visual]]
id = "{id}"
kind = "{kind}"
report = "{report}"
title = "{title}"
{axes}
span = [{width}, {height}]
"""


def dashboard_text(by_hour: "Plan", by_day: "Plan", title: str) -> str:
    """`dashboards/NAME.toml` over two reports. All names are made of letters, digits and `_`."""
    words = title.lower()
    parts = [_HEAD.format(title=title, words=words)]
    parts += [
        _REPORT.format(name=plan.name, measures="\n".join(_measures(plan))) for plan in (by_hour, by_day)
    ]
    parts.append(_FILTER)
    width = 36 // (1 + len(by_hour.measures))
    parts.append(_visual("events", "kpi", by_hour, title, 'y = ["all_events"]', width, 4))
    for measure in by_hour.measures:
        name = measure.field.name.replace("_", " ")
        axes = f'y = ["{measure.field.name}_mean"]'
        shown = measure.field.name.replace("_", "-")
        parts.append(_visual(f"mean-{shown}", "kpi", by_hour, f"Mean {name}", axes, width, 4))
    axes = 'x = "day_start:day"\ny = ["all_events"]'
    parts.append(_visual("by-day", "line", by_day, f"{title} by day", axes, 36, 9))
    for plan, where in ((by_hour, "hours"), (by_day, "days")):
        if plan.group is not None:
            by = plan.group.name.replace("_", " ")
            axes = f'x = "{plan.group.name}_group"\ny = ["all_events"]'
            parts.append(_visual(f"groups-{where}", "bar", plan, f"{title} by {by}", axes, 18, 9))
    return "".join(parts)


def _measures(plan: "Plan") -> list[str]:
    lines = ['all_events = { title = "Events", expression = "sum({events})", format = "integer" }']
    for measure in plan.measures:
        title = f"Mean {measure.field.name.replace('_', ' ')}"
        expression = f"sum({{{measure.total}}}) / sum({{{measure.known}}})"
        name = f"{measure.field.name}_mean"
        lines.append(f'{name} = {{ title = "{title}", expression = "{expression}", format = "decimal" }}')
    return lines


def _visual(name: str, kind: str, plan: "Plan", title: str, axes: str, width: int, height: int) -> str:
    return _VISUAL.format(
        id=name, kind=kind, report=plan.name, title=title, axes=axes, width=width, height=height
    )
