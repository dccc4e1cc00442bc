"""What the producer's command takes from the environment when no option says otherwise."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import cast, get_args

from producers.record import Framing

STREAM_NAME = "PRODUCERS_STREAM_NAME"
FRAMING = "PRODUCERS_FRAMING"
STATE = "PRODUCERS_STATE"
SPOOL = "PRODUCERS_SPOOL"


@dataclass(frozen=True)
class Settings:
    """Attributes:
    stream_name: the Kinesis stream.
    framing: how events are packed into records.
    state: folder that remembers epochs, empty for none.
    spool: folder of the spool, empty for none.
    """

    stream_name: str = ""
    framing: Framing = "kpl"
    state: str = ""
    spool: str = ""

    @classmethod
    def from_environ(cls, environ: Mapping[str, str]) -> "Settings":
        """Reads the variables. Raises ValueError naming one that has no meaning."""
        framing = environ.get(FRAMING, "kpl")
        if framing not in get_args(Framing):
            raise ValueError(f"{FRAMING} is {framing!r}; it must be one of {', '.join(get_args(Framing))}.")
        return cls(
            stream_name=environ.get(STREAM_NAME, ""),
            framing=cast("Framing", framing),
            state=environ.get(STATE, ""),
            spool=environ.get(SPOOL, ""),
        )

    def to_environ(self) -> dict[str, str]:
        """The variables that `from_environ` reads back."""
        values = {STREAM_NAME: self.stream_name, FRAMING: self.framing, STATE: self.state, SPOOL: self.spool}
        return {name: value for name, value in values.items() if value}
