"""What the collector's function needs to know, from environment variables and back."""

from collections.abc import Mapping

from msgspec import Struct

_PREFIX = "PENSTOCK_COLLECTOR_"


class SettingsError(ValueError):
    """An environment variable is missing."""


class Settings(Struct, frozen=True):
    """Names of what the function works with.

    Attributes:
        stream_prefix: a Kinesis stream is called this, `-` and the name of its stream.
        keys_table: the DynamoDB table of write keys and of quotas.
        queue_url: the queue of records that the stream did not take.
    """

    stream_prefix: str
    keys_table: str
    queue_url: str

    @classmethod
    def from_environ(cls, environ: Mapping[str, str]) -> "Settings":
        """Read. Raises SettingsError that names the variable."""
        found = {}
        for name in cls.__struct_fields__:
            variable = _PREFIX + name.upper()
            if not environ.get(variable):
                raise SettingsError(f"{variable} is not set; the stack of the collector sets it.")
            found[name] = environ[variable]
        return cls(**found)

    def to_environ(self) -> dict[str, str]:
        """The same settings as environment variables; values that are templates are passed on as they are."""
        return {_PREFIX + name.upper(): getattr(self, name) for name in self.__struct_fields__}
