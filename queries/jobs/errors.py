"""Why something asked of jobs is refused. Each message says what to do."""


class JobRefusedError(Exception):
    """What was asked for cannot be done as things are; the text says why and what to do."""


class OverlapError(JobRefusedError):
    """Another job that is not over has some of the same partitions, or imports some of the same files."""

    def __init__(self, other: str) -> None:
        super().__init__(
            f"Job {other} has some of the same work to do. Wait until it is over, or cancel it first."
        )
        self.other = other


class TooManyJobsError(JobRefusedError):
    """So many jobs are not over that no other one is taken."""


class KeyReusedError(JobRefusedError):
    """The same idempotency key came with another request."""


class StateError(JobRefusedError):
    """The job's state does not allow it."""


class UnknownJobError(LookupError):
    """There is no such job; it may have expired."""


class RequestError(ValueError):
    """A request cannot be read or names what is not there; the text says what is wrong in it."""
