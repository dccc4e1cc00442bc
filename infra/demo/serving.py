"""Events at a steady pace for whoever watches the live page, until Ctrl-C."""

import time
import webbrowser
from contextlib import suppress
from datetime import UTC, datetime, timedelta

from infra.command.progress import Steps
from infra.command.target import Target
from producers.commands.feeding import feed_simulation
from producers.commands.pacing import AtRate
from producers.producer import Producer
from producers.simulation.simulator import Simulation
from producers.sinks.kinesis import KinesisSink

EVENTS_PER_SECOND = 40
_HOURS = 12


def send_on(target: Target, steps: Steps) -> None:
    """Open the live page and send simulated events until interrupted; the local cloud stays up."""
    place, now = target.cloud.context.server_url, datetime.now(UTC)
    simulation = Simulation(
        stream=next(iter(target.streams.values())),
        seed=int(now.timestamp()),
        count=_HOURS * 3600 * EVENTS_PER_SECOND,
        start=now,
        span=timedelta(hours=_HOURS),
        duplicate=0.01,
        malformed=0.002,
    )
    steps.say(f"Sending {EVENTS_PER_SECOND} events a second. {place} shows them. Ctrl-C ends it.")
    webbrowser.open(place)
    producer = Producer(
        sink=KinesisSink(target.stream_name, target.client("kinesis")),
        producer_id=simulation.producer_id,
        epoch=simulation.epoch,
    )
    with producer, suppress(KeyboardInterrupt):
        feed_simulation(producer, simulation.records(), AtRate(EVENTS_PER_SECOND, time.monotonic, time.sleep))
    steps.say("Sent. The local cloud is still up; end it with: penstock local down")
