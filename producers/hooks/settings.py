"""What the worker's function needs to know, from environment variables and back."""

from collections.abc import Mapping

from msgspec import Struct

_PREFIX = "PENSTOCK_HOOKS_"


class SettingsError(ValueError):
    """An environment variable is missing."""


class Settings(Struct, frozen=True):
    """Names of what the function works with.

    Attributes:
        stream_prefix: a Kinesis stream is called this, `-` and the name of its stream.
        deliveries_table: the DynamoDB table of deliveries.
        secret_prefix: a source's secret is called this and the source's name.
        dead_letter_queue_url: where refused messages are kept.
    """

    stream_prefix: str
    deliveries_table: str
    secret_prefix: str
    dead_letter_queue_url: str

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
