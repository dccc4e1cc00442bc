"""Deliveries and whether they are done, in one DynamoDB table."""

from collections.abc import Callable, Mapping
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from producers.hooks.item_names import DAYS_REMEMBERED, EXPIRES_AT, HASH_KEY
from producers.hooks.worker import Claim, PortUnavailableError

_RECEIVED, _DONE = "received_ms", "done"
_BATCH = 25
_TRIES = 3


class DynamoDbClaims:
    """`Claims`. `clock` gives epoch seconds."""

    def __init__(self, client: Any, table: str, clock: Callable[[], float]) -> None:
        self._client, self._table, self._clock = client, table, clock

    def claim(self, source: str, delivery: str, received_ms: int) -> Claim:
        """The delivery's claim, which is made unless there is one. Raises PortUnavailableError."""
        try:
            self._client.put_item(
                TableName=self._table,
                Item=self._item(source, delivery, received_ms),
                ConditionExpression="attribute_not_exists(#pk)",
                ExpressionAttributeNames={"#pk": HASH_KEY},
                ReturnValuesOnConditionCheckFailure="ALL_OLD",
            )
        except self._client.exceptions.ConditionalCheckFailedException as error:
            item = error.response["Item"]
            return Claim(_DONE in item, int(item[_RECEIVED]["N"]))
        except (ClientError, BotoCoreError) as error:
            raise PortUnavailableError(type(error).__name__) from error
        return Claim(False, received_ms)

    def done(self, claims: Mapping[tuple[str, str], int]) -> None:
        """Mark (source, delivery) -> received_ms as done. Raises PortUnavailableError."""
        items = [
            {"PutRequest": {"Item": {**self._item(*key, received_ms), _DONE: {"BOOL": True}}}}
            for key, received_ms in claims.items()
        ]
        for start in range(0, len(items), _BATCH):
            self._write(items[start : start + _BATCH])

    def _write(self, items: list[dict[str, Any]]) -> None:
        left = {self._table: items}
        for _ in range(_TRIES):
            try:
                left = self._client.batch_write_item(RequestItems=left).get("UnprocessedItems") or {}
            except (ClientError, BotoCoreError) as error:
                raise PortUnavailableError(type(error).__name__) from error
            if not left:
                return
        raise PortUnavailableError("the table did not take all items")

    def _item(self, source: str, delivery: str, received_ms: int) -> dict[str, Any]:
        expires_at = int(self._clock()) + DAYS_REMEMBERED * 86_400
        return {
            HASH_KEY: {"S": f"{source}#{delivery}"},
            _RECEIVED: {"N": str(received_ms)},
            EXPIRES_AT: {"N": str(expires_at)},
        }
