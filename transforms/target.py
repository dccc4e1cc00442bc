"""What the verbs of this stage read of the target, and the pseudonym keys that it was deployed with."""

from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

from producers.contracts import CommandTarget, Stream
from transforms.contracts import LakeTable
from transforms.failed.repair import Repair
from transforms.pseudonym_keys import keys_of


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
    name, ids = target.pseudonym_secrets.get(stream, ("", ""))
    return keys_of(target.client("secretsmanager"), name, ids)
