"""What keeps jobs going: the worker behind the queue, and the look at every job once a minute."""

from collections.abc import Callable
from typing import NamedTuple

import msgspec

from queries.jobs import rules
from queries.jobs.changing import change
from queries.jobs.port import ChangedError, JobTable, Message, Orchestrator, Queue
from queries.jobs.state import Job


class MalformedMessageError(ValueError):
    """A message of the queue is none of ours."""


def read_message(body: str) -> Message:
    """The message in its text. Raises MalformedMessageError."""
    try:
        return msgspec.json.decode(body, type=_Body).message
    except msgspec.DecodeError as error:
        raise MalformedMessageError(f"The message names no job: {error}") from error


def message_body(message: Message) -> str:
    """The text of a message."""
    return msgspec.json.encode(_Body(*message)).decode()


class _Body(msgspec.Struct, frozen=True):
    job_id: str
    attempt: int

    @property
    def message(self) -> Message:
        return Message(self.job_id, self.attempt)


class Repaired(NamedTuple):
    """What one repair changed: jobs sent again, and jobs whose execution was dead."""

    sent: int
    revived: int


class Running:
    """Begins executions and repairs jobs. `clock` gives epoch milliseconds."""

    def __init__(
        self, table: JobTable, queue: Queue, orchestrator: Orchestrator, clock: Callable[[], int]
    ) -> None:
        self._table, self._queue, self._orchestrator, self._clock = table, queue, orchestrator, clock

    def take(self, message: Message) -> bool:
        """Begin the execution that the message asks for; False when there is none to begin any more."""
        job = self._table.job(message.job_id)
        if job is None or job.state != "QUEUED" or job.attempt != message.attempt:
            return False
        self._orchestrator.start(job)
        return True

    def repair(self) -> Repaired:
        """Send again what was lost on its way, and go on where an execution has died."""
        sent = revived = 0
        for job_id in self._table.active().jobs:
            job = self._table.job(job_id)
            if job is None or job.is_over:
                continue
            health = self._orchestrator.health(job)
            if health == "ended" or (health == "missing" and job.state == "RUNNING"):
                revived += self._send(job, lambda job: rules.next_attempt(job, self._clock()))
            elif health == "missing" and rules.needs_sending(job, self._clock()):
                sent += self._send(job, lambda job: rules.sent_again(job, self._clock()))
        return Repaired(sent, revived)

    def _send(self, read: Job, rule: Callable[[Job], Job]) -> int:
        """Apply the rule to the job as it was read, and queue it if it is to run. 1 if it changed."""

        def unchanged_since(job: Job) -> Job:
            return rule(job) if job.revision == read.revision else job

        try:
            job = change(self._table, read.job_id, unchanged_since)
        except ChangedError:
            return 0
        if job.revision == read.revision:
            return 0
        if job.state == "QUEUED":
            self._queue.send(Message(job.job_id, job.attempt))
        return 1
