"""A file imported into the local cloud: by processes of its own, with reports, failed records and accounts."""

import json
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from infra.accounting.evidence import Places as Evidence
from infra.accounting.evidence import gather
from infra.accounting.reconcile import Accounting, reconcile
from infra.importing.notices import send
from infra.importing.session import OnChange, Outcome, Places, Session
from infra.importing.workers import Processes, Setup
from infra.local.cloud import LocalCloud
from infra.project.loading import SHOP
from producers.sources.definition import parse_source
from producers.sources.reader import SourceReader
from tests.infra.importing.world import VIEWS, row, write
from tests.queries.cloud import Chain
from tests.shop import TABLE
from transforms.failed.s3_bucket import S3Objects
from transforms.gate.gate import Gate
from transforms.importing.rows import RowMaker
from transforms.target import deployed_keys

pytestmark = pytest.mark.cloud
REPORT = """
SELECT event_hour, page_views, visitors, bytes_sent, errors FROM traffic_by_hour
WHERE event_hour BETWEEN '2013-01-01-00' AND '2013-01-01-03' ORDER BY event_hour
"""
PLACES = """
SELECT event_hour, "$path" FROM traffic_by_hour WHERE event_hour BETWEEN '2013-01-01-00' AND '2013-01-01-03'
ORDER BY event_hour
"""
STREAMED = """
SELECT event_hour, page_views, (SELECT count(DISTINCT event_id) FROM web_events WHERE event_hour = '2013-01-09-00'
AND event_type = 'page_viewed') AS ids, errors FROM traffic_by_hour WHERE event_hour = '2013-01-09-00'
"""
COPIES = """
SELECT source, producer_id, seq, page_viewed.status FROM web_events
WHERE event_hour = '2013-01-09-00' AND producer_id = 'stream-3' AND seq = 5
"""
VIEW = VIEWS.replace("-- source: views", "-- source: cloud_views")


def imported(chain: Chain, folder: Path, path: str, epoch: int, on_change: OnChange = "keep") -> Outcome:
    definition = parse_source(VIEW, "sources/cloud_views.sql")
    bucket = chain.outputs.lake_bucket
    asked: Any = SimpleNamespace(client=chain.client, pseudonym_secrets=chain.outputs.pseudonym_secrets)
    key_id, key = next(iter(deployed_keys(asked, TABLE.stream.name).items()))
    sqs = chain.client("sqs")
    places = Places(
        S3Objects(chain.client("s3"), bucket),
        TABLE,
        RowMaker(TABLE, Gate(TABLE, key_id=key_id, key=key)),
        lambda sender, _: Processes(Setup(SHOP, bucket, TABLE.name, key_id, key, sender), 1),
        lambda keys: send(sqs, chain.outputs.queue_url, bucket, keys),
    )
    head = {"producer_id": "import-cloud_views", "epoch": epoch, "arrival_ms": epoch}
    with SourceReader(definition, TABLE.stream) as reader:
        return Session(folder, places, lambda _: None, on_change=on_change).run(
            reader, definition.name, [path], head
        )


def test_an_imported_file_is_in_reports_and_accounts_and_importing_it_again_changes_no_report(
    local_cloud: LocalCloud, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in local_cloud.environment().items():
        monkeypatch.setenv(name, value)
    chain = Chain.of(local_cloud)
    rows = [row(number, status="404" if number % 10 == 0 else "200") for number in range(200)]
    path = write(tmp_path / "views.csv", [*rows, row(200, hour=3, status="many")])
    first = imported(chain, tmp_path / "state", path, 1_796_000_000_000)
    assert (first.totals.landed, first.failures) == (200, 1)
    chain.refresh()
    published = chain.rows(REPORT).rows
    assert published == [(f"2013-01-01-{hour:02d}", 50, 1, 0, 5) for hour in range(4)]
    served = chain.rows(PLACES).rows
    account = accounting(chain)
    (line,) = [line for line in account.lines if line.name.producer_id == "import-cloud_views"]
    assert (line.produced, line.landed, line.failed, len(line.missing)) == (201, 200, 1, 0)
    assert line.is_audited
    again = imported(chain, tmp_path / "state", path, 1_796_000_100_000)
    assert (again.totals.landed, again.totals.settled, again.failures_known) == (0, 200, 1)
    chain.refresh()
    assert chain.rows(PLACES).rows == served


def test_a_correction_replaces_every_copy_of_an_event_that_came_by_the_stream(
    local_cloud: LocalCloud, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in local_cloud.environment().items():
        monkeypatch.setenv(name, value)
    chain = Chain.of(local_cloud)
    streamed = [row(number, hour=24 * 8) for number in range(3000, 3020)]
    sent = events_of(Path(write(tmp_path / "views.csv", streamed)))
    for copies in (sent, sent[:12]):  # at least once: two objects of the lake hold the first ones
        chain.put(copies)
        chain.deliver()
    chain.refresh()
    assert chain.rows(STREAMED).rows == [("2013-01-09-00", 20, 20, 0)]

    corrected = [row(3004, hour=24 * 8, status="503"), *streamed[:4], *streamed[5:], row(3020, hour=24 * 8)]
    later = write(tmp_path / "later.csv", corrected)
    kept = imported(chain, tmp_path / "state", later, 1_796_000_200_000)
    assert (kept.totals.landed, list(kept.corrections)) == (1, [(0, 1)])
    chain.refresh()
    assert chain.rows(STREAMED).rows == [("2013-01-09-00", 21, 21, 0)]

    replaced = imported(chain, tmp_path / "state", later, 1_796_000_300_000, on_change="replace")
    assert (replaced.totals.landed, list(replaced.corrections)) == (0, [(0, 1)])
    chain.refresh()
    assert chain.rows(STREAMED).rows == [("2013-01-09-00", 21, 21, 1)]
    said = chain.rows(COPIES).rows
    assert said == [("replay", "stream-3", 5, 503), ("replay", "stream-3", 5, 503)]
    assert not imported(chain, tmp_path / "state", later, 1_796_000_400_000).corrections


def events_of(path: Path) -> list[dict[str, Any]]:
    """The rows of a file as a producer would send them, numbered from 1."""
    with SourceReader(parse_source(VIEW, "sources/cloud_views.sql"), TABLE.stream) as reader:
        rows = [event for batch in reader.batches(str(path)) for event in batch.events]
    return [
        {
            "event_id": event.event_id,
            "event_type": event.event_type.name,
            "schema_version": event.event_type.version,
            "event_time": f"{datetime.fromtimestamp(event.event_us / 1_000_000, UTC):%Y-%m-%dT%H:%M:%S.000Z}",
            "source": "replay",
            "producer_id": "stream-3",
            "epoch": 1,
            "seq": number,
            "payload": json.loads(event.data),
        }
        for number, event in enumerate(rows, start=1)
    ]


def accounting(chain: Chain) -> Accounting:
    import boto3

    from queries.engine.athena import AthenaEngine

    engine = AthenaEngine(
        boto3.Session(),
        database=chain.outputs.database,
        work_group=chain.outputs.analyst_work_group,
        endpoint_url=chain.cloud.context.server_url,
    )
    function = chain.outputs.transform_function
    lake = chain.outputs.lake_bucket
    evidence = Evidence(engine, chain.client("s3"), chain.client("logs"), lake, [function], [TABLE.name])
    return reconcile(gather(evidence))
