"""What the query function must know, and the names of the environment variables that say it."""

from collections.abc import Mapping
from dataclasses import dataclass


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
        retry_seconds: first wait after a failure that trying again may help; it doubles.
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
        try:
            return cls(
                database=environ["QUERIES_DATABASE"],
                work_group=environ["QUERIES_WORK_GROUP"],
                lake_bucket=environ["QUERIES_LAKE_BUCKET"],
                reporting_bucket=environ["QUERIES_REPORTING_BUCKET"],
                ledger_table=environ["QUERIES_LEDGER_TABLE"],
                debounce_scale=float(environ.get("QUERIES_DEBOUNCE_SCALE", "1")),
                retry_seconds=float(environ.get("QUERIES_RETRY_SECONDS", "30")),
                sweep_hours=int(environ.get("QUERIES_SWEEP_HOURS", "48")),
                keep_hours=int(environ.get("QUERIES_KEEP_HOURS", "24")),
            )
        except KeyError as error:
            raise SettingsError(f"The environment variable {error.args[0]} is not set.") from error
        except ValueError as error:
            if isinstance(error, SettingsError):
                raise
            raise SettingsError(f"A QUERIES_ environment variable is not a number: {error}.") from error

    def to_environ(self) -> dict[str, str]:
        """The variables that must be set for these settings; those at their defaults are left out."""
        variables = {
            "QUERIES_DATABASE": self.database,
            "QUERIES_WORK_GROUP": self.work_group,
            "QUERIES_LAKE_BUCKET": self.lake_bucket,
            "QUERIES_REPORTING_BUCKET": self.reporting_bucket,
            "QUERIES_LEDGER_TABLE": self.ledger_table,
        }
        if self.debounce_scale != 1.0:
            variables["QUERIES_DEBOUNCE_SCALE"] = repr(self.debounce_scale)
        if self.retry_seconds != 30.0:
            variables["QUERIES_RETRY_SECONDS"] = repr(self.retry_seconds)
        if self.sweep_hours != 48:
            variables["QUERIES_SWEEP_HOURS"] = str(self.sweep_hours)
        if self.keep_hours != 24:
            variables["QUERIES_KEEP_HOURS"] = str(self.keep_hours)
        return variables
