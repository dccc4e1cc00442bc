"""Write keys in their DynamoDB table, as those who look after keys read and write them."""

from typing import Any

import msgspec

from producers.collector.key_items import ALLOWS, HASH_KEY, KEY
from producers.collector.keys import WriteKey

_KEY = msgspec.json.Decoder(WriteKey)


class KeyStore:
    """The table through a boto3 client."""

    def __init__(self, client: Any, table: str) -> None:
        self._client, self._table = client, table

    def put(self, digest: str, key: WriteKey, *, is_new: bool) -> bool:
        """Write a key that must not be there, or must be; False otherwise. Raises botocore's errors."""
        condition = "attribute_not_exists(#pk)" if is_new else "attribute_exists(#pk)"
        try:
            self._client.put_item(
                TableName=self._table,
                Item={HASH_KEY: {"S": KEY + digest}, ALLOWS: {"S": msgspec.json.encode(key).decode()}},
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
                found[item[HASH_KEY]["S"].removeprefix(KEY)] = _KEY.decode(item[ALLOWS]["S"])
        return dict(sorted(found.items(), key=lambda each: (each[1].source, each[1].created_at)))
