"""How this machine's cloud differs from AWS in pace and place. None of it is in the template."""

from collections.abc import Mapping
from dataclasses import dataclass, fields

from infra.local.parts.context import REGION

PORT_VARIABLE = "PENSTOCK_LOCAL_PORT"
DEFAULT_PORT = 4710
_PREFIX = "PENSTOCK_LOCAL_"


class LocalSettingsError(ValueError):
    """A variable of the local cloud has a value that it cannot have."""


@dataclass(frozen=True)
class LocalSettings:
    """Settings of a local cloud.

    Attributes:
        port: MiniStack's; the local server takes the next one unless `server_port` says otherwise.
        collector_port: of the collector, for a project that has one; MiniStack's and 100 unless it is said.
        jobs_port: of the jobs API, likewise; MiniStack's and 200 unless it is said.
        site_port: of the report site, likewise; MiniStack's and 300 unless it is said.
        interval_scale: buffer intervals of the template are multiplied with this.
        quiet_seconds: buffers do not wait for their interval when the stream has been quiet for so long; 0
            makes them wait.
        debounce_scale: how long reports wait for more input, likewise.
        tick_seconds: how often the query function is called; 0 for never.
        most_partitions: lake partitions that a delivery stream may have open at once.
        enforce_iam: MiniStack checks the permissions of every call, and speaks TLS.
    """

    port: int = DEFAULT_PORT
    server_port: int = 0
    collector_port: int = 0
    jobs_port: int = 0
    site_port: int = 0
    region: str = REGION
    interval_scale: float = 0.05
    quiet_seconds: float = 0.3
    debounce_scale: float = 0.1
    tick_seconds: float = 1.0
    most_partitions: int = 500
    enforce_iam: bool = False

    @property
    def ports(self) -> tuple[int, int]:
        """(MiniStack's port, the local server's port)."""
        return self.port, self.server_port or self.port + 1

    @property
    def collector(self) -> int:
        """The collector's port. Not beside the others: two local clouds may have ports next to each other."""
        return self.collector_port or self.port + 100

    @property
    def jobs(self) -> int:
        """The port of the jobs API."""
        return self.jobs_port or self.port + 200

    @property
    def site(self) -> int:
        """The port of the report site."""
        return self.site_port or self.port + 300

    @classmethod
    def from_environ(cls, environ: Mapping[str, str]) -> "LocalSettings":
        """`PENSTOCK_LOCAL_<NAME>` for each attribute. Raises LocalSettingsError with the variable's name."""
        given: dict[str, object] = {}
        for each in fields(cls):
            variable = _PREFIX + each.name.upper()
            if variable in environ:
                given[each.name] = _parse(variable, environ[variable], type(each.default))
        return cls(**given)  # type: ignore[arg-type]  # checked against each default's type above

    def to_environ(self) -> dict[str, str]:
        """The variables that make `from_environ` return this."""
        return {_PREFIX + each.name.upper(): str(getattr(self, each.name)) for each in fields(self)}


def _parse(variable: str, text: str, kind: type) -> object:
    if kind is bool:
        if text.lower() in {"1", "true", "0", "false"}:
            return text.lower() in {"1", "true"}
    else:
        try:
            return kind(text)
        except ValueError:
            pass
    raise LocalSettingsError(
        f"{variable}={text!r} is not {_WORDS[kind]}. Correct it, or unset it for the default."
    )


_WORDS = {int: "a whole number", float: "a number", bool: "one of 1, 0, true, false", str: "a text"}
