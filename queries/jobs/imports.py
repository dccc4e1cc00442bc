"""The files that jobs import: listed in the inbox, planned, and what became of them read back."""

from collections.abc import Sequence
from itertools import islice

import msgspec
from msgspec.structs import replace

from queries.jobs.errors import RequestError
from queries.jobs.import_plan import (
    INBOX,
    MOST_FILES,
    ChunkOutcome,
    ImportFile,
    ImportPlan,
    chunks_of_files,
    chunks_of_hours,
    most_bytes,
    outcome_key,
    plan_key,
    too_large,
)
from queries.jobs.port import ImportStore
from queries.jobs.state import Expected, Import, Job


class PlannedImports:
    """`Imports`. `inbox` is where people copy their files, and `sources` are the names of the project's."""

    def __init__(self, store: ImportStore, *, inbox: str, sources: Sequence[str]) -> None:
        self._store, self._inbox, self._sources = store, inbox, sources

    def expected(self, request: Import) -> Expected:
        """How many files there are, and their bytes. Raises RequestError."""
        files = self._files(request)
        return Expected(partitions=len(files), files=len(files), file_bytes=sum(each.size for each in files))

    def plan(self, job: Job) -> Sequence[Sequence[str]]:
        """Keep which files there are now; their keys by chunk."""
        assert isinstance(job.request, Import)
        files = self._files(job.request)
        chunks = chunks_of_files(files)
        self._write(
            ImportPlan(
                job_id=job.job_id,
                source=job.request.source,
                created_at=job.created_at,
                files=files,
                chunks=chunks,
                reading=len(chunks),
            )
        )
        return chunks

    def plan_further(self, job: Job) -> Sequence[Sequence[str]]:
        """Keep which hours are written; their names by chunk."""
        plan = msgspec.json.decode(self._store.read(plan_key(job.job_id)), type=ImportPlan)
        further = chunks_of_hours([self.outcome(job, chunk) for chunk in range(plan.reading)])
        self._write(replace(plan, chunks=[*plan.chunks[: plan.reading], *further]))
        return further

    def outcome(self, job: Job, chunk: int) -> ChunkOutcome:
        """What became of the chunk that was worked on last. Raises what the store raises without any."""
        return msgspec.json.decode(self._store.read(outcome_key(job.job_id, chunk)), type=ChunkOutcome)

    def _files(self, request: Import) -> list[ImportFile]:
        if request.source not in self._sources:
            known = ", ".join(self._sources) or "none"
            raise RequestError(f"There is no source {request.source!r}. There are: {known}.")
        files = list(islice(self._store.files(f"{INBOX}{request.prefix}"), MOST_FILES + 1))
        place = f"{self._inbox}{request.prefix}"
        if not files:
            raise RequestError(f"There are no files below {place!r}. Copy them there first.")
        if len(files) > MOST_FILES:
            raise RequestError(
                f"There are more than {MOST_FILES:,} files below {place!r}. Name fewer of them."
            )
        for file in files:
            is_packed = file.key.endswith(".gz")
            if file.size > most_bytes(is_packed=is_packed):
                raise RequestError(too_large(file.key, file.size, is_packed=is_packed))
        return files

    def _write(self, plan: ImportPlan) -> None:
        self._store.write(plan_key(plan.job_id), msgspec.json.encode(plan))
