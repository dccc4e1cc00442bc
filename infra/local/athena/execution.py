"""One query execution: what is kept of it, and how Athena's API describes it."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Protocol

from infra.local.athena.errors import ApiError

TERMINAL = ("SUCCEEDED", "FAILED", "CANCELLED")


BILLED_MINIMUM = 10_000_000


class TooManyRequests(ApiError):
    """More executions are queued than the account may have."""

    code = "TooManyRequestsException"


@dataclass
class Execution:
    """The record of one execution. Times are epoch seconds; `columns` are (name, type) pairs of texts."""

    id: str
    query: str
    kind: str
    family: str
    database: str
    catalog: str
    work_group: str
    output_location: str
    submitted: float
    request: dict[str, Any] = field(default_factory=dict)
    parameters: list[str] = field(default_factory=list)
    cutoff: int | None = None
    state: str = "QUEUED"
    reason: str = ""
    error: dict[str, Any] | None = None
    started: float | None = None
    completed: float | None = None
    bytes_scanned: int = 0
    planning_ms: int = 0
    rows: int = 0
    columns: list[list[str]] = field(default_factory=list)
    header: bool = True
    manifest: str = ""
    update_count: int | None = None
    reused_from: str = ""


@dataclass
class Outcome:
    """What running a statement gave."""

    columns: list[list[str]] = field(default_factory=list)
    rows: int = 0
    manifest: str = ""
    update_count: int | None = None
    header: bool = True


Watcher = Callable[[Execution], None]


class Job(Protocol):
    """An execution's hold on the process that runs it."""

    is_cancelled: bool

    def cancel(self) -> None:
        """Stop it at once."""
        ...


class Runner(Protocol):
    """What runs executions, each in a process of its own."""

    def job(self) -> Any:
        """A Job for one execution."""
        ...

    def run(self, execution: Execution, job: Any, when_long: Callable[[], None]) -> dict[str, Any]:
        """The answer: `outcome` or `failure` (the attributes of an Outcome or QueryError), `bytes_scanned`, `planning_ms`.

        Calls `when_long` once when it takes long. Raises QueryError when the process dies or its time is up.
        """
        ...


def described(execution: Execution) -> dict[str, Any]:
    """`QueryExecution` as the API gives it."""
    status: dict[str, Any] = {"State": execution.state, "SubmissionDateTime": execution.submitted}
    if execution.reason:
        status["StateChangeReason"] = execution.reason
    if execution.completed is not None:
        status["CompletionDateTime"] = execution.completed
    if execution.error:
        status["AthenaError"] = execution.error
    request = execution.request
    answer = {
        "QueryExecutionId": execution.id,
        "Query": execution.query,
        "StatementType": execution.family,
        "SubstatementType": execution.kind,
        "ResultConfiguration": {
            **request.get("ResultConfiguration", {}),
            "OutputLocation": execution.output_location,
        },
        "ResultReuseConfiguration": request.get(
            "ResultReuseConfiguration", {"ResultReuseByAgeConfiguration": {"Enabled": False}}
        ),
        "QueryExecutionContext": {"Database": execution.database, "Catalog": execution.catalog},
        "Status": status,
        "Statistics": _statistics(execution),
        "WorkGroup": execution.work_group,
        "EngineVersion": {
            "SelectedEngineVersion": "AUTO",
            "EffectiveEngineVersion": "Athena engine version 3",
        },
    }
    if execution.parameters:
        answer["ExecutionParameters"] = execution.parameters
    if not execution.database:
        del answer["QueryExecutionContext"]
    return answer


def _statistics(execution: Execution) -> dict[str, Any]:
    statistics: dict[str, Any] = {
        "DataScannedInBytes": execution.bytes_scanned,
        "ResultReuseInformation": {"ReusedPreviousResult": bool(execution.reused_from)},
    }
    if execution.completed is not None:
        begun = execution.started if execution.started is not None else execution.completed
        statistics |= {
            "EngineExecutionTimeInMillis": _milliseconds(begun, execution.completed),
            "TotalExecutionTimeInMillis": _milliseconds(execution.submitted, execution.completed),
            "QueryQueueTimeInMillis": _milliseconds(execution.submitted, begun),
            "QueryPlanningTimeInMillis": execution.planning_ms,
            "ServiceProcessingTimeInMillis": 0,
        }
    if execution.manifest:
        statistics["DataManifestLocation"] = execution.manifest
    return statistics


def _milliseconds(start: float, end: float) -> int:
    return max(0, round((end - start) * 1000))
