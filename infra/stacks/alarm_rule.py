"""What an alarm is. No CDK here: the runbook's test reads it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from infra.deployment import dashed

Severity = Literal["page", "ticket"]
Missing = Literal["breaching", "notBreaching"]

DAY, HOUR = 86_400, 3_600


@dataclass(frozen=True)
class AlarmRule:
    """One alarm.

    Attributes:
        kind: its entry in the runbook.
        meaning: one sentence; the description of the deployed alarm.
        severity: `page` wakes somebody, `ticket` waits for the morning.
        threshold: fires when the statistic is above it, or below it with `below`.
        periods: how many periods in a row.
        missing: what a period without data counts as. Breaching where silence itself is the fault.
        stream: whose it is alone, unless that stream has plain names; it then goes to the stream's own topic.
    """

    kind: str
    meaning: str
    severity: Severity
    namespace: str
    metric: str
    dimensions: Mapping[str, str]
    statistic: str
    threshold: float
    period_seconds: int = 60
    periods: int = 5
    below: bool = False
    missing: Missing = "notBreaching"
    stream: str = ""

    @property
    def name(self) -> str:
        """The deployed alarm has the deployment's prefix before it."""
        return f"{dashed(self.stream)}-{self.kind}" if self.stream else self.kind
