"""Events that nobody asked for start no thread; every other one is told as MiniStack tells it."""

from typing import Any

import pytest
from ministack.services import s3

from infra.local.ministack.unwanted_events import Notifications

QUEUE = (
    "<NotificationConfiguration><QueueConfiguration><Id>lake</Id><Queue>arn:aws:sqs:us-east-1:1:q</Queue>"
    "<Event>s3:ObjectCreated:*</Event><Filter><S3Key><FilterRule><Name>suffix</Name><Value>.parquet</Value>"
    "</FilterRule></S3Key></Filter></QueueConfiguration></NotificationConfiguration>"
)
BUS = "<NotificationConfiguration><EventBridgeConfiguration/></NotificationConfiguration>"
PUT, DELETED = "s3:ObjectCreated:Put", "s3:ObjectRemoved:Delete"


@pytest.mark.parametrize(
    ("asked", "key", "event", "is_told"),
    [
        (QUEUE, "t/a.parquet", PUT, True),
        (QUEUE, "t/a.pq", PUT, False),
        (QUEUE, "t/a.parquet", DELETED, False),
        (BUS, "t/a.pq", DELETED, True),
        ("<NotificationConfiguration/>", "t/a.parquet", PUT, False),
        ("", "t/a.parquet", PUT, False),
    ],
)
def test_an_event_is_reported_when_its_bucket_asks_for_it(
    monkeypatch: pytest.MonkeyPatch, asked: str, key: str, event: str, is_told: bool
) -> None:
    told: list[tuple[Any, ...]] = []
    monkeypatch.setattr(s3, "_fire_s3_event_async", lambda *given, **named: told.append((*given, named)))
    monkeypatch.setattr(s3, "_bucket_notifications", {"lake": asked} if asked else {})
    Notifications(s3).fire("lake", key, event, size=3)
    assert told == ([("lake", key, event, {"size": 3})] if is_told else [])
