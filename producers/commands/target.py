"""Where the verbs of `penstock produce` send to: the target, its streams, and a sink for each of them."""

import os
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any, Protocol

from producers.commands.hour_pacing import Delivery
from producers.commands.settings import Settings
from producers.commands.streams import SHOP
from producers.contracts import CommandTarget, Stream, load_streams
from producers.sinks.aws_calls import aws_client, renewed_client
from producers.sinks.firehose import FirehoseSink
from producers.sinks.kinesis import KinesisSink
from producers.sinks.port import RecordSink
from producers.sources.definition import SourceDefinition, read_sources


class UnorderedStreamError(ValueError):
    """Order was asked for on a stream that keeps none."""


class Target(CommandTarget, Protocol):
    """What `penstock produce` reads of the target."""

    @property
    def streams(self) -> Mapping[str, Stream]:
        """The project's streams, by name."""
        ...

    def entrance(self, stream: str | None) -> str:
        """What is deployed to put this stream's events on: the Kinesis stream, or the delivery stream."""
        ...

    @property
    def delivery(self) -> Delivery:
        """What its delivery stream does with event hours."""
        ...

    @property
    def sources(self) -> Mapping[str, SourceDefinition]:
        """The sources that files can be read with, by name. Raises SourceDefinitionError."""
        ...


class Environment:
    """The target of `python -m producers`: named by the environment."""

    def __init__(self, settings: Settings) -> None:
        self.json = False
        self.streams = load_streams(Path(settings.streams) if settings.streams else SHOP)
        self._stream_name = settings.stream_name
        self.delivery = Delivery(settings.buffer_seconds)

    @property
    def sources(self) -> Mapping[str, SourceDefinition]:
        """Those of the folder `sources` below the working directory."""
        return read_sources(Path("sources"))

    def entrance(self, stream: str | None) -> str:  # noqa: ARG002 - there is one
        """As the environment names it."""
        return self._stream_name

    def client(self, service: str) -> Any:
        """A boto3 client from the environment."""
        return aws_client(service)


def own_target() -> Target:
    """The target when no other command passes one in."""
    return Environment(Settings.from_environ(os.environ))


def sink_of(
    stream: Stream, entrance: str, client: Callable[[str], Any], *, renews: bool = False
) -> RecordSink:
    """The sink for a stream's events. `entrance` is the name of what they are put on, `client` makes a boto3
    client; `renews` makes another one from the environment when its credentials are refused.
    """
    service = "firehose" if stream.is_direct else "kinesis"
    sink = FirehoseSink if stream.is_direct else KinesisSink
    return sink(entrance, client(service), partial(renewed_client, service) if renews else None)
