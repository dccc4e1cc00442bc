"""What the producer's command takes from the environment when no option says otherwise."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import cast, get_args

from producers.packing.record import Framing

STREAM_NAME = "PRODUCERS_STREAM_NAME"
FRAMING = "PRODUCERS_FRAMING"
STATE = "PRODUCERS_STATE"
SPOOL = "PRODUCERS_SPOOL"
STREAMS = "PRODUCERS_STREAMS"
BUFFER_SECONDS = "PRODUCERS_BUFFER_SECONDS"


@dataclass(frozen=True)
class Settings:
    """Attributes:
    stream_name: the Kinesis stream.
    streams: folder of the files that declare streams, empty for the shop's.
    framing: how events are packed into records.
    state: folder that remembers epochs, empty for none.
    spool: folder of the spool, empty for none.
    buffer_seconds: how long the stream's delivery to the lake buffers; many event hours are paced by it.
    """

    stream_name: str = ""
    framing: Framing = "kpl"
    state: str = ""
    spool: str = ""
    buffer_seconds: float = 60.0
    streams: str = ""

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
            buffer_seconds=_seconds(environ),
            streams=environ.get(STREAMS, ""),
        )

    def to_environ(self) -> dict[str, str]:
        """The variables that `from_environ` reads back."""
        values = {
            STREAM_NAME: self.stream_name,
            FRAMING: self.framing,
            STATE: self.state,
            SPOOL: self.spool,
            STREAMS: self.streams,
        }
        if self.buffer_seconds != Settings.buffer_seconds:
            values[BUFFER_SECONDS] = str(self.buffer_seconds)
        return {name: value for name, value in values.items() if value}


def _seconds(environ: Mapping[str, str]) -> float:
    given = environ.get(BUFFER_SECONDS, str(Settings.buffer_seconds))
    try:
        seconds = float(given)
    except ValueError:
        seconds = 0.0
    if not 0 < seconds <= 900:
        raise ValueError(f"{BUFFER_SECONDS} is {given!r}; it must be a number of seconds up to 900.")
    return seconds
