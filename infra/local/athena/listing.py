"""Many locations listed at once: the versions of a report's partitions lie in folders beside one another."""

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from itertools import islice, pairwise
from os.path import commonprefix
from typing import Any

from infra.local.athena.layout import bucket_and_key
from infra.local.athena.objects import StoredObject, every_object

_WORTH = 50
"""Objects that are read over for as much as the LIST of one location takes."""


def listed_together(locations: Sequence[str], s3: Any) -> Mapping[str, list[StoredObject]] | None:
    """The visible objects below each location (all end with a slash) that has any, by one reading over all keys
    from the first to the last of them. None where listing each takes less, or locations overlap.
    """
    ordered = sorted(set(locations))
    # A key is a text, in which two slashes are not one. It is cut behind a slash.
    shared = commonprefix([ordered[0], ordered[-1]]).rpartition("/")[0]  # noqa: RUF071
    overlap = any(after.startswith(before) for before, after in pairwise(ordered))
    if overlap or not shared.startswith("s3://"):
        return None
    most = _WORTH * len(ordered)
    after, until = ordered[0].removesuffix("/"), f"{ordered[-1]}\U0010ffff"
    read = [*islice(every_object(s3, f"{shared}/", after=after, until=until), most + 1)]
    if len(read) > most:
        return None
    found: dict[str, list[StoredObject]] = {}
    for stored in read:
        location = ordered[bisect_right(ordered, stored.address) - 1]
        prefix = bucket_and_key(location)[1]
        if stored.address.startswith(location) and not stored.is_hidden(prefix):
            found.setdefault(location, []).append(stored)
    return found
