"""What a chaos round does: producers that are killed and started again, and what is done to the cloud."""

import gzip
import json
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from random import Random

from benchmarks.chaos_producer import noted
from benchmarks.chaos_traffic import (
    Happening,
    happenings,
    parts,
    write_access_log,
    write_documents,
    write_whole,
)
from benchmarks.chaos_world import PATIENCE_SECONDS, ChaosError, World
from infra.local import cloud, server
from infra.local.cloud import LocalCloud
from infra.local.ministack import emulator

SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGKILL)
CHECKPOINT_SECONDS = 20
RELEASES = 5
REPLAYED, UNREADABLE = 0, 3
"""Exit codes of a replay that is done; the second one says that lines could not be read."""
GENTLE_FAULTS = (
    "delivery_repeats",
    "same_key_rewrite",
    "delivery_reorders",
    "delivery_delays",
    "reading_pauses",
)
HARSH_FAULTS = (
    "transform_error",
    "transform_timeout",
    "answer_too_large",
    "answer_drops_id",
    "answer_repeats_id",
    "answer_garbles_id",
    "data_put_fails",
    "error_put_fails",
    "stops_before_put",
    "stops_after_put",
)


@dataclass
class Accepted:
    """What producers were told is accepted: what happened, and how many lines nobody can read."""

    events: list[Happening]
    poison: int = 0


def replay(world: World, random: Random, seed: str, count: int, start: datetime, span: timedelta) -> Accepted:
    """One to three files of different forms, interrupted now and then and resumed until all is replayed."""
    folder = world.notes / f"files-{seed.replace(' ', '-')}"
    folder.mkdir()
    accepted, files = Accepted([]), []
    for number, part in enumerate(parts(happenings(seed, count, start, span), random.randrange(1, 4))):
        path = folder / f"part-{number}"
        form = random.choice(("whole", "documents", "log"))
        if form == "whole":
            accepted.events += write_whole(path, part, f"chaos-{seed.replace(' ', '-')}-{number}").values()
        elif form == "documents":
            poison = random.randrange(4)
            write_documents(path, part, poison, random)
            accepted.events += part
            accepted.poison += poison
        else:
            accepted.events += write_access_log(path, part)
        if random.random() < 0.3:
            path.write_bytes(gzip.compress(path.read_bytes(), 1))
        files.append(str(path))
    command = [
        "produce",
        "replay",
        *files,
        "--resume",
        str(folder / "resume"),
        "--rate",
        str(max(500, count // 4)),
        "--json",
    ]
    for _ in range(random.randrange(3)):
        running = world.start(*command, log=folder / "log")
        _wait_for_checkpoint(running, folder / "resume")
        _interrupt(running, random.choice(SIGNALS), random.random() * 2)
        if running.returncode in (REPLAYED, UNREADABLE):
            return accepted
    _repeat(world, command, folder / "log", (REPLAYED, UNREADABLE))
    return accepted


def library(
    world: World, random: Random, seed: str, count: int, start: datetime, span: timedelta
) -> Accepted:
    """A program with the library and a spool, killed now and then; what it noted is accepted."""
    name = seed.replace(" ", "-")
    notes, log, drained = (world.notes / f"{kind}-{name}" for kind in ("accepted", "log", "drained"))
    spool = world.folder / f"spool-{name}"
    command = [sys.executable, "-m", "benchmarks.chaos_producer", "--stream", _stream(world)]
    command += ["--spool", str(spool), "--notes", str(notes), "--seed", seed, "--start", start.isoformat()]
    command += ["--count", str(count), "--span", str(span.total_seconds()), "--seconds", "4"]
    environment = world.client_environment()
    for attempt in range(random.randrange(1, 4), -1, -1):
        with log.open("a") as output:
            running = subprocess.Popen(command, env=environment, stdout=output, stderr=output, text=True)
        if attempt:
            _interrupt(running, signal.SIGKILL, 0.7 + random.random() * 3)
        else:
            running.wait(PATIENCE_SECONDS)
    done = set(noted(notes))
    found = [each for each in happenings(seed, count, start, span) if each.number in done]
    if len(found) != count:
        raise ChaosError(f"the program put {len(found)} of {count}: {log.read_text()[-1500:]}")
    _repeat(world, ("produce", "spool", "drain", str(spool), "--json"), drained, (0,))
    return Accepted(found)


def _repeat(world: World, command: Sequence[str], log: Path, done: Sequence[int]) -> None:
    """The command until it succeeds: the cloud may be down at the moment, and a person would try again."""
    until = time.monotonic() + PATIENCE_SECONDS
    while (code := _ended(world.start(*command, log=log))) not in done:
        if time.monotonic() > until:
            raise ChaosError(f"{' '.join(command)} does not end: exit {code}: {log.read_text()[-1500:]}")
        time.sleep(0.5)


def _ended(running: "subprocess.Popen[str]") -> int:
    running.communicate()
    return running.returncode


def _stream(world: World) -> str:
    for stack in world.cloud.outputs["stacks"].values():
        if "StreamName" in stack["outputs"]:
            return str(stack["outputs"]["StreamName"])
    raise ChaosError("no stack names the stream")


def _wait_for_checkpoint(running: "subprocess.Popen[str]", resume: Path) -> None:
    """Until the replay has saved that it came further: before that an interruption has little to lose."""
    before, until = _lines(resume), time.monotonic() + CHECKPOINT_SECONDS
    while running.poll() is None and _lines(resume) == before and time.monotonic() < until:
        time.sleep(0.02)


def _lines(file: Path) -> int:
    try:
        return sum(entry["line"] for entry in json.loads(file.read_bytes())["replays"])
    except FileNotFoundError:
        return 0


def _interrupt(running: "subprocess.Popen[str]", number: signal.Signals, seconds: float) -> None:
    try:
        running.communicate(timeout=seconds)
    except subprocess.TimeoutExpired:
        running.send_signal(number)
        running.communicate()


# What is done to the cloud

Disturbance = Callable[[World, Random], None]


def kill_server(world: World, random: Random) -> None:
    """Athena, delivery and live page die."""
    world.kill(server.NAME)
    time.sleep(random.random() * 2)
    world.up()


def kill_workers(world: World, random: Random) -> None:
    """Functions die, in the middle of what they do."""
    for _ in range(random.randrange(1, 5)):
        world.kill_workers()
        time.sleep(random.random())


def restart(world: World, random: Random) -> None:
    """Stopped in order and started again, with producers at work."""
    world.down()
    time.sleep(random.random() * 2)
    world.up()


def lose_checkpoints(world: World, random: Random) -> None:
    """How far delivery came is forgotten."""
    world.kill(server.NAME)
    for file in world.paths.state.glob("firehose*.sqlite*"):
        file.unlink()
    time.sleep(random.random())
    world.up()


def fill_disk(world: World, random: Random) -> None:
    """For a while nothing can be written, by the cloud and by spools."""
    with world.full_disk() if world.disk_is_ours else nullcontext():
        time.sleep(0.5 + random.random() * 2)


def faults(world: World, random: Random) -> None:
    """Some of delivery's switches, for a while."""
    with switched(world, random):
        time.sleep(1 + random.random() * 3)


def kill_emulator(world: World, random: Random) -> None:
    """Kinesis, S3, SQS, DynamoDB and all functions die at once."""
    world.kill(emulator.NAME)
    time.sleep(random.random())
    world.up()


DISTURBANCES: dict[str, Disturbance] = {
    each.__name__: each
    for each in (kill_server, kill_workers, restart, lose_checkpoints, fill_disk, faults, faults)
}


@contextmanager
def switched(world: World, random: Random) -> Iterator[list[str]]:
    """Fault switches, pressed inside and released afterwards."""
    names = random.sample(GENTLE_FAULTS, 2) + random.sample(HARSH_FAULTS, 2)
    settings = {
        name: {"probability": 0.2 + 0.3 * random.random(), "times": random.randrange(1, 6)} for name in names
    }
    _ask(world.cloud, "POST", json.dumps(settings).encode())
    try:
        yield names
    finally:
        _release(world)


def _release(world: World) -> None:
    """Two of the switches end the server, and may do so at any moment before they are released."""
    for _ in range(RELEASES):
        world.up()
        if (found := cloud.attach(world.paths)) is not None:
            with suppress(OSError):
                return _ask(found, "DELETE")
    raise ChaosError(f"the fault switches cannot be released: {cloud.status(world.paths)}")


def _ask(up: LocalCloud, method: str, body: bytes | None = None) -> None:
    request = urllib.request.Request(
        f"{up.context.server_url}/_faults",
        data=body,
        method=method,
        headers={"Content-Type": "application/json", **up.context.keys.bearer},
    )
    with urllib.request.urlopen(request, timeout=30) as answer:
        answer.read()
