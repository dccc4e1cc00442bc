"""Which version of its reference tables a report reads now."""

from collections.abc import Mapping

from queries.contracts import Report
from queries.reference.declaration import CURRENT
from queries.store.port import ReportStore


def current_versions(store: ReportStore, report: Report) -> Mapping[str, str]:
    """Reference table -> location of the version that queries read; empty for one never published."""
    return {table: _location(store, table) for table in report.reference_tables}


def _location(store: ReportStore, table: str) -> str:
    entry = store.served(table, [CURRENT]).get(CURRENT)
    return entry.location if entry is not None else ""


class UnpublishedReferenceError(LookupError):
    """A report joins a reference table that has no rows yet; the message says which and what to do."""


def require_published(store: ReportStore, report: Report) -> None:
    """Raises UnpublishedReferenceError where the report must not be computed."""
    if message := unpublished(current_versions(store, report)):
        raise UnpublishedReferenceError(message)


def unpublished(versions: Mapping[str, str]) -> str:
    """Why a report must not be computed: a join with a table that has no rows would be wrong in silence."""
    missing = [table for table, location in versions.items() if not location]
    if not missing:
        return ""
    names = ", ".join(missing)
    return f"Never published: {names}. Do so: penstock reference publish"
