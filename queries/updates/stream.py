"""Records of the jobs table's stream, as Lambda hands them over."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from queries.jobs.dynamodb import DATA, HASH_KEY, STATE
from queries.updates.rules import Image


def images(records: Iterable[Mapping[str, Any]]) -> Iterator[Image]:
    """What the records say of jobs. A removal, and the list of jobs that are not over, say nothing."""
    for record in records:
        change = record["dynamodb"]
        item = change.get("NewImage", {})
        if STATE in item:
            text = item.get(DATA, {}).get("S", "")
            yield Image(str(change["SequenceNumber"]), item[HASH_KEY]["S"], text)
