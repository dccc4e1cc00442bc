"""What the verbs of this stage read of the target, and the pseudonym keys that it was deployed with."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

from producers.contracts import CommandTarget, Stream
from transforms.contracts import LakeTable
from transforms.failed.repair import Repair
from transforms.settings import read_keys


class DeployedKeysError(RuntimeError):
    """The deployment's pseudonym keys cannot be read by whoever runs the command."""


class Folders(Protocol):
    """The project's folders that this stage reads."""

    @property
    def streams(self) -> Path:
        """The streams, with `examples` and `released` below it."""
        ...


class Project(Protocol):
    """The project that the command works on."""

    @property
    def folders(self) -> Folders: ...
    @property
    def streams(self) -> Mapping[str, Stream]: ...
    @property
    def tables(self) -> Mapping[str, LakeTable]: ...


class Keys(CommandTarget, Protocol):
    """Where the deployment's pseudonym keys are."""

    @property
    def pseudonym_secrets(self) -> Mapping[str, tuple[str, str]]:
        """Stream to its secret's name and the ids of the keys in use, joined by commas."""
        ...


class Target(Keys, Protocol):
    """What this stage's verbs read of the target: names of deployed resources, and the project."""

    @property
    def lake_bucket(self) -> str: ...
    @property
    def project(self) -> Project: ...


class RepairTarget(Target, Protocol):
    """What a replay reads of it besides."""

    def source_repair(self, name: str) -> Repair:
        """Reads rows that a source could not read again, by the source as it is now."""
        ...


def deployed_keys(target: Keys, stream: str) -> dict[str, bytes]:
    """The pseudonym keys that the stream's transformation was deployed with, the current one first.

    They are read from the secret: the function's environment is encrypted, and shows them to nobody. Raises
    DeployedKeysError, SettingsError; their texts never quote a key.
    """
    from botocore.exceptions import ClientError  # the command's help does not wait for it

    name, ids = target.pseudonym_secrets.get(stream, ("", ""))
    key_ids = [each for each in ids.split(",") if each]
    if not key_ids:
        raise DeployedKeysError(
            "The deployment does not say which pseudonym keys it uses; an earlier version made it. "
            "Run: penstock deploy"
        )
    try:
        text = target.client("secretsmanager").get_secret_value(SecretId=name)["SecretString"]
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
