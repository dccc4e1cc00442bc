"""Write, audit, publish: from the files of a finished query execution to what readers see."""

from collections.abc import Callable, Mapping, Sequence

from msgspec.structs import replace

from queries.engine.port import QueryEngine, QueryFailedError
from queries.ledger import restoring, rules
from queries.ledger.port import OPTIMISTIC_TRIES, ConflictError, LedgerTable, Remove
from queries.ledger.state import Input, PartitionState, Published, Run, SupersededError
from queries.partitions import Key
from queries.refresh.catalog import ReportQuery
from queries.refresh.rendering import select
from queries.store.checks import FAILED_CHECK, UNTOLD, failures, parse_checks
from queries.store.port import Entry, Output, ReportStore


class Publication:
    """Ends runs: published, or given up."""

    def __init__(
        self, ledger: LedgerTable, engine: QueryEngine, store: ReportStore, clock: Callable[[], int]
    ) -> None:
        self._ledger, self._engine, self._store, self._clock = ledger, engine, store, clock

    def publish(
        self, run: Run, query: ReportQuery, bytes_scanned: int, published: list[Key], failed: dict[Key, str]
    ) -> None:
        """Audit the run's files; swap the partitions that pass, set the others aside. Adds to both arguments.

        An hour that was marked since its sealing run began stays open: sealed without what has just come, it
        would show readers less than before.
        Every step can be done again by a worker that adopts the run. Raises SupersededError, ConflictError,
        NewerVersionError and SwapRefusedError.
        """
        report = query.report
        outputs = self._store.outputs(run.location, report.grain)
        states = self._ledger.partitions([Key(run.report, partition) for partition in run.partitions])
        versions: dict[str, Published] = {}
        wrong: dict[str, str] = {}
        reopened: set[str] = set()
        untold = sorted(name for name, output in outputs.items() if output.untold)
        counted = self._failing(query, untold) if untold else {}
        for state in states.values():
            if state.run_id != run.run_id:
                continue  # its item was lost, and began again: who claims that computes it
            output = outputs.get(state.partition, Output())
            failing = (*output.failed, *counted.get(state.partition, ()))
            found = failures(report, rows=output.rows, failed=failing, columns=output.columns)
            if query.waits_for_lateness and state.dirty_seq > state.claimed_seq:
                reopened.add(state.partition)
            elif found:
                wrong[state.partition] = self._explain(
                    query, state.partition, found, failing_rows=bool(failing)
                )
            else:
                versions[state.partition] = self._version(run, report.grain, state, output, bytes_scanned)
        self.rewrite_run(run, lambda stored: rules.begin_publishing(stored, run.fence, self._clock()))
        if versions:
            self._store.swap(
                run.report,
                [Entry(name, version.location, parameters(version)) for name, version in versions.items()],
            )

        def end(state: PartitionState) -> PartitionState:
            now = self._clock()
            if state.partition in reopened:
                wait = report.debounce_seconds * 1000
                return rules.give_up(state, run, now, "", retry_in=wait, counts=False)
            if state.partition in versions:
                version = replace(versions[state.partition], published_at=now)
                return rules.complete(state, run, version, now)
            return rules.give_up(state, run, now, wrong[state.partition], retry_in=None)

        self._end(run, end)
        published += [Key(run.report, partition) for partition in versions]
        failed |= {Key(run.report, partition): text for partition, text in wrong.items()}

    def _failing(self, query: ReportQuery, partitions: Sequence[str]) -> Mapping[str, Sequence[str]]:
        """Which checks rows of these partitions fail, by partition, where the files do not say it.

        It costs the report's query once more, so it is for engines only that leave statistics out.
        """
        grain = query.report.grain
        sql = (
            f"SELECT DISTINCT {grain}, {FAILED_CHECK} FROM (\n{select(query, partitions)}\n) AS audited "  # noqa: S608
            f"WHERE {FAILED_CHECK} IS NOT NULL"
        )
        try:
            rows = self._engine.rows(sql).rows
        except QueryFailedError:
            return dict.fromkeys(partitions, (UNTOLD,))
        found: dict[str, list[str]] = {}
        for partition, check in rows:
            found.setdefault(str(partition), []).append(str(check))
        return found

    def restore(self, run: Run) -> None:
        """Serve the version that the run restores. Raises as `publish` does."""
        version = run.restores
        assert version is not None
        (partition,) = run.partitions
        self.rewrite_run(run, lambda stored: rules.begin_publishing(stored, run.fence, self._clock()))
        self._store.swap(run.report, [Entry(partition, version.location, parameters(version))])

        def end(state: PartitionState) -> PartitionState:
            now = self._clock()
            return restoring.restore(state, run, replace(version, published_at=now), now)

        self._end(run, end)

    def repeat(self, run: Run) -> None:
        """Make readers see again what is published. Raises as `publish` does."""
        states = self._ledger.partitions([Key(run.report, partition) for partition in run.partitions])
        mine = [state.partition for state in states.values() if state.run_id == run.run_id]
        self.rewrite_run(run, lambda stored: rules.begin_publishing(stored, run.fence, self._clock()))
        if mine:
            entries = [
                Entry(name, run.repeats[name].location, parameters(run.repeats[name])) for name in mine
            ]
            self._store.swap(run.report, entries)
        self._end(run, lambda state: restoring.repeat(state, run, self._clock()))

    def give_up(self, run: Run, error: str, *, retry_in: int | None, counts: bool = True) -> None:
        """End the run without a result. `retry_in` ms doubles with each failure of the partition."""

        def end(state: PartitionState) -> PartitionState:
            wait = None if retry_in is None else retry_in * 2**state.attempts
            return rules.give_up(state, run, self._clock(), error, retry_in=wait, counts=counts)

        self._end(run, end)

    def let_go(self, run: Run) -> None:
        """End a run that brought nothing back; its partitions are as they were before it."""
        self._end(run, lambda state: restoring.let_go(state, run, self._clock()))

    def rewrite_run(self, run: Run, rule: Callable[[Run], Run]) -> Run:
        """Apply a rule to the run as it is stored; the run then. Raises SupersededError when it has ended."""
        for _ in range(OPTIMISTIC_TRIES):
            stored = self._ledger.run(run.run_id)
            if stored is None:
                raise SupersededError(f"Run {run.run_id[:12]} has ended.")
            try:
                changed = rule(stored)
                self._ledger.commit([changed])
            except ConflictError:
                continue
            return replace(changed, revision=changed.revision + 1)
        raise ConflictError(f"Run {run.run_id[:12]} was written by another writer each time.")

    def _end(self, run: Run, rule: Callable[[PartitionState], PartitionState]) -> None:
        """Apply `rule` to the run's partitions and take the run out of the ledger, in one commit."""
        keys = [Key(run.report, partition) for partition in run.partitions]
        for _ in range(OPTIMISTIC_TRIES):
            stored = self._ledger.run(run.run_id)
            if stored is None or stored.fence != run.fence:
                raise SupersededError(f"Run {run.run_id[:12]} has ended or has another owner.")
            # An item that is not in the run was lost, and began again: it is not this run's any more.
            states = [one for one in self._ledger.partitions(keys).values() if one.run_id == run.run_id]
            try:
                self._ledger.commit([*map(rule, states), Remove(stored)])
            except ConflictError:
                continue  # a mark came in between
            return
        raise ConflictError(f"Run {run.run_id[:12]} could not be ended: its partitions change all the time.")

    def _version(
        self, run: Run, grain: str, state: PartitionState, output: Output, bytes_scanned: int
    ) -> Published:
        return Published(
            location=f"{run.location}{grain}={state.partition}/",
            fence=state.fence,
            published_at=self._clock(),
            as_of=run.as_of,
            rows=output.rows,
            # A chunk's bytes belong to its partitions in equal parts: Athena tells the sum only.
            bytes_scanned=bytes_scanned // len(run.partitions),
            query_execution_id=run.query_execution_id or "",
            sql_sha=run.sql_sha,
            input=run.inputs[state.partition],
            bytes=output.bytes,
        )

    def _explain(self, query: ReportQuery, partition: str, found: list[str], *, failing_rows: bool) -> str:
        """The failed checks, and how many rows fail them.

        The text goes to the ledger, the log and `report_freshness`, where no value of a row may stand.
        """
        text = f"Failed check: {'; '.join(found)}."
        if not failing_rows:
            return text
        rows = select(query, [partition])
        sql = (
            f"SELECT {FAILED_CHECK}, count(*) FROM (\n{rows}\n) AS audited "  # noqa: S608 - nothing is data
            f"WHERE {FAILED_CHECK} IS NOT NULL GROUP BY 1 ORDER BY 2 DESC, 1"
        )
        try:
            result = self._engine.rows(sql)
        except QueryFailedError:
            return text
        # Only checks that the report declares: what else a file names is not a valid name of ours.
        known = {check.text for check in parse_checks(query.report)[0]}
        counts = [f"{check}: {count}" for check, count in result.rows if check in known]
        seen = f"See them with: penstock reports run {query.report.name}"
        return f"{text} Rows that fail: {', '.join(counts)}. {seen}"


def parameters(version: Published) -> dict[str, str]:
    """What a Glue partition says of its version: a lost ledger is rebuilt from it (`version_of`)."""
    return {
        "fence": str(version.fence),
        "published_at": str(version.published_at),
        "as_of": str(version.as_of),
        "rows": str(version.rows),
        "bytes_scanned": str(version.bytes_scanned),
        "query_execution_id": version.query_execution_id,
        "sql_sha": version.sql_sha,
        "input_objects": str(version.input.objects),
        "input_bytes": str(version.input.bytes),
        "input_newest": str(version.input.newest),
        "fingerprint": version.input.digest,
        **({} if version.bytes is None else {"bytes": str(version.bytes)}),
    }


def version_of(entry: Entry) -> Published | None:
    """The version that a Glue partition names in its parameters; None when no run of ours wrote them."""
    said = entry.parameters
    if "fingerprint" not in said or entry.location.startswith("s3://"):
        return None  # an open hour keeps what its last seal wrote there, and lies elsewhere
    try:
        return Published(
            location=entry.location,
            fence=int(said["fence"]),
            published_at=int(said["published_at"]),
            as_of=int(said["as_of"]),
            rows=int(said["rows"]),
            bytes_scanned=int(said["bytes_scanned"]),
            query_execution_id=said["query_execution_id"],
            sql_sha=said["sql_sha"],
            input=Input(
                objects=int(said["input_objects"]),
                bytes=int(said["input_bytes"]),
                newest=int(said["input_newest"]),
                digest=said["fingerprint"],
            ),
            bytes=int(said["bytes"]) if "bytes" in said else None,
        )
    except (KeyError, ValueError):
        return None
