"""Advice on SQL that somebody types."""

import re
from collections.abc import Mapping

from queries.refresh.sealing import sealing_queries
from queries.store.event_views import event_views
from transforms.contracts import EVENT_HOUR, LakeTable

_NO_CODE = re.compile(r"--[^\n]*|/\*.*?\*/|'(?:[^']|'')*'", re.DOTALL)


def warnings(sql: str, tables: Mapping[str, LakeTable]) -> list[str]:
    """What will cost more than it must: events that are read without a bound on their hours."""
    code = _NO_CODE.sub(" '' ", sql).lower()
    bounded = re.search(rf"\b{EVENT_HOUR}\s*(=|<|>|in\b|between\b|like\b)", code)
    if bounded:
        return []
    return [
        f"The query reads every hour of {table}. Add a bound, for example "
        f"WHERE {EVENT_HOUR} >= '2026-11-24-00', to scan less."
        for table in (*tables, *sealing_queries(tables), *event_views(tables))
        if re.search(rf"\b(from|join)\s+(\w+\.)?{table}\b", code)
    ]
