"""Writes the hours of a chunk into the lake, from what was sorted when the files were read."""

import json
from collections.abc import Collection, Sequence
from pathlib import Path

from infra.importing.function.kept_journal import KeptJournal
from infra.importing.function.places import Places
from infra.importing.function.reading import EVENTS, FAILURES, file_folder
from infra.importing.session import Outcome
from producers.contracts import FilePlace
from producers.importing.excerpt import parts_of, together
from producers.importing.reading import Read
from producers.importing.sorting import INDEX, Sorter, run_name
from queries.jobs.import_plan import FAILED_RECORDS, SCRATCH, ChunkOutcome, ImportPlan

EXPIRED = "What was read of the files has expired. Start another job."


class ChunkWriter:
    """Writes chunks of hours."""

    def __init__(self, places: Places) -> None:
        self._places = places

    def write(self, plan: ImportPlan, chunk: int, folder: Path) -> tuple[ChunkOutcome, Sequence[FilePlace]]:
        """Write the hours of the chunk, or the failed records; whatever was written before is not again.

        Also the rows that the lake holds with another content.
        """
        names = plan.chunks[chunk]
        if not any(self._places.lake.names(f"{SCRATCH}{plan.job_id}/")):
            return ChunkOutcome(failed=dict.fromkeys(names, EXPIRED)), []
        is_failed = list(names) == [FAILED_RECORDS]
        events = self._sorter(plan, folder / EVENTS, EVENTS, [] if is_failed else names)
        failures = self._sorter(plan, folder / FAILURES, FAILURES, None if is_failed else [])
        state = folder / "state"
        journal = KeptJournal(state, self._places.lake, f"{SCRATCH}{plan.job_id}/chunk-{chunk:04d}.ndjson")
        # Each chunk numbers its events by itself: it is an epoch of the job's producer.
        head = {
            "producer_id": f"import-{plan.job_id}",
            "epoch": plan.created_at + chunk,
            "arrival_ms": self._places.clock(),
        }
        session = self._places.session(self._places.sources[plan.source], state)
        outcome = session.write(journal, head, events, failures, Read())
        return ChunkOutcome(counts=_counts(outcome)), outcome.corrections

    def _sorter(self, plan: ImportPlan, folder: Path, kind: str, hours: Collection[str] | None) -> Sorter:
        """What the files have of these hours, None for all: their bytes are fetched and nothing else."""
        lake, spills, wanted = self._places.lake, [], set(hours or ())
        places: list[str] = []
        for number in range(len(plan.files) if hours is None or hours else 0):
            place = f"{file_folder(plan.job_id, number)}{kind}/"
            index = json.loads(lake.get(f"{place}{INDEX}") or b"")
            if hours is None:
                wanted.update(index["hours"])
            spills.append((index, parts_of(index, index["hours"] if hours is None else hours)))
            places.append(place)
        folder.mkdir(parents=True)
        run = 0
        for place, (_, parts) in zip(places, spills, strict=True):
            for part in parts:
                body = lake.part(f"{place}{run_name(part.run)}", part.start, part.end)
                (folder / run_name(run)).write_bytes(body)
                run += 1
        (folder / INDEX).write_text(json.dumps(together(spills, wanted)))
        return Sorter.reopened(folder)


def _counts(outcome: Outcome) -> dict[str, int]:
    totals = outcome.totals
    return {
        "landed": totals.landed,
        "already_there": totals.settled,
        "copies": totals.copies,
        "failed": totals.failed,
        "failed_before": outcome.failures_known,
        "corrections": len(outcome.corrections),
        "objects": totals.objects,
        "bytes": totals.bytes,
    }
