"""Interrupts `penstock produce replay --resume` at random moments, goes on, and looks for lost events.

`python -m benchmarks.producer_resumes --interruptions 200`. Replays of one to three files are ended by
SIGTERM, SIGINT and SIGKILL, and started again with the same resume file until they are through. A run is a
forked process, so that it costs no start of Python.
"""

import argparse
import os
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

import msgspec

from benchmarks.shop import WEB
from benchmarks.stub_process import Arrival, StubProcess
from producers.commands import checkpoint
from producers.commands import run as command
from producers.commands.cli import app
from producers.simulation.simulator import Simulation
from producers.sources import read as sources
from producers.sources.read import SourceItem

SIGNALS = {"TERM": signal.SIGTERM, "INT": signal.SIGINT, "KILL": signal.SIGKILL}
EVERY_LINES = 700  # small, so that runs also die around checkpoints; no multiple of a batch
START = datetime(2026, 11, 24, 10, tzinfo=UTC)
_LOG_LINE = b'198.18.0.%d - - [24/Nov/2026:10:%02d:%02d +0000] "GET /p/%d HTTP/1.1" 200 5 "-" "-"\n'


@dataclass
class Resumes:
    """What a series of interrupted replays came to.

    `interrupted` counts runs that a signal ended before they were through, `codes` their exit codes;
    `missing` the places of sequences that no event has, which `reconcile` would report for ever.
    """

    interrupted: int = 0
    replays: int = 0
    files: int = 0
    events: int = 0
    arrived: int = 0
    lost: int = 0
    other_ids: int = 0
    wrong_codes: int = 0
    missing: int = 0
    codes: Counter[int] = field(default_factory=Counter)

    @property
    def is_sound(self) -> bool:
        """Whether nothing is lost, and whatever came twice has the same id."""
        return not (self.lost + self.other_ids + self.wrong_codes + self.missing)

    def __str__(self) -> str:
        twice = self.arrived - self.events
        return (
            f"{self.interrupted} interruptions {dict(self.codes)} of {self.replays} replays, {self.files} "
            f"files, {self.events:,} events: {self.lost} lost, {twice:,} sent twice under the same id, "
            f"{self.other_ids} under another, {self.missing} places missing, "
            f"{self.wrong_codes} wrong exit codes"
        )


def resume_runs(interruptions: int, seed: int, folder: Path, names: Iterable[str] = SIGNALS) -> Resumes:
    """As many interruptions by each signal."""
    random = Random(seed)
    found = Resumes()
    for number in map(SIGNALS.__getitem__, names):
        done, turn = 0, 0
        while done < interruptions:
            place = folder / f"{number}-{turn}"
            place.mkdir()
            done += _one(place, number, interruptions - done, random, found)
            turn += 1
    return found


def _one(folder: Path, number: int, most: int, random: Random, found: Resumes) -> int:
    """Replays some files to their end, interrupting it a few times; returns how often that worked."""
    count = random.randrange(1, 4)
    files = [_file(folder / f"{place}", random) for place in range(count)]
    delay = random.choice((0.0, 0.002, 0.01))
    done = 0
    with StubProcess(2, delay=delay, dump=folder / "dump") as stub:
        environment = {
            "AWS_ENDPOINT_URL": stub.url,
            "AWS_ACCESS_KEY_ID": "stub",
            "AWS_SECRET_ACCESS_KEY": "stub",
            "AWS_DEFAULT_REGION": "us-east-1",
            "PRODUCERS_STREAM_NAME": "stub",
        }
        words = ["replay", *map(str, files), "--json", "--resume", str(folder / "resume")]
        if random.random() < 0.3:
            words += ["--rate", "8000"]
        stub.client().close()  # loads once what every child would load
        longest = random.choice((0.05, 0.15, 0.4))
        for _ in range(random.randrange(1, 10)):
            code = _run(words, environment, number, random.random() * longest)
            if code == 0:
                break
            done += 1
            found.codes[code] += 1
            expected = -number if number == signal.SIGKILL else 128 + number
            found.wrong_codes += code != expected
            if done == most:
                break
        found.wrong_codes += _run(words, environment, None, 0.0) != 0
        arrivals = stub.arrivals()
        sent = Counter(_ids(arrivals))
        found.missing += _missing(arrivals)
        # A replay of the same content says which ids there are.
        stub.control(reset=True)
        before = sent.total()
        found.wrong_codes += _run(words[: 1 + count], environment, None, 0.0) != 0
        again = Counter(_ids(stub.arrivals()[:]))
        again.subtract(sent)
    whole = {event for event, times in again.items() if times > 0}
    found.interrupted += done
    found.replays += 1
    found.files += count
    found.events += len(whole)
    found.arrived += before
    found.lost += sum(event not in sent for event in whole)
    found.other_ids += sum(event not in whole for event in sent)
    return done


def _file(path: Path, random: Random) -> Path:
    """Events that are whole, or lines of an access log whose ids follow from the content."""
    count = random.randrange(500, 4_000)
    if random.random() < 0.3:
        at = ((place % 250, place // 60 % 60, place % 60, place) for place in range(count))
        path.write_bytes(b"".join(_LOG_LINE % figures for figures in at))
        return path
    simulation = Simulation(WEB, random.randrange(1 << 30), count, START, timedelta(hours=1), malformed=0.0)
    path.write_bytes(b"".join(record.data + b"\n" for record in simulation.records() if not record.is_copy))
    return path


def _run(words: list[str], environment: dict[str, str], number: int | None, seconds: float) -> int:
    """The exit code of a run that gets a signal so many seconds after it began; negative if killed by it."""
    started, ready = os.pipe()
    child = os.fork()
    if child == 0:
        _replay(words, environment, lambda: os.write(ready, b"+"))
    os.close(ready)
    os.read(started, 1)
    os.close(started)
    if number is not None:
        time.sleep(seconds)
        os.kill(child, number)
    _, status = os.waitpid(child, 0)
    return os.waitstatus_to_exitcode(status)


def _replay(words: list[str], environment: dict[str, str], is_ready: Callable[[], object]) -> None:
    code = 70
    try:
        os.environ.update(environment)
        quiet = os.open(os.devnull, os.O_WRONLY)
        os.dup2(quiet, 1)
        os.dup2(quiet, 2)
        checkpoint.EVERY_LINES = EVERY_LINES

        def read(*given: Any, **named: Any) -> Iterator[SourceItem]:
            # From here on the command has taken the signals, and has begun.
            is_ready()
            return sources.read(*given, **named)

        vars(command)["read"] = read
        app(words, standalone_mode=True)
        code = 0
    except SystemExit as error:
        code = error.code if isinstance(error.code, int) else 70
    finally:
        os._exit(code)


def _missing(arrivals: list[Arrival]) -> int:
    """How many places no event has, of sequences of which anything came."""
    last: Counter[tuple[str, int]] = Counter()
    taken: set[tuple[str, int, int]] = set()
    for event in (msgspec.json.decode(arrival.data) for arrival in arrivals):
        name, seq = (event["producer_id"], event["epoch"]), event["seq"]
        if seq:
            taken.add((*name, seq))
        else:
            seq = event["payload"]["last_seq"]
        last[name] = max(last[name], seq)
    return sum(last.values()) - len(taken)


def _ids(arrivals: list[Arrival]) -> list[str]:
    events = [msgspec.json.decode(arrival.data) for arrival in arrivals]
    return [event["event_id"] for event in events if event["event_type"] != "producer_audited"]


def main() -> int:
    """Prints the result; 1 when an event was lost, or came again under another id."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--interruptions", type=int, default=200, help="by each signal")
    parser.add_argument("--signals", choices=SIGNALS, nargs="+", default=list(SIGNALS))
    parser.add_argument("--seed", type=int, default=int(time.time()))
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        found = resume_runs(arguments.interruptions, arguments.seed, Path(folder), arguments.signals)
    print(f"seed {arguments.seed}: {found}")
    return 0 if found.is_sound else 1


if __name__ == "__main__":
    sys.exit(main())
