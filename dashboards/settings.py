"""What the refresh function must know, and the names of the environment variables that say it."""

from collections.abc import Mapping
from dataclasses import dataclass


class SettingsError(ValueError):
    """An environment variable is missing; the text names it."""


@dataclass(frozen=True)
class Settings:
    """Attributes:
    account: AWS account of the datasets.
    database: Glue database of the report tables.
    data_sets: report -> id of its SPICE dataset.
    """

    account: str
    database: str
    data_sets: Mapping[str, str]

    @classmethod
    def from_environ(cls, environ: Mapping[str, str]) -> "Settings":
        """Read what `to_environ` wrote. Raises SettingsError."""
        try:
            pairs = environ["DASHBOARDS_DATA_SETS"].split()
            return cls(
                account=environ["DASHBOARDS_ACCOUNT"],
                database=environ["DASHBOARDS_DATABASE"],
                data_sets=dict(pair.split("=", 1) for pair in pairs),
            )
        except (KeyError, ValueError) as error:
            raise SettingsError(f"DASHBOARDS_*: {error}. Deploy the dashboards stack again.") from error

    def to_environ(self) -> dict[str, str]:
        """The variables that say it."""
        pairs = " ".join(f"{report}={asset_id}" for report, asset_id in sorted(self.data_sets.items()))
        return {
            "DASHBOARDS_ACCOUNT": self.account,
            "DASHBOARDS_DATABASE": self.database,
            "DASHBOARDS_DATA_SETS": pairs,
        }
