"""The use case: stale report partitions are claimed, computed, audited and published.

One `Refresher` serves every trigger. Whatever worker calls it, whenever, however often, with others at the
same time: the ledger's rules decide who does what, and a worker that ends halfway leaves a run that the next
one adopts.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence

from msgspec.structs import replace

from queries.engine.port import QueryEngine, QueryRefusedError, QueryStatus, QueryThrottledError
from queries.lake.inputs import damaged, inputs_of, read_objects, shrunk
from queries.lake.port import LakeIndex, Listed
from queries.ledger import restoring, rules
from queries.ledger.port import OPTIMISTIC_TRIES, ConflictError, LedgerTable, Write
from queries.ledger.state import Input, PartitionState, Run, SupersededError
from queries.partitions import Key, LakeHour
from queries.reference.versions import current_versions, unpublished
from queries.refresh.catalog import ReportQuery
from queries.refresh.due import DueKeys
from queries.refresh.marking import Marking
from queries.refresh.publication import Publication
from queries.refresh.rendering import sql_sha, unload
from queries.refresh.sealing import needs_no_seal
from queries.refresh.summary import Policy, Summary
from queries.store.checks import kept_reason
from queries.store.port import NewerVersionError, ReportStore, SwapRefusedError

MOST_ACTIVE = 8
"""Query executions that one worker runs at most: well below Athena's quota, which counts queued ones too."""


_DEFAULTS = Policy()


class Refresher:
    """Marks partitions stale and makes them fresh. `clock` gives epoch milliseconds, `sleep` takes them."""

    def __init__(
        self,
        *,
        ledger: LedgerTable,
        lake: LakeIndex,
        engine: QueryEngine,
        store: ReportStore,
        queries: Mapping[str, ReportQuery],
        clock: Callable[[], int],
        sleep: Callable[[int], None],
        policy: Policy = _DEFAULTS,
    ) -> None:
        self._ledger, self._lake, self._engine, self._store = ledger, lake, engine, store
        self._queries, self._clock, self._sleep, self._policy = queries, clock, sleep, policy
        self._publication = Publication(ledger, engine, store, clock)
        self._marking = Marking(ledger, store, queries, clock=clock, policy=policy)

    def mark(
        self, keys: Iterable[Key], *, force: bool = False, accept: bool = False, at_once: bool = False
    ) -> int:
        """Note that these partitions are stale (see `Marking.mark`); how many they are."""
        return self._marking.mark(keys, force=force, accept=accept, at_once=at_once)

    def hasten(self, keys: Iterable[Key]) -> None:
        """Make those of these partitions that are stale due at once, also those that were quarantined."""
        self._marking.hasten(keys)

    def work(self, *, stop_at: int, hard_end: int, wait: bool = True) -> Summary:
        """Adopt what others left, and run what is due, until nothing is or the clock shows `stop_at`.

        Without `wait` it starts what is due and publishes what has finished, and leaves the rest to the next
        worker. The worker must be dead for certain at `hard_end`: leases rest on it.
        """
        summary, due = Summary(), DueKeys(self._ledger, self._clock, self._queries)
        active = self._adopt(hard_end, summary)
        while True:
            if self._clock() < stop_at and len(active) < MOST_ACTIVE:
                active += self._claim(due, MOST_ACTIVE - len(active), stop_at, hard_end, summary)
            if not active:
                return summary
            active = [after for run in active if (after := self._advance(run, summary)) is not None]
            if active and (not wait or self._clock() >= stop_at):
                for run in active:
                    self._hand_over(run, summary)
                return summary
            if active:
                self._sleep(self._policy.poll)

    def _adopt(self, hard_end: int, summary: Summary) -> list[Run]:
        adopted = []
        for run in self._ledger.runs():
            if not rules.is_adoptable(run, self._clock()):
                continue
            mine = rules.adopt(run, hard_end)
            try:
                self._ledger.commit([mine])
            except ConflictError:
                continue
            adopted.append(replace(mine, revision=mine.revision + 1))
        summary.adopted += len(adopted)
        return adopted

    def _claim(self, due: DueKeys, most: int, stop_at: int, hard_end: int, summary: Summary) -> list[Run]:
        claimed: list[Run] = []
        due.begin()
        while self._clock() < stop_at and len(claimed) < most and (keys := due.take(rules.CHUNK)):
            query = self._queries[keys[0].report]
            claimed += self._claim_chunk(query, keys, hard_end, most - len(claimed), summary)
        return claimed

    def _claim_chunk(
        self, query: ReportQuery, keys: Sequence[Key], hard_end: int, most: int, summary: Summary
    ) -> list[Run]:
        """Claim what can be claimed of these partitions, in runs small enough for their past failures."""
        now, sha = self._clock(), sql_sha(query)
        # The order matters: dirty_seq is read before the lake is listed, and the claim only succeeds on the
        # very items read here. So everything that a mark told of before the claim is in the listing.
        states = [state for state in self._ledger.partitions(keys).values() if rules.is_claimable(state, now)]
        names = [state.partition for state in states]
        # So is the version of each reference table: a query that starts later reads this one or a newer one.
        references = current_versions(self._store, query.report)
        objects = read_objects(self._lake, query.report, names)
        inputs = inputs_of(query.report, names, objects, references)
        writes: list[list[Write]] = []
        runs: list[Run] = []
        unchanged = [state for state in states if rules.is_unchanged(state, inputs[state.partition], sha)]
        if unchanged:
            writes.append([rules.settle(state, now) for state in unchanged])
        rest = sorted((state for state in states if state not in unchanged), key=lambda state: state.key)
        if left_open := [state for state in rest if needs_no_seal(query, state, objects)]:
            writes.append([rules.leave_open(one, inputs[one.partition], sha) for one in left_open])
            rest = [state for state in rest if state not in left_open]
        # Whatever is wrong with an object concerns the partitions that read its hour, not their neighbours.
        wrong = self._wrong_inputs(query, rest, inputs, objects)
        if refused := [state for state in rest if wrong[state.partition]]:
            writes.append(
                [rules.refuse(one, wrong[one.partition], inputs[one.partition], sha) for one in refused]
            )
            rest = [state for state in rest if state not in refused]
            summary.failed |= {state.key: wrong[state.partition] for state in refused}
        while rest and len(runs) < most:
            size = 1 if query.report.context_seconds else rules.chunk_size(rest)
            taken, rest = rest[:size], rest[size:]
            run, members = rules.claim(
                taken,
                inputs,
                prefix=query.report.prefix,
                sql_sha=sha,
                now=self._clock(),
                as_of=now,
                hard_end=hard_end,
            )
            runs.append(run)
            writes.append([run, *members])
        claimed = []
        for batch in writes:
            try:
                self._ledger.commit(batch)
            except ConflictError:
                continue  # a mark came in between; they are still due, and the next look takes them
            if isinstance(batch[0], Run):
                claimed.append(replace(batch[0], revision=1))
                summary.claimed += len(batch) - 1
            elif unchanged and batch is writes[0]:
                summary.unchanged += [state.key for state in unchanged]
        return claimed

    def _wrong_inputs(
        self,
        query: ReportQuery,
        states: Sequence[PartitionState],
        inputs: Mapping[str, Input],
        objects: Mapping[LakeHour, Sequence[Listed]],
    ) -> dict[str, str]:
        """Why partitions must not be computed from what the lake holds; empty for those that may."""
        wrong = {state.partition: unpublished(inputs[state.partition].references) for state in states}
        for state in states:
            if not state.accepts and not wrong[state.partition]:
                before = state.published.input if state.published else None
                wrong[state.partition] = shrunk(query.report, before, inputs[state.partition])
        unsure = [state for state in states if not state.accepts and not wrong[state.partition]]
        return wrong | damaged(self._lake, query.report, query.tables, unsure, objects)

    def _advance(self, run: Run, summary: Summary) -> Run | None:
        """One step of a run; the run as it is then, None when it is no longer this worker's to go on with."""
        try:
            return self._step(run, summary)
        except (SupersededError, ConflictError):
            return None

    def roll_back(self, key: Key, *, hard_end: int) -> PartitionState:
        """Serve the version before the current one. Raises NoEarlierVersionError, ConflictingRunError.

        A process that ends halfway leaves a run that the next worker completes.
        """
        for _ in range(OPTIMISTIC_TRIES):
            state = self._ledger.partitions([key]).get(key, rules.new(key))
            run, claimed = restoring.claim_earlier(state, now=self._clock(), hard_end=hard_end)
            try:
                self._ledger.commit([run, claimed])
            except ConflictError:
                continue
            self._publication.restore(replace(run, revision=1))
            return self._ledger.partitions([key])[key]
        raise ConflictError(f"{key} was written by another writer each time. Try again.")

    def _step(self, run: Run, summary: Summary) -> Run | None:
        if run.restores is not None or run.repeats:
            self._bring_back(run, summary)
            return None
        query = self._queries.get(run.report)
        if query is None or (run.query_execution_id is None and run.sql_sha != sql_sha(query)):
            self._publication.give_up(
                run, "The report's SQL was changed meanwhile.", retry_in=0, counts=False
            )
            return None
        if run.query_execution_id is None:
            return self._start(run, query, summary)
        status = self._engine.look(run.query_execution_id)
        if status.state == "running":
            return run
        if status.state == "failed":
            self._fail(run, status, summary)
            return None
        try:
            self._publication.publish(run, query, status.bytes_scanned, summary.published, summary.failed)
            summary.bytes_scanned += status.bytes_scanned
        except NewerVersionError as error:
            self._publication.give_up(run, str(error), retry_in=0, counts=False)
        except SwapRefusedError as error:
            self._note(run, str(error), summary)
            self._hand_over(run, summary)
        return None

    def _bring_back(self, run: Run, summary: Summary) -> None:
        """Serve what the run restores or repeats; what cannot be, is compared with the ledger again."""
        try:
            if run.repeats:
                self._publication.repeat(run)
                summary.recovered += [Key(run.report, partition) for partition in run.partitions]
            else:
                self._publication.restore(run)
        except NewerVersionError:
            self._publication.let_go(run)
        except SwapRefusedError as error:
            self._note(run, str(error), summary)
            self._hand_over(run, summary)

    def _start(self, run: Run, query: ReportQuery, summary: Summary) -> Run | None:
        sql = unload(query, run.partitions, self._store.url(run.location))
        try:
            started = self._engine.start(sql, run.token)
        except QueryThrottledError:
            return run
        except QueryRefusedError as error:
            # A token that stands for other SQL is not a fault of the report: a new claim has a new token.
            retry = 0 if error.is_token_taken else None
            self._note(run, str(error), summary)
            self._publication.give_up(run, str(error), retry_in=retry)
            return None
        summary.statements += 1
        return self._publication.rewrite_run(run, lambda found: rules.store_id(found, run.fence, started))

    def _note(self, run: Run, error: str, summary: Summary) -> None:
        summary.failed |= {Key(run.report, partition): error for partition in run.partitions}

    def _fail(self, run: Run, status: QueryStatus, summary: Summary) -> None:
        reason = kept_reason(status.reason, run.query_execution_id or "")
        self._note(run, reason, summary)
        if status.failure == "transient":
            retry: int | None = self._policy.retry
        elif len(run.partitions) > 1 and status.failure in ("resources", "input"):
            # Less may fit; and an object that cannot be read concerns the partitions of its hour only.
            retry = 0
        else:
            retry = None
        self._publication.give_up(run, reason, retry_in=retry)

    def _hand_over(self, run: Run, summary: Summary) -> None:
        try:
            self._publication.rewrite_run(run, lambda found: rules.hand_over(found, run.fence, self._clock()))
        except (SupersededError, ConflictError):
            return
        summary.handed_over += 1
