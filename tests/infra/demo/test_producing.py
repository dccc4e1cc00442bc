"""What the demo sends of a file: damaged ones too, over a socket, every row of them accounted for.

`PENSTOCK_TEST_MUTATIONS=200` sends two hundred; `make mutate-inputs` does.
"""

import os
from pathlib import Path
from unittest.mock import patch

import pytest

from infra.accounting.evidence import failed_names, failed_records, gather
from infra.accounting.intervals import EMPTY
from infra.accounting.reconcile import Places, reconcile
from infra.command.target import Target
from infra.demo.demo import evidence_places
from infra.demo.producing import require_readable, send_file, send_rows
from infra.local.cloud import LocalCloud
from producers.commands.hour_guard import HourGuard
from producers.commands.hour_pacing import Delivery
from producers.sinks.kinesis import KinesisSink
from producers.sinks.memory import MemorySink, even_shards
from producers.sources.definition import SourceDefinitionError, parse_source
from producers.sources.files import SourceError
from tests.producers.sources.flights import CSV, FLIGHTS, HEADER, SELECT
from tests.producers.sources.mutated_inputs import mutated
from tests.producers.sources.test_mutated_inputs import accounted
from tests.shop import WEB

SEEDS = range(int(os.environ.get("PENSTOCK_TEST_MUTATIONS", "8")))


class Hours:
    """A delivery stream of which few event hours may be open at once."""

    @property
    def delivery(self) -> Delivery:
        return Delivery(buffer_seconds=0.02, partitions=8)


@pytest.mark.cloud
def test_every_row_of_damaged_files_is_landed_failed_or_refused_with_its_file(
    local_cloud: LocalCloud, tmp_path: Path
) -> None:
    with patch.dict(os.environ):
        target = Target("local", os.environ, directory=local_cloud.context.paths.root.parent)
        places = evidence_places(target)
        _, before = failed_names(failed_records(places))
        sent: Places = {}
        for seed in SEEDS:
            folder = tmp_path / str(seed)
            folder.mkdir()
            given = mutated(seed, folder)
            items = accounted(given)
            sink = KinesisSink(target.stream_name, target.client("kinesis"))
            try:
                fed, names = send_file(sink, WEB, str(given.path), lambda _: None, HourGuard(target))
            except SourceError:
                assert items is None
                continue
            assert fed.put == items
            sent = {name: sent.get(name, EMPTY) | names.get(name, EMPTY) for name in {**sent, **names}}
        answer = target.cloud.context.ask("/_firehose/flush?seconds=120", method="POST", timeout=150)
        assert answer["drained"] is True
        found = reconcile(gather(places, but=before), sent)
    assert found.produced > 10 * len(SEEDS)
    assert (found.in_flight, found.incomplete) == (0, ())


def test_a_file_of_many_hours_leaves_as_fast_as_the_delivery_can_open_them(tmp_path: Path) -> None:
    log = tmp_path / "access.log"
    line = '192.0.2.1 - - [{day:02}/Nov/2024:{hour:02}:00:00 +0000] "GET / HTTP/1.1" 200 10 "-" "curl/8"\n'
    log.write_text("".join(line.format(day=1 + n // 24, hour=n % 24) for n in range(60)))
    hours = HourGuard(Hours())
    fed, _ = send_file(MemorySink(even_shards(1), lambda *_: None), WEB, str(log), lambda _: None, hours)
    assert fed.put == 60
    assert hours.as_dict()["event_hours"] == 60
    assert hours.as_dict()["paced_seconds"] > 0
    assert not hours.is_exceeded


def test_rows_that_a_source_reads_are_sent_and_known_by_name(tmp_path: Path) -> None:
    file = tmp_path / "flights.csv"
    file.write_text(CSV)
    source = parse_source(HEADER + SELECT, "flights.sql")
    sink = MemorySink(even_shards(1), lambda *_: None)
    fed, names = send_rows(sink, source, FLIGHTS, str(file), lambda _: None, Hours())
    rows = len(CSV.splitlines()) - 1
    assert (fed.put, [len(numbers) for numbers in names.values()]) == (rows, [rows])


def test_a_source_that_does_not_fit_the_file_is_refused_before_anything_is_started(tmp_path: Path) -> None:
    file = tmp_path / "other.csv"
    file.write_text("time,airline\n2013-01-01T10:00:00Z,UA\n")
    with pytest.raises(SourceDefinitionError, match="There is no column"):
        require_readable(str(file), FLIGHTS, parse_source(HEADER + SELECT, "flights.sql"))
