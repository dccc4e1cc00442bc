"""One chunk of an import: read or written, as its plan says, and what became of it kept."""

from collections.abc import Callable, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import msgspec

from infra.importing.function.places import Places
from infra.importing.function.reading import ChunkReader
from infra.importing.function.writing import ChunkWriter
from queries.jobs.import_plan import ChunkOutcome, ImportPlan, outcome_key, plan_key

SHOWN = 10
"""Corrected rows that are named."""


class Importer:
    """Works on chunks. `told` hears of rows that say something else than the lake, the first ones by name."""

    def __init__(self, places: Places, told: Callable[[int, Sequence[str]], None]) -> None:
        self._places, self._told = places, told

    def work(self, job_id: str, chunk: int) -> ChunkOutcome:
        """Do the chunk, or what is left of it, and keep its outcome. Raises botocore's errors."""
        plans = self._places.plans
        plan = msgspec.json.decode(plans.get(plan_key(job_id)) or b"", type=ImportPlan)
        with TemporaryDirectory(dir=self._places.scratch) as folder:
            outcome = self._done(plan, chunk, Path(folder))
        plans.put(outcome_key(job_id, chunk), msgspec.json.encode(outcome))
        return outcome

    def _done(self, plan: ImportPlan, chunk: int, folder: Path) -> ChunkOutcome:
        if chunk < plan.reading:
            return ChunkReader(self._places).read(plan, chunk, folder)
        outcome, corrections = ChunkWriter(self._places).write(plan, chunk, folder)
        if corrections:
            rows = [f"{plan.files[place.file].key}:{place.row}" for place in corrections[:SHOWN]]
            self._told(len(corrections), rows)
        return outcome
