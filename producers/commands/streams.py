"""Which of the project's streams a verb is about."""

from collections.abc import Mapping
from pathlib import Path

from producers.contracts import Stream

SHOP = Path(__file__).parents[1] / "contracts" / "shop"
"""The streams of the project that ships with Penstock."""


class UnknownStreamError(LookupError):
    """The project declares no stream of that name."""


def declared_stream(streams: Mapping[str, Stream], name: str | None) -> Stream:
    """The stream of that name; the only one without a name. Raises UnknownStreamError."""
    if name is None and len(streams) == 1:
        return next(iter(streams.values()))
    if name is None:
        raise UnknownStreamError(
            f"The project has several streams: {', '.join(streams)}. Name one with --stream."
        )
    if name not in streams:
        raise UnknownStreamError(f"The project has no stream {name!r}. It has: {', '.join(streams)}.")
    return streams[name]
