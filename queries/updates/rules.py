"""Which changes of jobs become updates (pure)."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import msgspec

from queries.jobs.state import Job
from queries.updates.messages import JobUpdate, job_update


class Image(NamedTuple):
    """A job as one record of the table's stream has it: the record's number, and the item's key and text."""

    number: str
    job_id: str
    text: str


class Changed(NamedTuple):
    """An update, and the number of the record that it was made of."""

    update: JobUpdate
    number: str


class Batch(NamedTuple):
    """Updates in order of their records, and the numbers of records that cannot be read."""

    changed: Sequence[Changed]
    unreadable: Sequence[str]


def newest(images: Iterable[Image]) -> Batch:
    """The newest revision of each job, wherever in the batch it is."""
    found: dict[str, Changed] = {}
    unreadable: list[str] = []
    for image in images:
        update = _update(image)
        if update is None:
            unreadable.append(image.number)
            continue
        before = found.get(update.job_id)
        if before is None or before.update.revision < update.revision:
            found.pop(update.job_id, None)  # its place in the order is the new one's
            found[update.job_id] = Changed(update, image.number)
    return Batch(list(found.values()), unreadable)


def _update(image: Image) -> JobUpdate | None:
    try:
        job = msgspec.json.decode(image.text, type=Job)
    except msgspec.DecodeError:
        return None
    return job_update(job) if job.job_id == image.job_id else None


class Newest:
    """What a subscriber has seen of each job: an update that comes late, or twice, is none."""

    def __init__(self) -> None:
        self._seen: dict[str, int] = {}

    def take(self, update: Mapping[str, Any]) -> bool:
        """Whether its `revision` is newer than what was seen of the job; from then on it is seen."""
        job_id, revision = update["jobId"], update["revision"]
        if revision <= self._seen.get(job_id, 0):
            return False
        self._seen[job_id] = revision
        return True
