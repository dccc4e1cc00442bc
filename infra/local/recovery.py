"""What a local cloud owes its reports after it was started again: nobody waits for workers that are dead."""

import json
import logging
import time
from collections.abc import Mapping
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from infra.local.parts.context import LocalContext
from infra.local.parts.ticker import OUTPUT
from queries.ledger.dynamodb import DynamoDbLedger
from queries.ledger.port import ConflictError
from queries.ledger.rules import hand_over, is_adoptable
from queries.settings import Settings

SWEEP = {"penstock": "tick", "everything": True}
"""Compares the whole lake with what the reports were computed from."""

logger = logging.getLogger(__name__)


def recover(context: LocalContext, outputs: Mapping[str, Any], *, sweep: bool) -> int:
    """End the leases of workers that ended with the emulator; how many there were.

    Call it only when every worker is dead. With `sweep` the query function looks for lake objects whose
    notifications were lost.
    """
    name = next(
        (stack["outputs"][OUTPUT] for stack in outputs["stacks"].values() if OUTPUT in stack["outputs"]), None
    )
    if name is None:
        return 0
    functions = context.client("lambda")
    variables = functions.get_function_configuration(FunctionName=name)["Environment"]["Variables"]
    ledger = DynamoDbLedger(context.client("dynamodb"), Settings.from_environ(variables).ledger_table)
    ended = end_leases(ledger, int(time.time() * 1000))
    if sweep:
        try:
            functions.invoke(FunctionName=name, InvocationType="Event", Payload=json.dumps(SWEEP))
        except (ClientError, BotoCoreError) as error:  # the next tick of an hour does it
            logger.warning("the query function could not be asked to compare the lake: %s", error)
    return ended


def end_leases(ledger: Any, now: int) -> int:
    """Let anyone adopt the runs that are leased now (epoch ms); how many they are."""
    ended = 0
    for run in ledger.runs():
        if not is_adoptable(run, now):
            try:
                ledger.commit([hand_over(run, run.fence, now)])
                ended += 1
            except ConflictError:
                logger.info("run %s has gone on by itself", run.run_id)
    return ended
