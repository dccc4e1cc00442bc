"""Events at a steady pace for whoever watches the live page, until Ctrl-C."""

import time
import webbrowser
from contextlib import suppress
from datetime import UTC, datetime, timedelta

from infra.command.progress import Steps
from infra.command.target import Target
from producers.commands.feeding import feed_simulation
from producers.commands.pacing import AtRate
from producers.commands.target import sink_of
from producers.producer import Producer
from producers.simulation.simulator import Simulation

EVENTS_PER_SECOND = 40
_HOURS = 12


def send_on(target: Target, steps: Steps) -> None:
    """Open the live page and send simulated events until interrupted; the local cloud stays up."""
    stream = next((each for each in target.streams.values() if each.traffic is not None), None)
    if stream is None:
        steps.say(
            "No stream declares traffic to simulate, so nothing is sent on. The local cloud is still up."
        )
        return
    place, now = target.cloud.context.server_url, datetime.now(UTC)
    simulation = Simulation(
        stream=stream,
        seed=int(now.timestamp()),
        count=_HOURS * 3600 * EVENTS_PER_SECOND,
        start=now,
        span=timedelta(hours=_HOURS),
        duplicate=0.01,
        malformed=0.002,
    )
    steps.say(f"Sending {EVENTS_PER_SECOND} events a second. {place} shows them. Ctrl-C stops it.")
    webbrowser.open(place)
    producer = Producer(
        sink=sink_of(stream, target.entrance(stream.name), target.client),
        producer_id=simulation.producer_id,
        epoch=simulation.epoch,
    )
    with producer, suppress(KeyboardInterrupt):
        feed_simulation(producer, simulation.records(), AtRate(EVENTS_PER_SECOND, time.monotonic, time.sleep))
    steps.say("Sent. The local cloud is still up; stop it with: penstock local down")
