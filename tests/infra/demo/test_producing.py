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
from infra.demo.producing import send_file
from infra.local.cloud import LocalCloud
from producers.commands.hour_guard import HourGuard
from producers.commands.hour_pacing import Delivery
from producers.sinks.kinesis import KinesisSink
from producers.sinks.memory import MemorySink, even_shards
from producers.sources.files import SourceError
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
