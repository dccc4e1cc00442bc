"""A changed report contract: what breaks is refused with file, line and visuals; what is added flows through."""

from collections.abc import Mapping
from dataclasses import replace

import pytest

from dashboards import emit
from dashboards.binding import ContractMismatchError, users
from dashboards.impact import impacts
from dashboards.lint.run import lint
from queries.contracts import Report, ReportColumn
from tests.dashboards.conftest import PLACE
from tests.shop import DASHBOARDS, REPORTS

COLUMNS = [(report.name, column.name) for report in REPORTS.values() for column in report.columns]
OTHER_TYPE = {"varchar": "bigint", "bigint": "varchar", "double": "varchar"}


def changed(name: str, *columns: ReportColumn) -> Mapping[str, Report]:
    """The contracts with other columns in one report."""
    return {**REPORTS, name: replace(REPORTS[name], columns=columns)}


def hits(report: str, column: str) -> set[str]:
    return {user for d in DASHBOARDS.values() if report in d.sources for user in users(d, report, column)}


def without(report: str, column: str) -> list[ReportColumn]:
    return [entry for entry in REPORTS[report].columns if entry.name != column]


@pytest.mark.parametrize(("report", "column"), COLUMNS)
def test_a_dropped_column_stops_everything_that_reads_it(report: str, column: str) -> None:
    contracts = changed(report, *without(report, column))
    _refused(contracts, report, column)
    (impact,) = impacts(REPORTS, contracts, DASHBOARDS)
    assert (impact.change, impact.is_safe) == ("dropped", not hits(report, column))


@pytest.mark.parametrize(("report", "column"), COLUMNS)
def test_a_renamed_column_stops_everything_that_reads_it(report: str, column: str) -> None:
    columns = [replace(c, name="renamed") if c.name == column else c for c in REPORTS[report].columns]
    contracts = changed(report, *columns)
    _refused(contracts, report, column)
    (impact,) = impacts(REPORTS, contracts, DASHBOARDS)
    assert (impact.change, impact.detail) == ("renamed", "now renamed")
    assert {hit.split(": ", 1)[1] for hit in impact.hits} == hits(report, column)


@pytest.mark.parametrize(("report", "column"), COLUMNS)
def test_a_retyped_column_is_found_before_it_is_deployed(report: str, column: str) -> None:
    columns = [
        replace(c, type=OTHER_TYPE[c.type]) if c.name == column else c for c in REPORTS[report].columns
    ]
    contracts = changed(report, *columns)
    (impact,) = impacts(REPORTS, contracts, DASHBOARDS)
    assert impact.change == "retyped"
    assert {hit.split(": ", 1)[1] for hit in impact.hits} == hits(report, column)
    if not hits(report, column):
        return
    try:
        found = lint(emit.resources(contracts, DASHBOARDS, **PLACE), DASHBOARDS, contracts)
    except ContractMismatchError as error:
        assert all(mismatch.line for mismatch in error.mismatches)
        return
    # A text where a number was (or the other way round) is an error of type; only a count takes either.
    assert [finding for finding in found if finding.line and not finding.is_note] or _any_kind_will_do(
        report, column
    )


@pytest.mark.parametrize("report", list(REPORTS))
def test_an_added_column_is_in_the_dataset_with_no_other_edit(report: str) -> None:
    contracts = changed(report, *REPORTS[report].columns, ReportColumn("extra", "decimal(18,2)", 1))
    resources = emit.resources(contracts, DASHBOARDS, **PLACE)
    assert not [finding for finding in lint(resources, DASHBOARDS, contracts) if not finding.is_note]
    properties = next(
        r.properties for r in resources.values()
        if r.properties.get("DataSetId") == f"penstock-{report.replace('_', '-')}" and "PhysicalTableMap" in r.properties
    )  # fmt: skip
    (table,) = properties["PhysicalTableMap"].values()
    assert [column["Type"] for column in table["CustomSql"]["Columns"] if column["Name"] == "extra"] == [
        "DECIMAL"
    ]
    assert "extra" in table["CustomSql"]["SqlQuery"]
    (impact,) = impacts(REPORTS, contracts, DASHBOARDS)
    assert (impact.change, impact.is_safe) == ("added", True)


def test_a_dropped_report_hits_its_whole_dashboard() -> None:
    contracts = {name: report for name, report in REPORTS.items() if name != "health_by_hour"}
    (impact,) = impacts(REPORTS, contracts, DASHBOARDS)
    assert not impact.is_safe
    with pytest.raises(ContractMismatchError, match="There is no report 'health_by_hour'"):
        emit.resources(contracts, DASHBOARDS, **PLACE)


def test_unchanged_contracts_have_no_impact() -> None:
    assert impacts(REPORTS, REPORTS, DASHBOARDS) == ()


def _refused(contracts: Mapping[str, Report], report: str, column: str) -> None:
    wanted = hits(report, column)
    if not wanted:
        emit.resources(contracts, DASHBOARDS, **PLACE)
        return
    with pytest.raises(ContractMismatchError) as caught:
        emit.resources(contracts, DASHBOARDS, **PLACE)
    named = {visual for mismatch in caught.value.mismatches for visual in mismatch.visuals}
    assert wanted <= named
    for mismatch in caught.value.mismatches:
        assert "/dashboards/definitions/" in mismatch.file
        assert mismatch.line > 1
        assert mismatch.column == column


def _any_kind_will_do(report: str, column: str) -> bool:
    expressions = [
        entry.expression
        for d in DASHBOARDS.values() if report in d.sources
        for entry in d.sources[report].measures.values()
        if f"{{{column}}}" in entry.expression
    ]  # fmt: skip
    return all(text.startswith(("count(", "distinct_count(")) for text in expressions)
