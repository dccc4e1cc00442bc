"""The address of a receipt: which number it is of, as the query of a URL (pure)."""

from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import urlencode

from queries.receipts.cell import Asked, parse_words, shown
from queries.receipts.errors import UnknownCellError
from queries.refresh.catalog import ReportQuery, report_query

_KEY = "key."


def address_of(report: str, partition: str, keys: Mapping[str, Any], column: str) -> str:
    """The query that names a cell; what is behind a `?`."""
    named = [(f"{_KEY}{name}", shown(value)) for name, value in keys.items()]
    return urlencode([("report", report), ("partition", partition), *named, ("column", column)])


def asked_in(
    pairs: Iterable[tuple[str, str]], catalog: Mapping[str, ReportQuery]
) -> tuple[ReportQuery, Asked]:
    """The cell that an address names.

    Raises UnknownCellError, HourNameError, UnknownReportError.
    """
    given = list(pairs)
    found = dict(given)
    if missing := [name for name in ("report", "partition", "column") if not found.get(name)]:
        raise UnknownCellError(
            f"The address names no {missing[0]}. Write: ?report=REPORT&partition=PARTITION&key.KEY=VALUE"
            "&column=COLUMN"
        )
    query = report_query(catalog, found["report"])
    keys = [f"{name.removeprefix(_KEY)}={value}" for name, value in given if name.startswith(_KEY)]
    return query, parse_words(query.report, found["partition"], [*keys, found["column"]])
