"""The producer alone: two libraries, and no more is needed to send events."""

import json
from pathlib import Path

from infra.local.cloud import LocalCloud
from tests.infra.wheel.conftest import Environment

SEND = """
import json, sys
from penstock import Producer
from penstock.producers.contracts.shop.web import PageViewed

with Producer("penstock-web", producer_id="small", source="small") as producer:
    for number in range(100):
        producer.put(PageViewed(url=f"/small/{number}", client_address="192.0.2.7", status=200))
stats = producer.stats()
print(json.dumps([producer.last_seq, stats.pending, sorted({name.partition(".")[0] for name in sys.modules})]))
"""


def test_the_producer_alone_sends_to_a_stream(
    small: Environment, local_cloud: LocalCloud, tmp_path: Path
) -> None:
    done = small.run(["-c", SEND], tmp_path, timeout=120, **local_cloud.environment())
    assert done.returncode == 0, done.stderr[-2000:]
    last_seq, pending, loaded = json.loads(done.stdout)
    assert last_seq >= 100
    assert pending == 0
    assert not {"pyarrow", "duckdb", "typer", "rich", "pandas"} & set(loaded)


def test_the_command_says_what_to_install_where_only_the_producer_is(
    small: Environment, tmp_path: Path
) -> None:
    done = small.run(["-m", "penstock", "demo"], tmp_path)
    assert done.returncode == 1
    assert done.stderr == (
        "penstock: the command needs the package 'typer', which the producer alone does without. "
        "Run: pip install 'penstock[local]'\n"
    )
