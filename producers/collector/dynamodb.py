"""Write keys and the use of a day in one DynamoDB table."""

from typing import Any

import msgspec
from botocore.exceptions import BotoCoreError, ClientError

from producers.collector.key_items import EXPIRES_AT, HASH_KEY, KEY, USE
from producers.collector.keys import KeysUnavailableError, WriteKey

_BODY, _COUNT = "allows", "events"
_KEY = msgspec.json.Decoder(WriteKey)


class DynamoDbKeys:
    """A `KeyTable` and a `UseTable`, and what `penstock keys` does besides."""

    def __init__(self, client: Any, table: str) -> None:
        self._client, self._table = client, table

    def find(self, digest: str) -> WriteKey | None:
        """The key of this hash. Raises KeysUnavailableError."""
        try:
            answer = self._client.get_item(TableName=self._table, Key={HASH_KEY: {"S": KEY + digest}})
        except (ClientError, BotoCoreError) as error:
            raise KeysUnavailableError(type(error).__name__) from error
        return _KEY.decode(answer["Item"][_BODY]["S"]) if "Item" in answer else None

    def add(self, source: str, day: str, count: int, expires_at: int) -> int:
        """Add to the count of the source's day; the new count. Raises KeysUnavailableError."""
        try:
            answer = self._client.update_item(
                TableName=self._table,
                Key={HASH_KEY: {"S": f"{USE}{source}#{day}"}},
                UpdateExpression="ADD #count :count SET #expiry = :expiry",
                ExpressionAttributeNames={"#count": _COUNT, "#expiry": EXPIRES_AT},
                ExpressionAttributeValues={":count": {"N": str(count)}, ":expiry": {"N": str(expires_at)}},
                ReturnValues="UPDATED_NEW",
            )
        except (ClientError, BotoCoreError) as error:
            raise KeysUnavailableError(type(error).__name__) from error
        return int(answer["Attributes"][_COUNT]["N"])

    def put(self, digest: str, key: WriteKey, *, is_new: bool) -> bool:
        """Write a key that must not be there, or must be; False otherwise. Raises botocore's errors."""
        condition = "attribute_not_exists(#pk)" if is_new else "attribute_exists(#pk)"
        try:
            self._client.put_item(
                TableName=self._table,
                Item={HASH_KEY: {"S": KEY + digest}, _BODY: {"S": msgspec.json.encode(key).decode()}},
                ConditionExpression=condition,
                ExpressionAttributeNames={"#pk": HASH_KEY},
            )
        except self._client.exceptions.ConditionalCheckFailedException:
            return False
        return True

    def all(self) -> dict[str, WriteKey]:
        """Hash to key, by source. Raises botocore's errors."""
        found: dict[str, WriteKey] = {}
        pages = self._client.get_paginator("scan").paginate(
            TableName=self._table,
            FilterExpression="begins_with(#pk, :key)",
            ExpressionAttributeNames={"#pk": HASH_KEY},
            ExpressionAttributeValues={":key": {"S": KEY}},
        )
        for page in pages:
            for item in page["Items"]:
                found[item[HASH_KEY]["S"].removeprefix(KEY)] = _KEY.decode(item[_BODY]["S"])
        return dict(sorted(found.items(), key=lambda each: (each[1].source, each[1].created_at)))
