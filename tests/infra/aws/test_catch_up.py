"""Putting again what a stream took without a delivery stream: from where, how much, and what is refused."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

import pytest

from infra.aws import catch_up as module
from infra.aws.canary import Pace
from infra.aws.catch_up import TAG, Caught, NotCaughtUpError, catch_up, is_caught_up
from infra.aws.gap import CREATION
from tests.infra.aws.recorded import MADE, OUTPUTS, Recorded, healthy
from tests.shop import SHOP, WEB

STREAM = OUTPUTS.streams[WEB.name]
STACKS = {WEB.name: "penstock-stream"}
LATER = MADE + timedelta(hours=3)
"""When the second delivery stream was made."""


class Shards:
    """A stream of two open shards and one that is closed, each with records at these minutes after `MADE`."""

    def __init__(self, minutes: Sequence[int], *, throttled: int = 0) -> None:
        self.tags: dict[str, str] = {}
        self.again: list[bytes] = []
        self.throttled = throttled
        self.names = ("open-0", "open-1", "closed")
        self.records = {
            name: [
                self._record(f"{name}/{minute}", number, minute) for number, minute in enumerate(minutes, 1)
            ]
            for name in self.names
        }

    def _record(self, text: str, number: int, minute: float) -> dict[str, Any]:
        return {
            "Data": text.encode(),
            "PartitionKey": f"key of {text}",
            "SequenceNumber": str(number),
            "ApproximateArrivalTimestamp": MADE + timedelta(minutes=minute),
        }

    def describe_stream_summary(self, **_: str) -> Any:
        return {
            "StreamDescriptionSummary": {"StreamCreationTimestamp": MADE, "RetentionPeriodHours": 876_000}
        }

    def list_tags_for_stream(self, **_: str) -> Any:
        return {"Tags": [{"Key": key, "Value": value} for key, value in self.tags.items()]}

    def add_tags_to_stream(self, *, Tags: Mapping[str, str], **_: str) -> None:  # noqa: N803
        self.tags |= Tags

    def get_paginator(self, _: str) -> Any:
        return self

    def paginate(self, **_: str) -> Any:
        """Of each shard, as ListShards answers."""
        yield {
            "Shards": [
                {
                    "ShardId": name,
                    "HashKeyRange": {"StartingHashKey": str(number)},
                    "SequenceNumberRange": {"EndingSequenceNumber": "99"} if name == "closed" else {},
                }
                for number, name in enumerate(self.names)
            ]
        }

    def put_record(self, *, ExplicitHashKey: str, **_: Any) -> Any:  # noqa: N803
        name = self.names[int(ExplicitHashKey)]
        number = len(self.records[name]) + 1
        self.records[name] += [self._record("canary", number, 181), self._record("after", number + 1, 182)]
        return {"ShardId": name, "SequenceNumber": str(number)}

    def get_shard_iterator(self, *, ShardId: str, **start: Any) -> Any:  # noqa: N803
        since = start.get("Timestamp", MADE)
        first = sum(each["ApproximateArrivalTimestamp"] < since for each in self.records[ShardId])
        return {"ShardIterator": f"{ShardId} {first}"}

    def get_records(self, *, ShardIterator: str) -> Any:  # noqa: N803
        name, _, at = ShardIterator.partition(" ")
        found = self.records[name][int(at) : int(at) + 2]
        more = {"NextShardIterator": f"{name} {int(at) + 2}"} if found or name != "closed" else {}
        return {"Records": found, **more}

    def put_records(self, *, Records: Sequence[Mapping[str, Any]], **_: str) -> Any:  # noqa: N803
        answers: list[dict[str, str]] = []
        for each in Records:
            if self.throttled:
                self.throttled -= 1
                answers.append({"ErrorCode": "ProvisionedThroughputExceededException"})
            else:
                assert each["PartitionKey"] == f"key of {each['Data'].decode()}"
                self.again.append(each["Data"])
                answers.append({"SequenceNumber": "1"})
        return {"Records": answers}


class Clients:
    """A deployment that was destroyed 60 minutes after it was made, and whose delivery was made anew."""

    def __init__(self, kinesis: Shards, *, deleted: bool = True) -> None:
        answers = healthy()
        description = answers["firehose.describe_delivery_stream"]["DeliveryStreamDescription"]
        description["CreateTimestamp"] = LATER
        ended = {"StackName": "penstock-stream", "DeletionTime": MADE + timedelta(minutes=60)}
        others = [
            {"StackName": "penstock-lake", "DeletionTime": MADE},
            {"StackName": "penstock-stream", "DeletionTime": LATER + timedelta(days=1)},
        ]
        answers["cloudformation.list_stacks"] = {"StackSummaries": [*others, *([ended] if deleted else [])]}
        reported = {"Timestamps": [MADE + timedelta(minutes=59)], "Values": [0.0]}
        answers["cloudwatch.get_metric_data"] = {
            "MetricDataResults": [{"Id": name, **reported} for name in ("freshness", "behind")]
        }
        self._kinesis, self._others = kinesis, Recorded(answers)

    def __call__(self, service: str) -> Any:
        return self._kinesis if service == "kinesis" else self._others(service)


@pytest.fixture
def landed(monkeypatch: pytest.MonkeyPatch) -> dict[str, bool]:
    """Whether canaries come to the lake."""
    told = {"they do": True}
    monkeypatch.setattr(
        module, "how_many_landed", lambda *args: len(args[3]) if told["they do"] else len(args[3]) - 1
    )
    return told


def run(clients: Clients) -> list[Caught]:
    moments = iter(range(0, 10_000, 60))
    pace = Pace(lambda: next(moments), lambda _: None)
    return list(catch_up(clients, OUTPUTS, SHOP, STACKS, lambda: "id", pace))


def test_what_came_since_the_last_delivery_is_put_again_once_and_nothing_else(landed: Any) -> None:
    shards = Shards([10, 58, 59, 61, 170, 180])
    clients = Clients(shards)
    assert not is_caught_up(clients, STREAM)
    (caught,) = run(clients)
    wanted = [f"{name}/{minute}".encode() for name in shards.names for minute in (59, 61, 170, 180)]
    assert (caught.records, shards.again) == (12, wanted)
    assert shards.tags == {TAG: LATER.isoformat()}
    assert is_caught_up(clients, STREAM)
    assert run(clients) == [Caught(WEB.name, 0, None)]
    assert shards.again == wanted


def test_without_a_known_end_everything_is_put_again_that_came_before(landed: Any) -> None:
    shards = Shards([10, 100])
    (caught,) = run(Clients(shards, deleted=False))
    assert caught.gap is not None
    assert caught.gap.begin is None
    assert caught.records == 6


def test_what_came_long_after_the_delivery_stream_was_made_is_left_alone(landed: Any) -> None:
    shards = Shards([170, 180 + CREATION.seconds // 60 + 1])
    (caught,) = run(Clients(shards))
    assert caught.records == 3


def test_records_that_are_throttled_are_put_until_they_are_taken(landed: Any) -> None:
    shards = Shards([100, 101, 102], throttled=4)
    assert run(Clients(shards))[0].records == 9
    assert sorted(shards.again) == sorted(
        f"{name}/{minute}".encode() for name in shards.names for minute in (100, 101, 102)
    )


def test_a_stream_that_takes_nothing_is_said_and_is_tried_again_the_next_time(landed: Any) -> None:
    shards = Shards([100], throttled=1_000)
    with pytest.raises(NotCaughtUpError, match=r"took no more records.*penstock catch-up"):
        run(Clients(shards))
    assert not shards.tags
    shards.throttled = 0
    run(Clients(shards))
    assert shards.tags


def test_nothing_is_put_again_before_every_shard_is_delivered(landed: dict[str, bool]) -> None:
    landed["they do"] = False
    shards = Shards([100])
    with pytest.raises(NotCaughtUpError, match=r"delivery-stale.*penstock catch-up"):
        run(Clients(shards))
    assert (shards.again, shards.tags) == ([], {})


def test_a_first_deployment_has_nothing_to_put_again() -> None:
    answers = healthy()
    made = MADE + CREATION - timedelta(seconds=1)
    answers["firehose.describe_delivery_stream"]["DeliveryStreamDescription"]["CreateTimestamp"] = made
    assert is_caught_up(Recorded(answers), STREAM)
