"""Data-quality checks of a report: read from its header, turned into SQL, validated on what a run wrote.

Row checks become one more column of the run's files, `failed_check`: NULL in a good row, else the check that
the row fails. It is computed by the query execution that computes the rows, so auditing a run costs no second
statement, and the files' footers tell whether every row is good.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from queries.contracts import Report, ReportDefinitionError

FAILED_CHECK = "failed_check"

UNTOLD = f"{FAILED_CHECK} (the files do not say which rows fail, and counting them failed)"
"""Instead of a check: the partition cannot be validated."""

_COMPARISON = re.compile(
    r"(?P<column>[a-z]\w*)\s*(?P<operator><=|>=|<>|=|<|>)\s*(?P<other>-?\d+(\.\d+)?|'[^']*'|[a-z]\w*)"
)
_CALL = re.compile(r"(?P<name>unique|not_null)\s*\(\s*(?P<columns>[a-z]\w*(\s*,\s*[a-z]\w*)*)\s*\)")
_ROWS = re.compile(r"rows between (?P<least>\d+) and (?P<most>\d+)")


_UNDECLARED = "a check that the report does not declare"

_CODE = re.compile(r"(?P<code>[A-Z][A-Z0-9_]{3,59})\b:?\s*(?P<line>line \d+:\d+)?")
_OF_THE_STATEMENT = re.compile(
    r"SYNTAX_ERROR|TYPE_MISMATCH|[A-Z_]*NOT_FOUND|MISSING_[A-Z_]+|AMBIGUOUS_[A-Z_]+|DUPLICATE_[A-Z_]+"
    r"|EXPRESSION_[A-Z_]+|NOT_SUPPORTED|INVALID_VIEW|INVALID_LITERAL|EXCEEDED_[A-Z_]+|HIVE_PATH_ALREADY_EXISTS"
)
_OF_THE_ENGINE = (
    "Query exhausted resources",
    "Query timeout",
    "Bytes scanned limit",
    "Query cancelled by user",
)


def kept_reason(reason: str, query_execution_id: str) -> str:
    """What may be kept of the text with which a query execution failed.

    An engine's message about data quotes it (`Cannot cast 'jane@example.com' to bigint`), and it would go to
    the ledger, the log and `report_freshness`. So a message is kept whole only for codes whose messages are
    about the statement; of others, the code and the place in the statement.
    """
    found = _CODE.match(reason)
    if found and _OF_THE_STATEMENT.fullmatch(found["code"]):
        return reason
    if any(reason.startswith(phrase) for phrase in _OF_THE_ENGINE):
        return next(phrase for phrase in _OF_THE_ENGINE if reason.startswith(phrase)) + "."
    code = " ".join(part for part in (found["code"], found["line"]) if part) if found else "an unknown error"
    return f"{code}. The message may quote rows: Athena has it at query execution {query_execution_id}."


@dataclass(frozen=True)
class RowCheck:
    """`text` as declared; `violated` is SQL that is true of a row that fails it."""

    text: str
    violated: str


@dataclass(frozen=True)
class RowCount:
    """How many rows a partition may have."""

    text: str
    least: int
    most: int


def parse_checks(report: Report) -> tuple[list[RowCheck], list[RowCount]]:
    """The report's checks. Raises ReportDefinitionError for one that cannot be read or names no column."""
    rows: list[RowCheck] = []
    counts: list[RowCount] = []
    for text in report.checks:
        if match := _ROWS.fullmatch(text):
            counts.append(RowCount(text, int(match["least"]), int(match["most"])))
        elif match := _CALL.fullmatch(text):
            columns = [_column(report, name.strip(), text) for name in match["columns"].split(",")]
            rows.append(RowCheck(text, _call(report, match["name"], columns)))
        elif match := _COMPARISON.fullmatch(text):
            rows.append(RowCheck(text, f"NOT ({_comparison(report, match, text)})"))
        else:
            raise ReportDefinitionError(
                report.file,
                1,
                f"Cannot read the check {text!r}. Write unique(a, b), not_null(a), a >= 0, a <= b, "
                "or rows between 1 and 500.",
            )
    return rows, counts


def failed_check_sql(report: Report) -> str:
    """The SQL expression of the column `failed_check`."""
    rows, _ = parse_checks(report)
    if not rows:
        return "CAST(NULL AS varchar)"
    # Only the first check that a row fails is named: its text must be one value for the footer's statistics.
    cases = " ".join(f"WHEN {check.violated} THEN {_literal(check.text)}" for check in rows)
    return f"CAST(CASE {cases} END AS varchar)"


def failures(report: Report, *, rows: int, failed: Sequence[str], columns: Sequence[str] | None) -> list[str]:
    """What is wrong with a partition of `rows` rows; empty when it may be published.

    `failed` holds the values of `failed_check` that its files contain, `columns` the files' column names
    (None when there are no files).
    """
    rows_checked, counts = parse_checks(report)
    found = [f"{check.text} (it has {rows})" for check in counts if not check.least <= rows <= check.most]
    declared_texts = {UNTOLD, *(check.text for check in rows_checked)}
    found += sorted({text if text in declared_texts else _UNDECLARED for text in failed})
    if columns is not None:
        declared = [column.name for column in report.columns]
        missing = [name for name in declared if name not in columns]
        if missing:
            found.append(f"columns (the files lack {', '.join(missing)})")
    return found


def _call(report: Report, name: str, columns: list[str]) -> str:
    if name == "not_null":
        return "(" + " OR ".join(f"{column} IS NULL" for column in columns) + ")"
    return f"count(*) OVER (PARTITION BY {', '.join([report.grain, *columns])}) > 1"


def _comparison(report: Report, match: re.Match[str], text: str) -> str:
    other = match["other"]
    if other[0].isalpha():
        other = _column(report, other, text)
    return f"{_column(report, match['column'], text)} {match['operator']} {other}"


def _column(report: Report, name: str, text: str) -> str:
    if name not in {column.name for column in report.columns}:
        raise ReportDefinitionError(
            report.file,
            1,
            f"The check {text!r} names {name!r}, which is not a valid column of the report. "
            f"It has: {', '.join(column.name for column in report.columns)}.",
        )
    return name


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
