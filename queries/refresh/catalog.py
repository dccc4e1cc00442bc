"""The reports with their SQL: what a run executes."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from importlib.resources import files

from queries.contracts import Report, file_text, parse_header, reports


@dataclass(frozen=True)
class ReportQuery:
    """A report and its SQL, without the header.

    A partition whose report `waits_for_lateness` is not due before its input counts as complete.
    """

    report: Report
    sql: str
    waits_for_lateness: bool = False


def parse_report(text: str, file: str) -> ReportQuery:
    """A SQL file's report and statement. Raises ReportDefinitionError."""
    report = parse_header(text, file)
    lines = text.splitlines()
    while lines and (lines[0].startswith("--") or not lines[0].strip()):
        lines.pop(0)
    return ReportQuery(report, "\n".join(lines).strip().removesuffix(";").strip())


@cache
def catalog() -> Mapping[str, ReportQuery]:
    """Every report of the package by name. Raises ReportDefinitionError."""
    folder = files("queries").joinpath("sql")
    return {
        name: parse_report(file_text(folder.joinpath(f"{name}.sql").read_bytes(), report.file), report.file)
        for name, report in reports().items()
    }


class UnknownReportError(LookupError):
    """No report has this name; the text lists those there are."""


def report_query(name: str) -> ReportQuery:
    """The report of this name. Raises UnknownReportError."""
    if name not in catalog():
        raise UnknownReportError(f"There is no report {name!r}. There are: {', '.join(catalog())}.")
    return catalog()[name]


def fingerprint(rendered: str) -> str:
    """A short digest of SQL text: two runs with the same one ran the same SQL."""
    return sha256(rendered.encode()).hexdigest()[:16]
