"""The sources that ship for the shop: access logs of servers, load balancers and content delivery networks."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from producers.sources.definition import read_sources
from producers.sources.items import source_items
from producers.sources.read import NewEvent, read
from producers.sources.reader import SourceReader
from tests.shop import WEB

PageViewed = WEB.latest["page_viewed"].payload
FOLDER = Path(__file__).parents[3] / "producers" / "sources" / "shop"
LOGS = Path(__file__).parent / "access_logs"


def _items(name: str, file: str) -> list[NewEvent]:
    with SourceReader(read_sources(FOLDER)[name], WEB) as reader:
        return list(source_items(reader, str(LOGS / file), None, lambda *_: None))


@pytest.mark.parametrize(
    "file",
    ["nginx_combined.log", "nginx_main.log", "apache_common.log", "vhost_combined.log", "forwarded.log"],
)
def test_logs_of_servers_are_the_same_events_as_with_the_format_named(file: str) -> None:
    items = _items("access_log", file)
    assert items == list(read(str(LOGS / file), WEB, "access-log"))
    assert all(isinstance(item.payload, PageViewed) for item in items)


def test_a_line_that_is_not_a_log_line_fails_alone(tmp_path: Path) -> None:
    path = tmp_path / "access.log"
    path.write_bytes(b"nonsense\n" + (LOGS / "nginx_main.log").read_bytes())
    with SourceReader(read_sources(FOLDER)["access_log"], WEB) as reader:
        (batch,) = reader.batches(str(path))
    assert [each.row for each in batch.events] == [2, 3]
    assert [(each.row, each.reason[:6]) for each in batch.failures] == [(1, "not in")]


def test_a_load_balancers_log_is_read() -> None:
    items = _items("alb", "alb.log")
    assert [item.payload for item in items] == [
        PageViewed(
            url="/shoes?size=9",
            client_address="192.0.2.39",
            status=200,
            user_agent="Mozilla/5.0 (X11; Linux x86_64)",
            bytes_sent=366,
            duration_ms=1,
        ),
        PageViewed(
            url="/", client_address="203.0.113.8", status=502, user_agent="curl/7.46.0", bytes_sent=366
        ),
        PageViewed(client_address="203.0.113.8", status=400, bytes_sent=272),
    ]
    assert items[0].event_time == datetime(2024, 10, 10, 13, 55, 36, 186641, tzinfo=UTC)


def test_a_content_delivery_networks_log_is_read() -> None:
    items = _items("cloudfront", "cloudfront.log")
    assert [item.payload for item in items] == [
        PageViewed(
            url="/index.html?size=9",
            client_address="192.0.2.100",
            status=200,
            referrer="https://shop.example/",
            user_agent="Mozilla/5.0 (X11; Linux)",
            bytes_sent=2390,
            duration_ms=1,
        ),
        PageViewed(
            url="/forwarded",
            client_address="203.0.113.77",
            status=404,
            user_agent="curl/8.5.0",
            bytes_sent=500,
            duration_ms=250,
        ),
    ]
    assert [item.number for item in items] == [1, 3]
