"""A file imported into the local cloud: by processes of its own, with reports, failed records and accounts."""

from pathlib import Path

import pytest

from infra.accounting.evidence import Places as Evidence
from infra.accounting.evidence import gather
from infra.accounting.reconcile import Accounting, reconcile
from infra.importing.notices import send
from infra.importing.session import Outcome, Places, Session
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

pytestmark = pytest.mark.cloud
REPORT = """
SELECT event_hour, page_views, visitors, bytes_sent, errors FROM traffic_by_hour
WHERE event_hour BETWEEN '2013-01-01-00' AND '2013-01-01-03' ORDER BY event_hour
"""
PLACES = """
SELECT event_hour, "$path" FROM traffic_by_hour WHERE event_hour BETWEEN '2013-01-01-00' AND '2013-01-01-03'
ORDER BY event_hour
"""
VIEW = VIEWS.replace("-- source: views", "-- source: cloud_views")


def imported(chain: Chain, folder: Path, path: str, epoch: int) -> Outcome:
    definition = parse_source(VIEW, "sources/cloud_views.sql")
    bucket, key = chain.outputs.lake_bucket, b"k" * 32
    sqs = chain.client("sqs")
    places = Places(
        S3Objects(chain.client("s3"), bucket),
        TABLE,
        RowMaker(TABLE, Gate(TABLE, key_id="k1", key=key)),
        lambda sender, _: Processes(Setup(SHOP, bucket, TABLE.name, "k1", key, sender), 1),
        lambda keys: send(sqs, chain.outputs.queue_url, bucket, keys),
    )
    head = {"producer_id": "import-cloud_views", "epoch": epoch, "arrival_ms": epoch}
    with SourceReader(definition, TABLE.stream) as reader:
        return Session(folder, places, lambda _: None).run(reader, definition.name, [path], head)


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
