"""The reports with their SQL: what a run executes."""

from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from importlib.resources.abc import Traversable
from types import MappingProxyType

from queries.contracts import Report, ReportDefinitionError, in_its_file, parse_header, report_texts
from transforms.contracts import LakeTable


@dataclass(frozen=True)
class ReportQuery:
    """A report and its SQL, without the header; `tables` are those of `report.sources`, in their order.

    A partition whose report `waits_for_lateness` is not due before its input counts as complete.
    """

    report: Report
    sql: str
    tables: tuple[LakeTable, ...]
    waits_for_lateness: bool = False


def parse_report(text: str, file: str, tables: Mapping[str, LakeTable]) -> ReportQuery:
    """A SQL file's report and statement, over the project's lake tables by name.

    Raises ReportDefinitionError, also for a source that is none of the tables.
    """
    report = parse_header(text, file)
    if unknown := next((name for name in report.sources if name not in tables), None):
        known = ", ".join(tables)
        raise ReportDefinitionError(
            file, 1, f"There is no lake table {unknown!r}. There are: {known}.", "source"
        )
    lines = text.splitlines()
    while lines and (lines[0].startswith("--") or not lines[0].strip()):
        lines.pop(0)
    sql = "\n".join(lines).strip().removesuffix(";").strip()
    return ReportQuery(report, sql, tuple(tables[name] for name in report.sources))


def read_catalog(folder: Traversable, tables: Mapping[str, LakeTable]) -> Mapping[str, ReportQuery]:
    """Every report of a folder by name, with its SQL. Raises ReportDefinitionError, EncodingError."""
    found = [parse_report(text, file, tables) for file, text in report_texts(folder).items()]
    return MappingProxyType({in_its_file(query.report).name: query for query in found})


class UnknownReportError(LookupError):
    """No report has this name; the text lists those there are."""


def report_query(queries: Mapping[str, ReportQuery], name: str) -> ReportQuery:
    """The report of this name. Raises UnknownReportError."""
    if name not in queries:
        known = ", ".join(queries) or "none"
        raise UnknownReportError(f"There is no report {name!r}. There are: {known}.")
    return queries[name]


def fingerprint(rendered: str) -> str:
    """A short digest of SQL text: two runs with the same one ran the same SQL."""
    return sha256(rendered.encode()).hexdigest()[:16]
