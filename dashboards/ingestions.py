"""SPICE refreshes within their budget: when to start one, when to wait, when to tell somebody.

The decision is pure; `Controller` does what it says through the QuickSight API.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

DAY = 86_400.0
RUNNING = frozenset({"INITIALIZED", "QUEUED", "RUNNING"})
TRY_NEWEST = frozenset({"INGESTION_SUPERSEDED", "REFRESH_SUPPRESSED_BY_EDIT"})
"""Errors that mean: try the newest version again."""
_LOOK_AGAIN = 15.0


@dataclass(frozen=True)
class Budget:
    """Ingestions of one dataset in any rolling 24 hours, of which `reserve` are kept for people."""

    per_day: int = 32
    reserve: int = 4

    @property
    def automatic(self) -> int:
        """What the controller may use."""
        return self.per_day - self.reserve

    @property
    def spacing(self) -> float:
        """Seconds between starts, so that the budget lasts all day."""
        return DAY / self.automatic


@dataclass(frozen=True)
class Call:
    """One ingestion that was started: when (epoch seconds), for which id, and its status."""

    at: float
    id: str
    status: str
    error: str = ""


@dataclass(frozen=True)
class Start:
    """Start an ingestion with this id now."""

    id: str


@dataclass(frozen=True)
class Wait:
    """Do nothing before `until`; `alarm` when somebody should know."""

    until: float
    why: str
    alarm: bool = False


@dataclass(frozen=True)
class Nothing:
    """The newest version is in."""


Decision = Start | Wait | Nothing


def decide(now: float, history: Sequence[Call], version: str | None, budget: Budget, name: str) -> Decision:
    """What to do for a dataset whose newest published version is `version` (None: nothing was published).

    `history` holds every counted call of the last 24 hours at least, failed and cancelled ones too. A log
    of calls
    is exact where a refilled bucket is not: 32 tokens refilled at 32 a day let 63 calls into one window.
    """
    if version is None:
        return Nothing()
    own = sorted(
        (call for call in history if call.id.startswith(f"{name}-{version}-")), key=lambda call: call.at
    )
    if any(call.status in RUNNING for call in history):
        return Wait(now + _LOOK_AGAIN, "one is running")
    if any(call.status == "COMPLETED" for call in own):
        return Nothing()
    failures = [call for call in own if call.error not in TRY_NEWEST]
    if len(failures) >= 2:
        return Wait(now + budget.spacing, "failed twice; the old data stays", alarm=True)
    recent = sorted(call.at for call in history if call.at > now - DAY)
    if len(recent) >= budget.automatic:
        return Wait(recent[-budget.automatic] + DAY, "the budget of the last 24 hours is used")
    # One retry goes at once; it is counted, so the budget still holds.
    if not own and recent and now - recent[-1] < budget.spacing:
        return Wait(recent[-1] + budget.spacing, "too soon after the last one")
    return Start(f"{name}-{version}-{len(own) + 1}")


class Controller:
    """Keeps one SPICE dataset as fresh as its budget allows.

    A lost state does no harm: QuickSight has the history.
    """

    def __init__(
        self,
        client: Any,
        *,
        account: str,
        data_set: str,
        clock: Callable[[], float],
        alarm: Callable[[str], None],
        budget: Budget | None = None,
    ) -> None:
        self._client, self._account, self._data_set = client, account, data_set
        self._clock, self._alarm = clock, alarm
        self._budget = budget or Budget()
        self._pending: str | None = None

    def published(self, version: str) -> None:
        """A newer version is out; versions published before it no longer matter."""
        self._pending = version

    def step(self) -> Decision:
        """Decide and act once. Returns what was decided; a refusal by the service becomes a wait."""
        now = self._clock()
        history = self.history()
        decision = decide(now, history, self._pending, self._budget, self._data_set)
        if isinstance(decision, Wait) and decision.alarm:
            self._alarm(f"{self._data_set}: {decision.why}")
        if isinstance(decision, Start):
            return self._start(decision, now, history)
        return decision

    def history(self) -> list[Call]:
        """Counted calls as QuickSight lists them: refreshes from the console count, scheduled ones do not."""
        found: list[Call] = []
        token = None
        while True:
            more: dict[str, Any] = {"NextToken": token} if token else {}
            page = self._client.list_ingestions(
                AwsAccountId=self._account, DataSetId=self._data_set, MaxResults=100, **more
            )
            found += [
                Call(
                    entry["CreatedTime"].timestamp(),
                    entry["IngestionId"],
                    entry["IngestionStatus"],
                    entry.get("ErrorInfo", {}).get("Type", ""),
                )
                for entry in page["Ingestions"]
                if entry.get("RequestSource", "MANUAL") == "MANUAL"
            ]
            token = page.get("NextToken")
            if not token:
                return found

    def _start(self, decision: Start, now: float, history: Sequence[Call]) -> Decision:
        errors = self._client.exceptions
        try:
            self._client.create_ingestion(
                AwsAccountId=self._account, DataSetId=self._data_set, IngestionId=decision.id,
                IngestionType="FULL_REFRESH",
            )  # fmt: skip
        except errors.ResourceExistsException:
            return decision  # a redelivered message: it was started already
        except errors.LimitExceededException:
            oldest = min((call.at for call in history if call.at > now - DAY), default=now)
            self._alarm(f"{self._data_set}: QuickSight counts more ingestions than we do")
            return Wait(oldest + DAY, "QuickSight's limit is reached", alarm=True)
        except errors.ThrottlingException:
            return Wait(now + _LOOK_AGAIN, "QuickSight is throttling")
        return decision
