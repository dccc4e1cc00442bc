"""The pseudonym keys in their secret, as whoever makes rows outside of the transformation reads them."""

import json
from typing import Any

from transforms.settings import read_keys


class DeployedKeysError(RuntimeError):
    """The deployment's pseudonym keys cannot be read by whoever asks."""


def keys_of(client: Any, name: str, ids: str) -> dict[str, bytes]:
    """The keys of these ids (joined by commas, in order) in the secret, by a client of Secrets Manager.

    Raises DeployedKeysError, SettingsError; their texts never quote a key.
    """
    from botocore.exceptions import ClientError  # the command's help does not wait for it

    key_ids = [each for each in ids.split(",") if each]
    if not key_ids:
        raise DeployedKeysError(
            "The deployment does not say which pseudonym keys it uses; an earlier version made it. "
            "Run: penstock deploy"
        )
    try:
        text = client.get_secret_value(SecretId=name)["SecretString"]
    except ClientError as error:
        said = error.response["Error"]
        raise DeployedKeysError(_refused(name, said["Code"], said["Message"])) from error
    try:
        members = json.loads(text)
        entries = [f"{key_id}:{members[key_id]}" for key_id in key_ids]
    except (ValueError, TypeError, KeyError):
        raise DeployedKeysError(
            f"The secret {name} has no member for each of the pseudonym keys {', '.join(key_ids)}. "
            'See "New pseudonym key" in docs/runbook.md.'
        ) from None
    return read_keys(",".join(entries))


def _refused(name: str, code: str, message: str) -> str:
    if code.startswith("AccessDenied"):
        return (
            "The pseudonym keys cannot be read: you lack secretsmanager:GetSecretValue on the secret "
            f"{name}. Only who replays needs it; Penstock's policy for it is named ...-replayer-REGION."
        )
    return f"The pseudonym keys cannot be read from the secret {name} ({code}): {message}"
