"""What the importer must know, each from the environment variable `PENSTOCK_IMPORTER_<ATTRIBUTE>`."""

from collections.abc import Mapping

import msgspec

_PREFIX = "PENSTOCK_IMPORTER_"


class SettingsError(ValueError):
    """An environment variable is missing; the text names it."""


class Settings(msgspec.Struct, frozen=True):
    """Names of the resources.

    Attributes:
        lake_bucket: has the inbox, the lake and what lies sorted in between.
        plan_bucket: has the plans of jobs, and takes what became of their chunks.
        queue: where the reports hear of new objects.
        pseudonym_secrets: stream to its secret's name and the ids of the keys in use, as JSON.
    """

    lake_bucket: str
    plan_bucket: str
    queue: str
    pseudonym_secrets: str

    @classmethod
    def from_environ(cls, environ: Mapping[str, str]) -> "Settings":
        """Read what `to_environ` wrote. Raises SettingsError."""
        try:
            return cls(**{name: environ[_PREFIX + name.upper()] for name in cls.__struct_fields__})
        except KeyError as error:
            raise SettingsError(f"The environment variable {error.args[0]} is not set.") from error

    def to_environ(self) -> dict[str, str]:
        """The variables that make `from_environ` return this."""
        return {_PREFIX + name.upper(): getattr(self, name) for name in self.__struct_fields__}

    @property
    def secrets(self) -> Mapping[str, tuple[str, str]]:
        """Stream to its secret's name and the ids of its keys, joined by commas."""
        return msgspec.json.decode(self.pseudonym_secrets, type=dict[str, tuple[str, str]])
