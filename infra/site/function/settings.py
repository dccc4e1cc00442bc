"""What the functions of the site must know, each from a variable `PENSTOCK_SITE_<ATTRIBUTE>`."""

from collections.abc import Mapping
from dataclasses import dataclass, fields


class SettingsError(ValueError):
    """An environment variable is missing; the text names it."""


@dataclass(frozen=True)
class Settings:
    """Names of the resources.

    Attributes:
        data_bucket: has the extracts.
        reporting_bucket, database: of the reports. The function that answers has neither.
        reports: that dashboards show, separated by spaces.
        lake_bucket: has the failed records. The function that draws does not read them.
    """

    data_bucket: str
    reporting_bucket: str = ""
    database: str = ""
    reports: str = ""
    lake_bucket: str = ""

    @classmethod
    def from_environ(cls, environ: Mapping[str, str]) -> "Settings":
        """Read what `to_environ` wrote. Raises SettingsError."""
        if variable("data_bucket") not in environ:
            raise SettingsError(f"The environment variable {variable('data_bucket')} is not set.")
        return cls(**{field.name: environ.get(variable(field.name), "") for field in fields(cls)})

    def to_environ(self) -> dict[str, str]:
        """The variables that make `from_environ` return this."""
        values = {variable(field.name): str(getattr(self, field.name)) for field in fields(self)}
        return {name: value for name, value in values.items() if value}


def variable(setting: str) -> str:
    """Name of the environment variable for an attribute of `Settings`."""
    return f"PENSTOCK_SITE_{setting.upper()}"
