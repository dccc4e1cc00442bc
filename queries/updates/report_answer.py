"""Reports as the GraphQL schema has them (pure)."""

from typing import Any

import msgspec

from queries.api.reading.answers import ReportAnswer
from queries.updates.spelling import in_camel_case


def report_answer(report: ReportAnswer) -> dict[str, Any]:
    """A report as it is now."""
    return in_camel_case(msgspec.structs.asdict(report))
