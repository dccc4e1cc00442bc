"""Which run serves each partition of a report: a publish changes that, and nothing else does."""

import hashlib
from collections.abc import Iterable, Mapping
from typing import Any


def served(glue: Any, database: str, reports: Iterable[str]) -> Mapping[str, Mapping[str, str]]:
    """Report -> partition -> location. Raises ClientError."""
    found = {}
    for report in reports:
        pages: Any = glue.get_paginator("get_partitions").paginate(
            DatabaseName=database, TableName=report, ExcludeColumnSchema=True
        )
        found[report] = {
            str(partition["Values"][0]): str(partition.get("StorageDescriptor", {}).get("Location", ""))
            for page in pages
            for partition in page["Partitions"]
        }
    return found


def versions(glue: Any, database: str, reports: Iterable[str]) -> Mapping[str, str]:
    """Report -> a token of all that; empty for a report of which nothing was published yet.

    Raises ClientError.
    """
    return {
        report: _token(partitions) if partitions else ""
        for report, partitions in served(glue, database, reports).items()
    }


def _token(partitions: Mapping[str, str]) -> str:
    lines = "".join(f"{value} {location}\n" for value, location in sorted(partitions.items()))
    return hashlib.sha256(lines.encode()).hexdigest()


def moved(before: Mapping[str, str], now: Mapping[str, str]) -> frozenset[str]:
    """The partitions that another run serves now, came, or went."""
    return frozenset(value for value in {*before, *now} if before.get(value) != now.get(value))
