"""References inside a Definition: everything that is named must be there, once, and of the right kind."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from dashboards.lint.assets import Page, each, field_bodies
from dashboards.lint.findings import Finding, JsonPath
from dashboards.lint.placement import _layouts

_FILTER_KINDS = {
    "TimeRangeFilter": "time", "TimeEqualityFilter": "time", "RelativeDatesFilter": "time",
    "NumericRangeFilter": "number", "NumericEqualityFilter": "number",
}  # fmt: skip
_FIELD_KINDS = {"DateDimensionField": "time", "DateMeasureField": "time", "NumericalDimensionField": "number",
                "NumericalMeasureField": "number", "CategoricalDimensionField": "text"}  # fmt: skip


def check(page: Page) -> Iterator[Finding]:
    """Findings of one Definition."""
    for rule in (
        _data_sets,
        _columns,
        _ids,
        _layouts,
        _scopes,
        _controls,
        _actions,
        _parameters,
        _fields,
        _missing,
    ):
        yield from rule(page)


def _data_sets(page: Page) -> Iterator[Finding]:
    used = {name for _, name in page.every("DataSetIdentifier")}
    for at, entry in enumerate(page.definition.get("DataSetIdentifierDeclarations", [])):
        path: JsonPath = ("DataSetIdentifierDeclarations", at)
        data_set_id = str(entry.get("DataSetArn", "")).rpartition("/")[2]
        if data_set_id not in page.assets.data_sets:
            yield page.found("reference/data-set-arn", path, f"No dataset {data_set_id!r} is emitted.",
                             "Name the ARN of an emitted dataset.")  # fmt: skip
        if entry.get("Identifier") not in used:
            yield page.found(
                "reference/unused-data-set",
                path,
                f"Dataset {entry.get('Identifier')!r} is never used.",
                "Remove the declaration.",
            )
    for path, name in page.every("DataSetIdentifier"):
        if name not in page.declared:
            yield page.found("reference/data-set", path, f"Dataset {name!r} is not declared.",
                             f"Use one of: {', '.join(page.declared)}.")  # fmt: skip


def _columns(page: Page) -> Iterator[Finding]:
    for path, column in page.every("Column"):
        if not isinstance(column, Mapping) or column.get("DataSetIdentifier") not in page.declared:
            continue
        identifier, name = column["DataSetIdentifier"], column.get("ColumnName")
        columns = page.columns(identifier)
        if columns and name not in columns and name not in page.field_names.get(identifier, set()):
            yield page.found(
                "reference/column",
                path,
                f"Dataset {identifier!r} has no column or field {name!r}.",
                f"Use one of: {', '.join([*columns, *page.fields.get(identifier, {})])}.",
            )
    for path, member, body, _ in page.filters:
        kind = _kind(page, body.get("Column", {}))
        wanted = _FILTER_KINDS.get(member)
        if kind and (wanted not in (None, kind) or (member == "CategoryFilter" and kind == "time")):
            yield page.found(
                "reference/filter-kind",
                (*path, "Column"),
                f"A {member} cannot filter a {kind}.",
                "Use the filter of the column's kind.",
            )
    for at, entry in enumerate(page.definition.get("CalculatedFields", [])):
        if entry.get("Name") in page.columns(str(entry.get("DataSetIdentifier"))):
            yield page.found(
                "reference/field-hides-column",
                ("CalculatedFields", at),
                f"Field {entry['Name']!r} has the name of a column.",
                "Rename the field.",
            )


def _kind(page: Page, column: Mapping[str, Any]) -> str | None:
    return page.columns(str(column.get("DataSetIdentifier"))).get(str(column.get("ColumnName")))


def _ids(page: Page) -> Iterator[Finding]:
    sheets = page.definition.get("Sheets", [])
    lists: list[tuple[str, list[tuple[JsonPath, str]]]] = [
        ("sheet", [(("Sheets", at), str(sheet.get("SheetId"))) for at, sheet in enumerate(sheets)]),
        ("visual", [(path, str(body.get("VisualId"))) for path, _, body, _ in page.visuals]),
        ("filter", [(path, str(body.get("FilterId"))) for path, _, body, _ in page.filters]),
        (
            "filter group",
            [
                (("FilterGroups", at), str(group.get("FilterGroupId")))
                for at, group in enumerate(page.definition.get("FilterGroups", []))
            ],
        ),
        (
            "parameter",
            [
                (("ParameterDeclarations", at), str(body.get("Name")))
                for at, entry in enumerate(page.definition.get("ParameterDeclarations", []))
                for body in entry.values()
            ],
        ),
        (
            "dataset identifier",
            [
                (("DataSetIdentifierDeclarations", at), str(entry.get("Identifier")))
                for at, entry in enumerate(page.definition.get("DataSetIdentifierDeclarations", []))
            ],
        ),
        (
            "calculated field",
            [
                (("CalculatedFields", at), f"{entry.get('DataSetIdentifier')}/{entry.get('Name')}")
                for at, entry in enumerate(page.definition.get("CalculatedFields", []))
            ],
        ),
        (
            "control",
            [
                (path, str(name))
                for key in ("ParameterControlId", "FilterControlId")
                for path, name in each(sheets, key, ("Sheets",))
            ],
        ),
    ]
    for path, _, body, _ in page.visuals:
        fields = [
            ((*path, *inner), str(field.get("FieldId")))
            for inner, _, field in field_bodies(body)
            if inner[0] == "ChartConfiguration"
        ]
        lists.append(("field", fields))
    for what, found in lists:
        yield from _repeated(page, what, found)


def _repeated(page: Page, what: str, found: Iterable[tuple[JsonPath, str]]) -> Iterator[Finding]:
    found = list(found)
    counts = Counter(name for _, name in found)
    seen: set[str] = set()
    for path, name in found:
        if counts[name] > 1 and name in seen:
            yield page.found("reference/duplicate-id", path, f"The {what} id {name!r} is used twice.",
                             "Give each its own.")  # fmt: skip
        seen.add(name)


def _scopes(page: Page) -> Iterator[Finding]:
    visuals = {(sheet, str(body.get("VisualId"))) for _, _, body, sheet in page.visuals}
    sheets = {str(sheet.get("SheetId")) for sheet in page.definition.get("Sheets", [])}
    for g, group in enumerate(page.definition.get("FilterGroups", [])):
        for path, scopes in each(group, "SheetVisualScopingConfigurations", ("FilterGroups", g)):
            for at, scope in enumerate(scopes):
                if scope.get("SheetId") not in sheets:
                    yield page.found(
                        "reference/scope-sheet",
                        (*path, at),
                        f"The filter is scoped to sheet {scope.get('SheetId')!r}, which does not exist.",
                        f"Use one of: {', '.join(sorted(sheets))}.",
                    )
                for name in scope.get("VisualIds", []):
                    if (str(scope.get("SheetId")), name) not in visuals:
                        yield page.found(
                            "reference/scope-visual",
                            (*path, at),
                            f"The filter is scoped to visual {name!r}, which is not on that sheet.",
                            "Name a visual of the sheet.",
                        )
                if scope.get("Scope") == "SELECTED_VISUALS" and not scope.get("VisualIds"):
                    yield page.found(
                        "reference/scope-visual",
                        (*path, at),
                        "The filter is scoped to selected visuals and names none.",
                        "Name them or use ALL_VISUALS.",
                    )


def _controls(page: Page) -> Iterator[Finding]:
    filters = {str(body.get("FilterId")): (member, group) for _, member, body, group in page.filters}
    for s, sheet in enumerate(page.definition.get("Sheets", [])):
        for path, name in each(
            sheet.get("FilterControls", []), "SourceFilterId", ("Sheets", s, "FilterControls")
        ):
            if name not in filters:
                yield page.found(
                    "reference/control-filter",
                    path,
                    f"The control sets the filter {name!r}, which does not exist.",
                    f"Use one of: {', '.join(filters)}.",
                )
            elif not _reaches(filters[name][1], str(sheet.get("SheetId"))):
                yield page.found(
                    "reference/control-scope",
                    path,
                    f"The control stands on a sheet that its filter {name!r} does not reach.",
                    "Add the sheet to the filter's scope.",
                )
        for c, entry in enumerate(sheet.get("ParameterControls", [])):
            for member, body in entry.items():
                path, name = ("Sheets", s, "ParameterControls", c, member), body.get("SourceParameterName")
                if name not in page.parameters:
                    yield page.found(
                        "reference/control-parameter",
                        path,
                        f"The control sets the parameter {name!r}, which is not declared.",
                        f"Use one of: {', '.join(page.parameters)}.",
                    )
                elif (member == "DateTimePicker") != (page.parameters[name] == "time"):
                    yield page.found(
                        "reference/control-kind",
                        path,
                        f"A {member} cannot set a {page.parameters[name]} parameter.",
                        "Use the control of the parameter's kind.",
                    )


def _reaches(group: Mapping[str, Any], sheet: str) -> bool:
    scope = group.get("ScopeConfiguration", {})
    if "AllSheets" in scope:
        return True
    scopes = scope.get("SelectedSheets", {}).get("SheetVisualScopingConfigurations", [])
    return any(entry.get("SheetId") == sheet for entry in scopes)


def _actions(page: Page) -> Iterator[Finding]:
    sheets = {str(sheet.get("SheetId")) for sheet in page.definition.get("Sheets", [])}
    visuals = {str(body.get("VisualId")) for _, _, body, _ in page.visuals}
    for path, _, body, _ in page.visuals:
        own = {str(field.get("FieldId")) for _, _, field in field_bodies(body)}
        for key, there, what in (
            ("TargetVisuals", visuals, "visual"),
            ("SelectedFields", own, "field of this visual"),
        ):
            for inner, names in each(body.get("Actions", []), key, (*path, "Actions")):
                for name in names:
                    if name not in there:
                        yield page.found(
                            "reference/action",
                            inner,
                            f"The action names {name!r}, which is no {what}.",
                            "Name one that exists.",
                        )
        for inner, name in each(body.get("Actions", []), "TargetSheetId", (*path, "Actions")):
            if name not in sheets:
                yield page.found(
                    "reference/action",
                    inner,
                    f"The action goes to sheet {name!r}, which does not exist.",
                    f"Use one of: {', '.join(sorted(sheets))}.",
                )


def _parameters(page: Page) -> Iterator[Finding]:
    for key in ("Parameter", "ParameterName", "DestinationParameterName"):
        for path, name in each(page.definition.get("FilterGroups", []), key, ("FilterGroups",)):
            yield from _parameter(page, path, name)
        for at, body_path in ((body, path) for path, _, body, _ in page.visuals):
            for path, name in each(at.get("Actions", []), key, (*body_path, "Actions")):
                yield from _parameter(page, path, name)
    for path, text in each(page.definition.get("Sheets", []), "RichText", ("Sheets",)):
        for piece in str(text).split("${")[1:]:
            yield from _parameter(page, path, piece.partition("}")[0])


def _parameter(page: Page, path: JsonPath, name: Any) -> Iterator[Finding]:
    if isinstance(name, str) and name not in page.parameters:
        yield page.found("reference/parameter", path, f"The parameter {name!r} is not declared.",
                         f"Use one of: {', '.join(page.parameters) or 'none yet'}.")  # fmt: skip


def _fields(page: Page) -> Iterator[Finding]:
    for path, _, body, _ in page.visuals:
        fields = {str(field.get("FieldId")): field for _, _, field in field_bodies(body)}
        hierarchies = {name for _, name in each(body.get("ColumnHierarchies", []), "HierarchyId")}
        for inner, member, field in field_bodies(body):
            where = (*path, *inner)
            kind = _kind(page, field.get("Column", {}))
            wanted = _FIELD_KINDS.get(member)
            if kind and wanted and kind != wanted and not (wanted == "text" and kind == "boolean"):
                yield page.found(
                    "silent/field-kind",
                    where,
                    f"A {member} cannot show a {kind}: the chart stays blank.",
                    "Use the field of the column's kind.",
                )
            if "HierarchyId" in field and field["HierarchyId"] not in hierarchies:
                yield page.found(
                    "reference/hierarchy",
                    where,
                    f"The hierarchy {field['HierarchyId']!r} is not in ColumnHierarchies.",
                    "Add it or drop the id.",
                )
        chart = body.get("ChartConfiguration", {})
        for part in ("SortConfiguration", "FieldOptions", "AxisLabelOptions", "ApplyTo"):
            for inner, found in each(chart, part, (*path, "ChartConfiguration")):
                for field_path, name in each(found, "FieldId", inner):
                    if name not in fields:
                        yield page.found(
                            "reference/field",
                            field_path,
                            f"{name!r} is not a field of this visual.",
                            f"Use one of: {', '.join(fields)}.",
                        )


def _missing(page: Page) -> Iterator[Finding]:
    """QuickSight writes such markers into exports when something was deleted under a dashboard."""
    for key in ("DataSetIdentifier", "ColumnName", "DataSetArn", "FieldId"):
        for path, name in page.every(key):
            if str(name).rpartition("/")[2].startswith("Missing"):
                yield page.found(
                    "silent/missing-marker",
                    path,
                    f"{name!r} is what QuickSight writes for something deleted.",
                    "Point it at what replaces it.",
                )
