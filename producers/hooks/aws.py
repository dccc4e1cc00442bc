"""Secrets Manager and the queue of refused messages, as the worker uses them."""

from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from producers.hooks.message import REASON, Message, Reason
from producers.hooks.secrets import SecretsUnavailableError
from producers.hooks.worker import PortUnavailableError


class SecretsManagerStore:
    """A `SecretStore`: a source's secret is called `prefix` and the source's name."""

    def __init__(self, client: Any, prefix: str) -> None:
        self._client, self._prefix = client, prefix

    def read(self, source: str) -> str:
        """The text of a source's secret. Raises SecretsUnavailableError."""
        try:
            answer = self._client.get_secret_value(SecretId=f"{self._prefix}{source}")
        except (ClientError, BotoCoreError) as error:
            raise SecretsUnavailableError(type(error).__name__) from error
        return str(answer["SecretString"])


class SqsRefusals:
    """`Refusals` in the dead-letter queue: the message as it came, and the reason as an attribute."""

    def __init__(self, client: Any, url: str) -> None:
        self._client, self._url = client, url

    def keep(self, message: Message, reason: Reason) -> None:
        """Keep it with the reason. Raises PortUnavailableError."""
        attributes = {name: value for name, value in message.attributes.items() if value}
        kept = {**attributes, REASON: reason}
        try:
            self._client.send_message(
                QueueUrl=self._url,
                MessageBody=message.body,
                MessageAttributes={
                    name: {"DataType": "String", "StringValue": value} for name, value in kept.items()
                },
            )
        except (ClientError, BotoCoreError) as error:
            raise PortUnavailableError(type(error).__name__) from error
