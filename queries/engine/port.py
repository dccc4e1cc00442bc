"""The port to what runs SQL: start, look, stop; and rows for people."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol

Failure = Literal["transient", "resources", "input", "definition"]
"""Whether a retry can help: yes; with less input; without the input that cannot be read; not before someone
changes the report.
"""


class QueryThrottledError(Exception):
    """The engine takes no more queries at the moment; the partition stays stale, try again later."""


class QueryRefusedError(Exception):
    """The engine does not take this request.

    Attributes:
        is_token_taken: the token stands for other SQL: the same request with another token may be taken.
            Otherwise the SQL itself is at fault.
    """

    def __init__(self, reason: str, *, is_token_taken: bool = False) -> None:
        super().__init__(reason)
        self.is_token_taken = is_token_taken


class QueryFailedError(Exception):
    """A query that somebody waits for ended without a result; the text says why."""


@dataclass(frozen=True)
class QueryStatus:
    """How a query execution stands. `failure` and `reason` are set when it failed or was cancelled."""

    state: Literal["running", "succeeded", "failed"]
    bytes_scanned: int = 0
    failure: Failure | None = None
    reason: str = ""


@dataclass(frozen=True)
class Rows:
    """A result: column names, their Athena types, rows in order, bytes scanned, seconds taken."""

    columns: Sequence[str]
    types: Sequence[str]
    rows: Sequence[Sequence[Any]]
    bytes_scanned: int
    seconds: float


class Reads(Protocol):
    """Runs SQL for somebody who waits for its rows."""

    def rows(self, sql: str, parameters: Sequence[str] = ()) -> Rows:
        """Run and wait; `?` in WHERE takes `parameters`, written as SQL literals. Raises QueryFailedError."""
        ...


class QueryEngine(Reads, Protocol):
    """Runs SQL in one database and one work group."""

    def start(self, sql: str, token: str) -> str:
        """Begin, and return the query execution's id; the same token and SQL return the same id.

        Raises QueryThrottledError and QueryRefusedError.
        """
        ...

    def look(self, query_execution_id: str) -> QueryStatus:
        """Its status now."""
        ...

    def stop(self, query_execution_id: str) -> None:
        """Stop it, if it still runs."""
        ...
