"""What the functions of jobs must know, each from the environment variable `PENSTOCK_JOBS_<ATTRIBUTE>`."""

from collections.abc import Mapping
from dataclasses import dataclass, fields


class SettingsError(ValueError):
    """An environment variable is missing; the text names it."""


@dataclass(frozen=True)
class Settings:
    """Names of the resources.

    Attributes:
        table: of jobs, in DynamoDB.
        queue_url: where jobs wait for a worker.
        machine_arn: of the state machine. The API has it only to read what an execution did.
        ledger_table: of the reports.
        query_function: computes what is due.
        lake_bucket, reporting_bucket, database: as the reports have them. Plans lie in the reporting bucket.
        log_group: of the function of the steps.
        sources: names of the sources that files can be imported by, joined by commas.
    """

    table: str
    queue_url: str
    machine_arn: str
    ledger_table: str
    query_function: str
    lake_bucket: str
    reporting_bucket: str
    database: str
    log_group: str
    sources: str

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
    return f"PENSTOCK_JOBS_{setting.upper()}"
