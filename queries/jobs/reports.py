"""What jobs ask of reports: forecasts, marks in the ledger, and a call of the query function."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from queries.commands.backfill import PeriodError, forecast, partitions_between
from queries.hours import HourNameError
from queries.jobs.errors import RequestError
from queries.jobs.port import Settled
from queries.jobs.rules import CHUNK, MOST_CHUNKS
from queries.jobs.scheduled import GRAINS
from queries.jobs.state import Backfill, Expected
from queries.lake.port import LakeIndex
from queries.ledger.port import LedgerTable
from queries.ledger.state import PartitionState
from queries.partitions import Key, window
from queries.refresh.catalog import ReportQuery, UnknownReportError, report_query
from queries.refresh.marking import Marking

WORK = {"penstock": "work"}


class BackfillForecasts:
    """What backfills will take, from the ledger and the lake's listing."""

    def __init__(self, ledger: LedgerTable, lake: LakeIndex, queries: Mapping[str, ReportQuery]) -> None:
        self._ledger, self._lake, self._queries = ledger, lake, queries

    def expected(self, request: Backfill) -> tuple[Expected, Sequence[str]]:
        """What it will take, and the partitions that need it. Raises RequestError."""
        query = self._query(request)
        plan = forecast(self._ledger, self._lake, query, request.first, request.last, force=request.force)
        expected = Expected(
            partitions=len(plan.partitions),
            unchanged=plan.unchanged,
            statements=plan.statements,
            bytes_scanned=plan.bytes_scanned,
            dollars=plan.dollars,
            measured=plan.measured,
        )
        return expected, [key.partition for key in plan.partitions]

    def _query(self, request: Backfill) -> ReportQuery:
        try:
            query = report_query(self._queries, request.report)
            # Reckoned before anything is enumerated: somebody may ask for thousands of years.
            (start, _), (_, end) = window(query.report, request.first), window(query.report, request.last)
            count = (end - start) // GRAINS[query.report.grain]
            if count > CHUNK * MOST_CHUNKS:
                raise RequestError(
                    f"The period has {count:,} partitions; a job takes {CHUNK * MOST_CHUNKS:,}. Ask for less."
                )
            partitions_between(query, request.first, request.last)
        except (UnknownReportError, PeriodError, HourNameError) as error:
            raise RequestError(str(error)) from error
        return query


class BackfilledReports(BackfillForecasts):
    """`Reports` with the ledger's marks, and the query function that computes what is due."""

    def __init__(
        self,
        ledger: LedgerTable,
        lake: LakeIndex,
        queries: Mapping[str, ReportQuery],
        marking: Marking,
        *,
        lambda_client: Any,
        query_function: str,
    ) -> None:
        super().__init__(ledger, lake, queries)
        self._marking, self._lambda, self._function = marking, lambda_client, query_function

    def mark(self, request: Backfill, partitions: Sequence[str], asked_by: str) -> None:
        """Have these computed, unless `asked_by` has had them marked before."""
        keys = [Key(request.report, partition) for partition in partitions]
        self._marking.mark(keys, force=request.force, at_once=True, asked_by=asked_by)

    def standing(
        self, report: str, partitions: Sequence[str], asked_by: str
    ) -> tuple[Mapping[str, Settled], Mapping[str, str]]:
        """How far each of these is for `asked_by`, and why those failed that did."""
        states = self._ledger.partitions([Key(report, partition) for partition in partitions])
        known = {key.partition: state for key, state in states.items()}
        settled: dict[str, Settled] = {}
        failed: dict[str, str] = {}
        for partition in partitions:
            state = known.get(partition)
            if state is None or state.asked_by != asked_by:
                settled[partition] = "unmarked"
            elif state.published_seq >= state.asked_seq:
                settled[partition] = "published"
            elif state.quarantined and state.run_id is None:
                failed[partition] = _reason(state)
            else:
                settled[partition] = "waiting"
        return settled, failed

    def go_on(self) -> None:
        """Have what is due computed; nobody waits for it."""
        self._lambda.invoke(
            FunctionName=self._function, InvocationType="Event", Payload=json.dumps(WORK).encode()
        )


def _reason(state: PartitionState) -> str:
    return state.last_error or "it was quarantined"
