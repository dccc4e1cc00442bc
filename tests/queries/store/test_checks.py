"""Data-quality checks: how they are read, and what an audit makes of a run's files."""

import io

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from queries.contracts import ReportDefinitionError
from queries.engine.port import Rows
from queries.refresh.publication import Publication
from queries.store.checks import FAILED_CHECK, failed_check_sql, failures, kept_reason, parse_checks
from queries.store.parquet_footer import FooterError, footer_length, read_footer
from tests.queries.reports import declared

CHECKS = "-- checks: unique(path), not_null(path, views), views >= 1, errors <= views, rows between 1 and 5"
REPORT = declared(columns="path varchar, views bigint, errors bigint", more=CHECKS).report


def file_of(failed: list[str | None], **more: list[object]) -> bytes:
    target = io.BytesIO()
    columns = {"path": ["p"] * len(failed), "nested": [{"a": 1, "b": [1]}] * len(failed), **more}
    table = pa.table({**columns, FAILED_CHECK: pa.array(failed, pa.string())})
    pq.write_table(table, target, row_group_size=3)
    return target.getvalue()


def test_row_checks_and_row_counts_are_told_apart() -> None:
    rows, counts = parse_checks(REPORT)
    assert [check.text for check in rows] == [
        "unique(path)",
        "not_null(path, views)",
        "views >= 1",
        "errors <= views",
    ]
    assert [(count.least, count.most) for count in counts] == [(1, 5)]


@pytest.mark.parametrize(
    "check", ["unique(other)", "views >= other", "views", "sum(views) > 1", "views >= 1; DROP TABLE x"]
)
def test_a_check_that_cannot_be_read_is_refused(check: str) -> None:
    report = declared(columns="path varchar, views bigint", more=f"-- checks: {check}").report
    with pytest.raises(ReportDefinitionError, match="check"):
        parse_checks(report)


def test_uniqueness_is_within_one_partition() -> None:
    assert "PARTITION BY event_hour, path" in failed_check_sql(REPORT)


def test_a_report_without_row_checks_still_has_the_column() -> None:
    assert failed_check_sql(declared().report) == "CAST(NULL AS varchar)"


def test_too_few_and_too_many_rows_fail() -> None:
    assert failures(REPORT, rows=0, failed=(), columns=None)
    assert failures(REPORT, rows=6, failed=(), columns=("path", "views", "errors"))
    assert not failures(REPORT, rows=5, failed=(), columns=("path", "views", "errors"))


def test_a_file_without_a_declared_column_fails() -> None:
    assert "errors" in failures(REPORT, rows=1, failed=(), columns=("path", "views"))[0]


@settings(deadline=None)
@given(st.lists(st.sampled_from([None, "unique(path)", "views >= 1"]), min_size=1, max_size=12))
def test_a_footer_tells_which_checks_rows_fail(failed: list[str | None]) -> None:
    footer = read_footer(file_of(failed), FAILED_CHECK)
    assert footer.rows == len(failed)
    assert footer.columns == ("path", "nested", FAILED_CHECK)
    assert footer.values is not None
    assert set(footer.values) == {one for one in failed if one is not None}


def test_a_column_without_statistics_is_unknown_and_not_good() -> None:
    target = io.BytesIO()
    pq.write_table(pa.table({FAILED_CHECK: pa.array([None], pa.string())}), target, write_statistics=False)
    assert read_footer(target.getvalue(), FAILED_CHECK).values is None


@given(st.binary(max_size=200), st.integers(0, 300))
def test_bytes_that_are_not_footer_raise_only_footer_errors(junk: bytes, length: int) -> None:
    data = junk + length.to_bytes(4, "little") + b"PAR1"
    try:
        read_footer(data, FAILED_CHECK)
    except FooterError:
        return


def test_a_cut_off_file_is_not_a_parquet_file() -> None:
    with pytest.raises(FooterError):
        footer_length(file_of([None])[:-3])


@pytest.mark.parametrize(
    ("reason", "kept"),
    [
        ("INVALID_CAST_ARGUMENT: Cannot cast 'jane@example.com' to bigint", "INVALID_CAST_ARGUMENT"),
        ("HIVE_BAD_DATA: Malformed value jane@example.com in s3://x/y", "HIVE_BAD_DATA"),
        ("INVALID_FUNCTION_ARGUMENT: line 3:9: bad jane@example.com", "INVALID_FUNCTION_ARGUMENT line 3:9"),
        ("GENERIC_USER_ERROR: jane@example.com", "GENERIC_USER_ERROR"),
        ("jane@example.com is not a number", "an unknown error"),
    ],
)
def test_of_a_message_that_can_quote_rows_only_code_and_place_are_kept(reason: str, kept: str) -> None:
    found = kept_reason(reason, "q-1")
    assert found.startswith(f"{kept}. ")
    assert "q-1" in found
    assert "jane" not in found


@pytest.mark.parametrize(
    "reason",
    [
        "COLUMN_NOT_FOUND: line 3:9: Column 'vews' cannot be resolved",
        "SYNTAX_ERROR: line 1:1: mismatched input 'SELEC'",
        "EXCEEDED_LOCAL_MEMORY_LIMIT: Query exceeded per-node memory limit",
    ],
)
def test_a_message_about_the_statement_is_kept_whole(reason: str) -> None:
    assert kept_reason(reason, "q-1") == reason


def test_a_failed_check_says_how_many_rows_fail_it_and_shows_none_of_them() -> None:
    query = declared(columns="path varchar, views bigint, errors bigint", more=CHECKS)

    class Engine:
        def rows(self, sql: str) -> Rows:
            assert "LIMIT" not in sql
            found = [("views >= 1", 3), ("unique(path)", 1), ("jane@example.com", 1)]
            return Rows([FAILED_CHECK, "_col1"], ["varchar", "bigint"], found, 0, 0.0)

    publication = Publication(None, Engine(), None, lambda: 0)  # type: ignore[arg-type]
    failed = failures(REPORT, rows=4, failed=["views >= 1", "jane@example.com"], columns=None)
    text = publication._explain(query, "2026-11-24-10", failed, failing_rows=True)
    assert "Rows that fail: views >= 1: 3, unique(path): 1." in text
    assert "jane" not in text
