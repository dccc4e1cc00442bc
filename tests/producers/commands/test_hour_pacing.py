"""Event hours are paced so that Firehose never has too many open; validated by a model of Firehose."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random

import pytest

from producers.commands.hour_counting import counted
from producers.commands.hour_pacing import (
    HOUR_MS,
    SETTLE_EVERY,
    Delivery,
    HourPace,
    OpenHours,
    Plan,
    plan,
    told,
)
from tests.shop import WEB

DELIVERY = Delivery(60.0, 50)


class Clock:
    """Time that passes when somebody sleeps."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        assert seconds > 0
        self.now += seconds


def sent(hours: list[int], delivery: Delivery = DELIVERY, each_takes: float = 0.0) -> list[tuple[float, int]]:
    """(when, hour) of every event."""
    clock, found = Clock(), []
    pace = HourPace(
        OpenHours(delivery.hours, delivery.window_seconds), clock, clock.sleep, settle=lambda: None
    )
    for hour in hours:
        pace.wait(hour * HOUR_MS)
        found.append((clock.now, hour))
        clock.now += each_takes
    return found


def most_open(events: list[tuple[float, int]], buffer: float, random: Random) -> int:
    """The most partitions that Firehose has open: records wait for up to a buffer's time before they are
    transformed, all of a batch together, and a partition stays open for up to one and a half.
    """
    closes: dict[int, float] = {}
    most, batch_ends = 0, 0.0
    for at, hour in events:
        if at > batch_ends:
            batch_ends = at + random.random() * buffer
        closes = {each: end for each, end in closes.items() if end > batch_ends}
        closes.setdefault(hour, batch_ends + buffer * (1 + random.random() / 2))
        most = max(most, len(closes))
    return most


def shuffled(hours: list[int], random: Random) -> list[int]:
    return random.sample(hours, len(hours))


@pytest.mark.parametrize("seed", range(12))
def test_never_are_more_hours_open_than_may_be_whatever_the_order(seed: int) -> None:
    random = Random(seed)
    ordered = [hour for hour in range(400) for _ in range(random.randrange(1, 4))]
    near = [hour + random.randrange(-30, 31) for hour in ordered]
    for hours in (ordered, ordered[::-1], near, shuffled(ordered, random)):
        events = sent(hours, each_takes=random.choice([0.0, 0.01, 1.0]))
        assert most_open(events, DELIVERY.buffer_seconds, random) <= DELIVERY.hours
    # Without pacing the model would have found far too many.
    assert most_open([(0.0, hour) for hour in ordered], 60.0, random) > DELIVERY.partitions


def test_few_hours_wait_for_nothing_and_a_file_in_order_keeps_up_its_rate() -> None:
    assert plan(list(range(5)) * 100, DELIVERY) == Plan(5, 0.0, 0.0)
    events = sent(list(range(4000)))
    hours_per_window = 4000 / (events[-1][0] - events[0][0]) * DELIVERY.window_seconds
    assert 0.8 * DELIVERY.hours < hours_per_window <= DELIVERY.hours


def test_how_long_it_takes_is_known_before() -> None:
    random = Random(1)
    for hours in (list(range(300)), shuffled(list(range(100)) * 3, random)):
        found = plan(hours, DELIVERY)
        events = sent(hours)
        assert found.seconds == pytest.approx(events[-1][0] - events[0][0])
        assert found.hours == len(set(hours))
        assert found.sorted_seconds <= found.seconds
    assert "sorted by time" in told("f", found, DELIVERY, is_paced=True)


def test_an_hour_that_goes_on_for_long_stays_open_and_is_not_opened_again() -> None:
    open_hours = OpenHours(2, 10.0)
    assert open_hours.send(1, 0.0) == 0
    for now in range(1, 60):
        open_hours.stay(1, float(now))
    assert (open_hours.send(1, 60.0), open_hours.opened) == (0, 1)


def test_what_was_sent_has_to_be_taken_before_further_hours_are_opened() -> None:
    clock, asked = Clock(), []
    pace = HourPace(OpenHours(400, 10.0), clock, clock.sleep, lambda: asked.append(clock.now))
    for hour in range(SETTLE_EVERY * 5):
        pace.wait(hour * HOUR_MS)
    assert len(asked) == 4


def test_without_pacing_the_hours_are_counted_and_nothing_waits() -> None:
    open_hours, clock = OpenHours.unlimited(10.0), Clock()
    pace = HourPace(open_hours, clock, clock.sleep, lambda: None)
    for hour in range(3000):
        pace.wait(hour * HOUR_MS)
    assert (clock.now, open_hours.most) == (1000.0, 3000)


def _times(count: int) -> Iterator[datetime]:
    start = datetime(2024, 1, 1, tzinfo=UTC)
    return (start + timedelta(hours=number) for number in range(count))


@pytest.mark.parametrize("count", [30, 70])
def test_the_hours_of_a_file_are_counted_whatever_its_format(tmp_path: Path, count: int) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    rows = [
        {"event_type": "heartbeat", "event_time": at, "host": "web-1", "uptime_seconds": 5}
        for at in _times(count)
        for _ in range(2)
    ]
    compact = '{"event_type":"heartbeat","event_time":"%s","host":"a","uptime_seconds":1}\n'
    spaced = compact.replace(":", ": ").replace(",", ", ")
    times = [at for at in _times(count) for _ in range(2)]
    texts = {
        "compact.ndjson": "".join(compact % at.isoformat() for at in times) + "{broken\n",
        "spaced.ndjson": "".join(spaced.replace("%s", "{}").replace("{", "{{", 1).replace("}\n", "}}\n").format(
            at.isoformat()) for at in times),
        "a.csv": "event_type,event_time,host,uptime_seconds\n"
        + "".join(f"heartbeat,{at.isoformat()},web-1,5\n" for at in times),
        "a.log": "".join(f'192.0.2.1 - - [{at:%d/%b/%Y:%H:%M:%S} +0000] "GET / HTTP/1.1" 200 1\n' for at in times),
    }  # fmt: skip
    for name, text in texts.items():
        (tmp_path / name).write_text(text)
    pq.write_table(pa.Table.from_pylist(rows), tmp_path / "a.parquet")
    for name in (*texts, "a.parquet"):
        found = counted(str(tmp_path / name), WEB, None, DELIVERY)
        assert (name, found.hours, found.seconds > 0) == (name, count, count > DELIVERY.hours)
