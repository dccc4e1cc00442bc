"""What the query function must know, each from the environment variable `QUERIES_<ATTRIBUTE>`."""

from collections.abc import Mapping
from dataclasses import MISSING, dataclass, fields
from typing import Any


class SettingsError(ValueError):
    """An environment variable is missing or cannot be read; the text names it."""


@dataclass(frozen=True)
class Settings:
    """Names of the resources that the query function works on.

    Attributes:
        database: Glue database of the lake and report tables.
        work_group: Athena work group of report runs; it sets the output location and the byte cut-off.
        lake_bucket, reporting_bucket: where lake objects are read and reports are written.
        ledger_table: DynamoDB table of the ledger.
        debounce_scale: what the times of each report's `refresh` line are multiplied by; below 1 where a
            person waits for the result.
        retry_seconds: first wait after a transient failure; it doubles.
        sweep_hours: how far back each tick looks for notifications that never came; once an hour it looks at
            everything.
        keep_hours: how long a run that nothing refers to is kept for readers that may still read it.
    """

    database: str
    work_group: str
    lake_bucket: str
    reporting_bucket: str
    ledger_table: str
    debounce_scale: float = 1.0
    retry_seconds: float = 30.0
    sweep_hours: int = 48
    keep_hours: int = 24

    def __post_init__(self) -> None:
        if self.lake_bucket == self.reporting_bucket:
            raise SettingsError(
                f"The lake and the reports are in one bucket, {self.lake_bucket}: each report would notify "
                "the function that wrote it. Use two buckets."
            )

    @classmethod
    def from_environ(cls, environ: Mapping[str, str]) -> "Settings":
        """Read what `to_environ` wrote. Raises SettingsError."""
        given: dict[str, Any] = {}
        for field in fields(cls):
            name = variable(field.name)
            if name not in environ:
                if field.default is MISSING:
                    raise SettingsError(f"The environment variable {name} is not set.")
                continue
            kind = str if field.default is MISSING else type(field.default)
            try:
                given[field.name] = kind(environ[name])
            except ValueError as error:
                raise SettingsError(f"The environment variable {name} is not a number: {error}.") from error
        return cls(**given)

    def to_environ(self) -> dict[str, str]:
        """The variables that must be set for these settings; those at their defaults are left out."""
        values = {field: getattr(self, field.name) for field in fields(self)}
        return {variable(field.name): str(value) for field, value in values.items() if value != field.default}


def variable(setting: str) -> str:
    """Name of the environment variable for an attribute of `Settings`."""
    return f"QUERIES_{setting.upper()}"
