"""The transformation function, invoked with retries; a batch that fails for good becomes failed records."""

import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from infra.local.firehose.answers import FunctionError, Judged, judge
from infra.local.firehose.configuration import Transform
from infra.local.firehose.faults import Faults
from infra.local.firehose.invocation import LARGEST_PAYLOAD, encode_request
from infra.local.firehose.records import PROCESSING, Failure, UserRecord


@dataclass(frozen=True)
class Transformer:
    """Invokes one delivery stream's function.

    Attributes:
        new_id: makes an invocation id, anew for each attempt.
        failed: hears of each failed attempt: (attempt from 1, why).
        pause_seconds: before the first retry; each further pause is twice as long.
    """

    functions: Any
    transform: Transform
    partition_keys: Sequence[str]
    source_arn: str
    delivery_arn: str
    region: str
    faults: Faults
    new_id: Callable[[], str]
    failed: Callable[[int, str], None]
    pause_seconds: float

    def apply(self, records: Sequence[UserRecord]) -> Judged:
        """What became of each record. Never raises for what the function does."""
        attempts, why = self.transform.retries + 1, ""
        for attempt in range(1, attempts + 1):
            try:
                return judge(records, self._answer(records), self.partition_keys)
            except FunctionError as error:
                why = str(error)
                self.failed(attempt, why)
                if attempt < attempts:
                    time.sleep(self.pause_seconds * 2 ** (attempt - 1))
        message = f"The Lambda function was successfully invoked but it returned an error result. {why}"
        failure = Failure(PROCESSING, "Lambda.FunctionError", message.strip(), attempts)
        return Judged(failed=[(record, failure) for record in records])

    def _answer(self, records: Sequence[UserRecord]) -> bytes:
        request = encode_request(
            records,
            invocation_id=self.new_id(),
            source_arn=self.source_arn,
            delivery_arn=self.delivery_arn,
            region=self.region,
        )
        if len(request) > LARGEST_PAYLOAD:
            raise FunctionError(f"The request has {len(request)} bytes; a function takes {LARGEST_PAYLOAD}.")
        if self.faults.happens("transform_error"):
            raise FunctionError("Runtime.HandlerError: fault on demand")
        if self.faults.happens("transform_timeout"):
            raise FunctionError("Task timed out: fault on demand")
        try:
            answer = self.functions.invoke(FunctionName=self.transform.arn, Payload=request)
            payload: bytes = answer["Payload"].read()
        except (ClientError, BotoCoreError) as error:
            raise FunctionError(f"The function could not be invoked: {error}") from error
        if answer.get("FunctionError"):
            raise FunctionError(payload[:1000].decode(errors="replace"))
        return spoiled(payload, self.faults)


def spoiled(payload: bytes, faults: Faults) -> bytes:
    """The answer with what the switches do to it."""
    if faults.happens("answer_too_large"):
        return payload + b" " * LARGEST_PAYLOAD
    drops, repeats, garbles = (
        faults.happens(name) for name in ("answer_drops_id", "answer_repeats_id", "answer_garbles_id")
    )
    if not (drops or repeats or garbles):
        return payload
    document = json.loads(payload)
    listed = document["records"]
    if repeats:
        listed.append(dict(listed[0]))
    if garbles:
        listed[-1]["recordId"] += "-garbled"
    if drops:
        listed.pop(0)
    return json.dumps(document).encode()
