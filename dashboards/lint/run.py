"""Every layer over everything that would be deployed; findings with the file and line of the declaration."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from dashboards.lint import datasets, neighbours, references, silent
from dashboards.lint.assets import Assets, pages
from dashboards.lint.findings import Finding, JsonPath
from dashboards.lint.shape import check_properties, check_shape
from dashboards.model import Dashboard
from queries.contracts import Report


def lint(
    resources: Mapping[str, Any], declared: Mapping[str, Dashboard], reports: Mapping[str, Report]
) -> tuple[Finding, ...]:
    """Findings, each once, in order of file and line. `resources` as dashboards.emit gives them."""
    assets = Assets(resources)
    found = [_located(finding, assets, declared) for finding in _all(assets, reports)]
    once = {(f.rule, f.file, f.line, f.message): f for f in reversed(found)}
    return tuple(sorted(once.values(), key=lambda f: (f.file, f.line, f.rule, f.message)))


def _all(assets: Assets, reports: Mapping[str, Report]) -> Iterator[Finding]:
    for name, resource in assets.resources.items():
        yield from check_properties(resource.type, _without_definition(resource.properties), name)
    for page in pages(assets):
        yield from check_shape("DashboardVersionDefinition", page.definition, page.asset, page.at)
        yield from references.check(page)
        yield from silent.check(page)
        yield from neighbours.check(page)
    yield from datasets.check(assets, reports)
    yield from silent.check_access(assets)


def _without_definition(properties: Mapping[str, Any]) -> dict[str, Any]:
    """An asset with an empty Definition in place of its own, which is walked once for all that share it."""
    if "Definition" not in properties:
        return dict(properties)
    return {**properties, "Definition": {"DataSetIdentifierDeclarations": []}}


def _located(finding: Finding, assets: Assets, declared: Mapping[str, Dashboard]) -> Finding:
    resource = assets.resources.get(finding.asset)
    properties = resource.properties if resource is not None else {}
    asset_id = next(
        (str(properties[key]) for key in ("DashboardId", "AnalysisId", "DataSetId") if key in properties),
        finding.asset,
    )
    suffix = asset_id.partition("-")[2]
    for dashboard in declared.values():
        if suffix == dashboard.name:
            return replace(finding, file=dashboard.file, line=_line(finding.path, properties, dashboard))
        for source in dashboard.sources.values():
            if suffix.removesuffix("-rules") == source.report.replace("_", "-"):
                is_access = suffix.endswith("-rules") or finding.rule.startswith(
                    ("silent/rls", "dataset/rules")
                )
                line = source.access.line if is_access and source.access else source.line
                return replace(finding, file=dashboard.file, line=line)
    first = next(iter(declared.values()), None)
    return replace(finding, file=first.file, line=1) if first else finding


def _line(path: JsonPath, properties: Mapping[str, Any], dashboard: Dashboard) -> int:
    """The line of the declared thing that a path leads through: visual, filter, measure or sheet."""
    lines = {visual.id: visual.line for visual in dashboard.visuals}
    lines |= {sheet.id: sheet.line for sheet in dashboard.sheets}
    lines |= {entry.id: entry.line for entry in dashboard.filters}
    for source in dashboard.sources.values():
        lines |= {f"{source.report}/{field.name}": field.line for field in source.fields.values()}
        lines |= {f"{source.report}/{entry.title}": entry.line for entry in source.measures.values()}
        lines[source.report] = source.line
    window = next((entry.line for entry in dashboard.filters if entry.kind == "range"), 1)
    value: Any = properties
    found = 1
    for step in path:
        try:
            value = value[step]
        except (KeyError, IndexError, TypeError):
            break
        if step == "ParameterDeclarations":
            found = window
        for name in _ids(value):
            found = lines.get(name, lines.get(name.removesuffix("-group"), found))
    return found


def _ids(value: Any) -> Iterator[str]:
    """The names by which a declaration may know a part of a Definition."""
    if not isinstance(value, Mapping):
        return
    if "DataSetIdentifier" in value and "Expression" in value:
        yield str(value["DataSetIdentifier"])
        yield f"{value['DataSetIdentifier']}/{value.get('Name')}"
    for key in (
        "SheetId",
        "VisualId",
        "ElementId",
        "FilterGroupId",
        "FilterId",
        "SourceFilterId",
        "Identifier",
    ):
        if isinstance(value.get(key), str):
            yield value[key]
