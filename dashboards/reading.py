"""Reads declarations of dashboards, and refuses what cannot be, at its line."""

import re
from collections.abc import Mapping
from datetime import date, timedelta
from pathlib import Path

from dashboards import money
from dashboards.declaration import DeclarationError, Section, read
from dashboards.model import (
    FORMATS,
    GRANULARITIES,
    GRID_COLUMNS,
    GRID_ROW_SPAN,
    KINDS,
    Access,
    Axis,
    Dashboard,
    DerivedField,
    Filter,
    Measure,
    Sheet,
    Source,
    Visual,
)
from queries.contracts import file_text

_ID = re.compile(r"[a-z][a-z0-9\-]{0,60}$")
_NAME = re.compile(r"[a-z][a-z0-9_]{0,60}$")
_DURATION = re.compile(r"(\d+)(m|h|d)$")
NEVER = 10**11
"""Seconds after which history that nobody adds to is stale."""
EVER = ("1970-01-01", "2200-01-01")
"""First day, and the day behind the last one, of a range over all that there is."""
_SECONDS = {"m": 60, "h": 3600, "d": 86_400}


def definition_files(folder: Path) -> list[Path]:
    """The files that declare a dashboard each, in order of name. A folder that is not there has none."""
    return sorted(folder.glob("*.toml"))


def read_dashboards(folder: Path) -> Mapping[str, Dashboard]:
    """The dashboards of a folder by name, in order of name. Raises DeclarationError, EncodingError."""
    files = definition_files(folder)
    return load_all({file.name: file_text(file.read_bytes(), str(file)) for file in files}, str(folder))


def load_all(texts: Mapping[str, str], folder: str) -> Mapping[str, Dashboard]:
    """The dashboards of several files (name of file -> text), which lie in `folder`.

    Raises DeclarationError.
    """
    found = {
        name.removesuffix(".toml"): load(texts[name], name.removesuffix(".toml"), f"{folder}/{name}")
        for name in sorted(texts)
    }
    owners: dict[str, Source] = {}
    for dashboard in found.values():
        for source in dashboard.sources.values():
            if (first := owners.setdefault(source.report, source)) is not source:
                raise DeclarationError(
                    source.file,
                    source.line,
                    f"Report {source.report!r} has its dataset in {first.file}:{first.line} already. "
                    "Keep one.",
                )
    return found


def load(text: str, name: str, file: str) -> Dashboard:
    """One dashboard. Raises DeclarationError."""
    top = read(text, file)
    top.only("title", "about", "report", "filter", "sheet")
    reports = top.table("report")
    sources = {report: _source(reports.table(report), report) for report in reports.values}
    dashboard = Dashboard(
        name=name,
        title=top.text("title"),
        about=top.text("about"),
        sources=sources,
        filters=tuple(_filter(section, sources) for section in top.tables("filter")),
        sheets=tuple(_sheet(section, sources) for section in top.tables("sheet")),
        file=file,
    )
    if not dashboard.visuals:
        raise DeclarationError(
            file, 1, "The dashboard has no visual. Add a [[sheet]] with a [[sheet.visual]]."
        )
    named: list[Sheet | Visual | Filter] = [*dashboard.sheets, *dashboard.visuals, *dashboard.filters]
    ids = [(entry.id, entry.line) for entry in named]
    for at, (entry_id, line) in enumerate(ids):
        if entry_id in {earlier for earlier, _ in ids[:at]}:
            raise DeclarationError(
                file, line, f"The id {entry_id!r} is taken already. Ids are unique in a file."
            )
    return dashboard


def _source(section: Section, report: str) -> Source:
    section.only("import_mode", "stale_after", "measures", "fields", "rls")
    import_mode = section.choice("import_mode", ("direct", "spice"))
    measures, fields = section.table("measures"), section.table("fields")
    if both := set(measures.values) & set(fields.values):
        raise measures.fail(f"{min(both)!r} is a measure and a field. Rename one.", min(both))
    return Source(
        report=report,
        import_mode="spice" if import_mode == "spice" else "direct",
        stale_after_seconds=NEVER
        if section.text("stale_after") == "never"
        else _seconds(section, "stale_after"),
        measures={name: _measure(measures.table(name), name) for name in measures.values},
        fields={name: _field(fields.table(name), name) for name in fields.values},
        access=_access(section.table("rls")) if "rls" in section.values else None,
        file=section.file,
        line=section.line(),
    )


def _measure(section: Section, name: str) -> Measure:
    section.only("title", "expression", "format", "minor", "currency", "per")
    _checked(_NAME, name, section)
    if "minor" in section.values:
        return _amount(section, name)
    section.only("title", "expression", "format")
    return Measure(
        name,
        section.text("title"),
        section.text("expression"),
        section.choice("format", FORMATS),
        section.line(),
    )


def _amount(section: Section, name: str) -> Measure:
    """A measure over minor units: the divisor of each currency is ISO 4217's, never written by hand."""
    section.only("title", "format", "minor", "currency", "per")
    section.choice("format", ("money",))
    currency = section.text("currency")
    per = section.text("per") if "per" in section.values else ""
    text = money.expression(section.text("minor"), currency, per)
    return Measure(name, section.text("title"), text, "money", section.line(), currency)


def _field(section: Section, name: str) -> DerivedField:
    section.only("title", "expression", "type")
    section.choice("type", ("text",), "text")
    return DerivedField(
        _checked(_NAME, name, section), section.text("title"), section.text("expression"), section.line()
    )


def _access(section: Section) -> Access:
    section.only("column", "groups")
    groups = section.table("groups")
    rules = {group: groups.texts(group) for group in groups.values}
    for group, values in rules.items():
        for value in values:
            # Commas separate values in a rules dataset, and there is no way to quote one.
            if "," in value or not value:
                raise groups.fail(f"The value {value!r} cannot be written in an access rule.", group)
    if not rules:
        raise section.fail(
            "Row-level security without a group hides everything from everyone. Add [...rls.groups]."
        )
    return Access(section.text("column"), rules, section.line())


def _filter(section: Section, sources: Mapping[str, Source]) -> Filter:
    section.only("id", "kind", "title", "report", "column", "default")
    kind = section.choice("kind", ("range", "pick"))
    report = _known_report(section, sources) if kind == "pick" else ""
    first, last = _period(section, "default") if kind == "range" else ("", "")
    return Filter(
        id=_checked(_ID, section.text("id"), section, "id"),
        kind="range" if kind == "range" else "pick",
        title=section.text("title"),
        report=report,
        column=section.text("column") if kind == "pick" else "",
        default_hours=_seconds(section, "default") // 3600 if kind == "range" and not first else 0,
        line=section.line(),
        first=first,
        last=last,
    )


def _sheet(section: Section, sources: Mapping[str, Source]) -> Sheet:
    section.only("id", "title", "visual")
    return Sheet(
        id=_checked(_ID, section.text("id"), section, "id"),
        title=section.text("title"),
        visuals=tuple(_visual(visual, sources) for visual in section.tables("visual")),
        line=section.line(),
    )


_VISUAL_KEYS = (
    "id",
    "kind",
    "report",
    "title",
    "x",
    "y",
    "line",
    "color",
    "horizontal",
    "sort",
    "limit",
    "click",
    "drill",
    "span",
)


def _visual(section: Section, sources: Mapping[str, Source]) -> Visual:
    section.only(*_VISUAL_KEYS)
    kind = section.choice("kind", KINDS)
    report = _known_report(section, sources)
    visual = Visual(
        id=_checked(_ID, section.text("id"), section, "id"),
        kind=kind,  # type: ignore[arg-type]
        report=report,
        title=section.text("title"),
        x=_axis(section, "x"),
        y=_measures(section, "y", sources[report]),
        second=_measures(section, "line", sources[report]) if "line" in section.values else (),
        color=_axis(section, "color"),
        horizontal=section.flag("horizontal"),
        sort="x" if section.choice("sort", ("x", "y"), "y") == "x" else "y",
        limit=section.whole("limit", 0),
        click="filter" if section.choice("click", ("none", "filter"), "none") == "filter" else "",
        drill=section.flag("drill"),
        span=_span(section),
        line=section.line(),
    )
    if problem := _shape_problem(visual) or _mixed_currencies(visual, sources[report]):
        raise section.fail(problem)
    return visual


def _shape_problem(visual: Visual) -> str:
    """What QuickSight would draw blank or refuse late; empty when nothing."""
    if visual.kind not in ("kpi", "table") and visual.x is None:
        return f"A {visual.kind} needs 'x': the column to split by."
    if visual.kind == "kpi" and len(visual.y) != 1:
        return "A kpi shows one measure. Use one visual per number."
    if visual.kind == "pie" and len(visual.y) != 1:
        return "A pie shows one measure."
    if visual.kind in ("line", "stacked_area", "bar") and visual.color is not None and len(visual.y) > 1:
        return "A chart with 'color' takes one measure: QuickSight draws nothing for two."
    if visual.kind == "pivot" and visual.color is None:
        return "A pivot needs 'color': the column that goes across. Without it, use a table."
    if (visual.kind == "combo") != bool(visual.second):
        return "'line' belongs to a combo, and a combo needs it: the measures drawn as lines."
    if visual.drill and (visual.x is None or visual.x.granularity in ("", "hour")):
        return "'drill' needs a time column on 'x', coarser than an hour: x = \"hour_start:day\"."
    return ""


def _mixed_currencies(visual: Visual, source: Source) -> str:
    """Amounts in different currencies are never added up; empty when none are."""
    split = {axis.column for axis in (visual.x, visual.color) if axis is not None}
    for name in (*visual.y, *visual.second):
        measure = source.measures[name]
        if measure.currency and measure.currency not in split:
            return (
                f"{measure.title!r} is an amount, and amounts in different currencies are not added up. "
                f"Put {measure.currency!r} on 'x' or 'color'."
            )
    return ""


def _measures(section: Section, key: str, source: Source) -> tuple[str, ...]:
    names = section.texts(key)
    if not names:
        raise section.fail(f"{key!r} is empty. Name a measure.", key)
    for name in names:
        if name not in source.measures:
            known = ", ".join(source.measures) or "none"
            raise section.fail(f"{source.report} has no measure {name!r}. Declared: {known}.", key)
    return names


def _axis(section: Section, key: str) -> Axis | None:
    if key not in section.values:
        return None
    column, _, granularity = section.text(key).partition(":")
    if granularity and granularity not in GRANULARITIES:
        raise section.fail(
            f"Unknown granularity {granularity!r}. Use one of: {', '.join(GRANULARITIES)}.", key
        )
    return Axis(column, granularity)


def _span(section: Section) -> tuple[int, int]:
    value = section.values.get("span")
    if not (isinstance(value, list) and len(value) == 2 and all(type(entry) is int for entry in value)):
        raise section.fail("'span' must be [columns, rows], for example [18, 9].", "span")
    columns, rows = value
    if not (1 <= columns <= GRID_COLUMNS and 1 <= rows <= GRID_ROW_SPAN):
        raise section.fail(
            f"'span' is out of the grid: 1-{GRID_COLUMNS} columns, 1-{GRID_ROW_SPAN} rows.", "span"
        )
    return columns, rows


def _known_report(section: Section, sources: Mapping[str, Source]) -> str:
    report = section.text("report")
    if report not in sources:
        raise section.fail(f"Report {report!r} has no [report.{report}] in this file. Add it.", "report")
    return report


def _checked(pattern: re.Pattern[str], value: str, section: Section, *keys: str) -> str:
    if not pattern.match(value):
        raise section.fail(
            f"{value!r} is not a valid name. Use lower-case letters, digits and - (ids) or _ (names).", *keys
        )
    return value


def _period(section: Section, key: str) -> tuple[str, str]:
    """First day, and the day behind the last one, of `all` or `2013-01-01 to 2013-12-31`; else nothing."""
    text = section.text(key)
    if text == "all":
        return EVER
    first, said, last = text.partition(" to ")
    if not said:
        return "", ""
    try:
        begin, end = date.fromisoformat(first.strip()), date.fromisoformat(last.strip())
    except ValueError as error:
        raise section.fail(
            f"Cannot read the period {text!r}. Write 2013-01-01 to 2013-12-31, all, or 7d.", key
        ) from error
    if end < begin:
        raise section.fail(f"The period {text!r} ends before it begins. Write its first day first.", key)
    return begin.isoformat(), (end + timedelta(days=1)).isoformat()


def _seconds(section: Section, key: str) -> int:
    match = _DURATION.match(section.text(key))
    if match is None:
        also = {"default": ", all, or 2013-01-01 to 2013-12-31", "stale_after": ", or never"}.get(key, "")
        raise section.fail(f"Cannot read the duration {section.text(key)!r}. Write 90m, 6h or 7d{also}.", key)
    return int(match[1]) * _SECONDS[match[2]]
