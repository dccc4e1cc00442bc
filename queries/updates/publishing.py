"""From what has changed to updates that are published, over the ports."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import NamedTuple

from queries.api.reading.answers import report_answer
from queries.api.reading.asking import MOST_PARTITIONS
from queries.api.reading.port import Standings
from queries.api.reading.versions import version_of
from queries.contracts import Report
from queries.ledger.state import PartitionState
from queries.updates.messages import report_update
from queries.updates.port import Catalog, NotPublishedError, Publisher
from queries.updates.rules import Image, newest

LOOKS, SECONDS_BETWEEN = 20, 0.25
"""How often, and how long apart, the ledger is looked at for what the catalog serves already."""


class UnsettledError(RuntimeError):
    """The ledger does not have what the catalog serves; the report's worker may have ended in between."""


class Outcome(NamedTuple):
    """How many updates were published, and which records failed, by number, and why."""

    published: int
    failed: Mapping[str, str]


class Publishing:
    """Publishes updates. `sleep` waits for seconds."""

    def __init__(
        self,
        publisher: Publisher,
        standings: Standings,
        catalog: Catalog,
        reports: Mapping[str, Report],
        sleep: Callable[[float], None],
    ) -> None:
        self._publisher, self._standings, self._catalog = publisher, standings, catalog
        self._reports, self._sleep = reports, sleep

    def jobs(self, images: Iterable[Image]) -> Outcome:
        """Publish the newest revision of each job."""
        batch = newest(images)
        failed = dict.fromkeys(batch.unreadable, "The item is not a job.")
        for update, number in batch.changed:
            try:
                self._publisher.publish(update)
            except NotPublishedError as error:
                failed[number] = str(error)
        return Outcome(len(batch.changed) + len(batch.unreadable) - len(failed), failed)

    def report(self, name: str) -> bool:
        """Publish which version of the report there is; False for a table that is none of the reports.

        A run moves the catalog before it says so in the ledger, which is what subscribers then read. Raises
        UnsettledError, NotPublishedError.
        """
        report = self._reports.get(name)
        if report is None:
            return False
        states = self._settled(name)
        answer = report_answer(report, states, version_of(report, states), "all")
        self._publisher.publish(report_update(answer))
        return True

    def _settled(self, name: str) -> Sequence[PartitionState]:
        for look in range(LOOKS):
            if look:
                self._sleep(SECONDS_BETWEEN)
            states = self._standings.newest(name, MOST_PARTITIONS)
            locations = {state.partition: state.published.location for state in states if state.published}
            served = self._catalog.served(name, [state.partition for state in states])
            if all(entry.location == locations.get(value) for value, entry in served.items()):
                return states
        raise UnsettledError(
            f"The ledger does not have what the catalog serves of {name}. The next tick of the query "
            "function publishes it again."
        )
