"""What the function of write keys needs to know, from environment variables and back."""

from collections.abc import Mapping

from msgspec import Struct

PATH = "/v1/keys"
"""Where keys are a resource, below the collector's address."""
VARIABLE = "PENSTOCK_KEYS_TABLE"


class SettingsError(ValueError):
    """An environment variable is missing."""


class Settings(Struct, frozen=True):
    """`table` is the DynamoDB table of write keys and of quotas."""

    table: str

    @classmethod
    def from_environ(cls, environ: Mapping[str, str]) -> "Settings":
        """Read. Raises SettingsError that names the variable."""
        if not environ.get(VARIABLE):
            raise SettingsError(f"{VARIABLE} is not set; the stack of the collector sets it.")
        return cls(environ[VARIABLE])

    def to_environ(self) -> dict[str, str]:
        """The same settings as environment variables; values that are templates are passed on as they are."""
        return {VARIABLE: self.table}
