"""The deployed resources, and what reads them. The server starts before there is a deployment."""

import json
from dataclasses import dataclass

from infra.aws.outputs import Outputs
from infra.local.parts.context import LocalContext
from infra.local.status.asking import Asking
from queries.ledger.dynamodb import DynamoDbLedger


class NotDeployedError(RuntimeError):
    """Nothing is deployed yet."""


@dataclass
class Resources:
    """What is deployed now; looked up anew when the deployment changes."""

    context: LocalContext
    _of_change: float = 0.0
    _outputs: Outputs | None = None

    @property
    def outputs(self) -> Outputs:
        """Their names. Raises NotDeployedError."""
        file = self.context.paths.outputs
        if not file.exists():
            raise NotDeployedError("The pipeline is not deployed yet. Wait for `penstock local up` to end.")
        changed = file.stat().st_mtime
        if self._outputs is None or changed != self._of_change:
            self._outputs = Outputs.from_document(json.loads(file.read_text()))
            self._of_change = changed
        return self._outputs

    @property
    def ledger(self) -> DynamoDbLedger:
        """The ledger of report partitions."""
        return DynamoDbLedger(self.context.client("dynamodb"), self.outputs.ledger_table)

    @property
    def asking(self) -> Asking:
        """Runs an analyst's SQL."""
        outputs = self.outputs
        return Asking(self.context, database=outputs.database, work_group=outputs.analyst_work_group)
