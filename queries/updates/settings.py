"""What the function that publishes updates must know, each from `PENSTOCK_UPDATES_<ATTRIBUTE>`."""

from collections.abc import Mapping
from dataclasses import dataclass, fields

from queries.jobs.settings import SettingsError


@dataclass(frozen=True)
class Settings:
    """Names of the resources.

    Attributes:
        graphql_url: where mutations are sent.
        ledger_table: of the reports.
        reporting_bucket, database: as the reports have them.
    """

    graphql_url: str
    ledger_table: str
    reporting_bucket: str
    database: str

    @classmethod
    def from_environ(cls, environ: Mapping[str, str]) -> "Settings":
        """Read what `to_environ` wrote. Raises SettingsError."""
        try:
            return cls(**{field.name: environ[variable(field.name)] for field in fields(cls)})
        except KeyError as error:
            raise SettingsError(f"The environment variable {error.args[0]} is not set.") from error

    def to_environ(self) -> dict[str, str]:
        """The variables that make `from_environ` return this."""
        return {variable(field.name): getattr(self, field.name) for field in fields(self)}


def variable(setting: str) -> str:
    """Name of the environment variable for an attribute of `Settings`."""
    return f"PENSTOCK_UPDATES_{setting.upper()}"
