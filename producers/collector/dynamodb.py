"""Write keys and the use of a day in one DynamoDB table, as the collector's function needs them."""

from typing import Any

import msgspec

from producers.collector.key_items import ALLOWS, EXPIRES_AT, HASH_KEY, KEY, USE
from producers.collector.keys import KeysUnavailableError, WriteKey
from producers.collector.signed_calls import CallError, SignedCalls

VERSION, PROTOCOL = "DynamoDB_20120810", "1.0"
TRIES = 2
_COUNT = "events"
_KEY = msgspec.json.Decoder(WriteKey)


class DynamoDbKeys:
    """A `KeyTable` and a `UseTable` over signed calls, each tried twice."""

    def __init__(self, calls: SignedCalls, table: str) -> None:
        self._calls, self._table = calls, table

    def find(self, digest: str) -> WriteKey | None:
        """The key of this hash. Raises KeysUnavailableError."""
        answer = self._called("GetItem", {HASH_KEY: {"S": KEY + digest}})
        return _KEY.decode(answer["Item"][ALLOWS]["S"]) if "Item" in answer else None

    def add(self, source: str, day: str, count: int, expires_at: int) -> int:
        """Add to the count of the source's day; the new count. Raises KeysUnavailableError.

        An addition whose answer is lost may count twice: a quota then ends early.
        """
        answer = self._called(
            "UpdateItem",
            {HASH_KEY: {"S": f"{USE}{source}#{day}"}},
            UpdateExpression="ADD #count :count SET #expiry = :expiry",
            ExpressionAttributeNames={"#count": _COUNT, "#expiry": EXPIRES_AT},
            ExpressionAttributeValues={":count": {"N": str(count)}, ":expiry": {"N": str(expires_at)}},
            ReturnValues="UPDATED_NEW",
        )
        return int(answer["Attributes"][_COUNT]["N"])

    def _called(self, operation: str, key: dict[str, Any], **more: Any) -> dict[str, Any]:
        body = msgspec.json.encode({"TableName": self._table, "Key": key, **more})
        for number in range(1, TRIES + 1):
            try:
                return self._calls.call(operation, body)
            except CallError as error:
                if number == TRIES:
                    raise KeysUnavailableError(str(error)) from error
        raise AssertionError("unreachable")
