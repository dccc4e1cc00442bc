"""How far behind a delivery worker says it is."""

from infra.local.firehose.checkpoints import ShardProgress
from infra.local.firehose.lag import BEHIND, FRESHNESS, metrics
from infra.local.firehose.records import Place
from infra.local.ministack.delivery_metrics import asks_for_delivery
from queries.commands import delivery

NOW = 2_000.0


def progress(*places: tuple[float, int]) -> ShardProgress:
    """A shard of which records were read: (arrival in epoch seconds, user records that are not done)."""
    found = ShardProgress()
    found.read(Place("s", str(number), int(at * 1000), left) for number, (at, left) in enumerate(places))
    return found


def test_the_oldest_record_that_is_not_done_counts_and_not_those_before_it() -> None:
    told = metrics({"a": NOW, "b": NOW}, [progress((1_900, 0), (1_950, 2)), progress((1_970, 1))], 0.0, NOW)
    assert told == {FRESHNESS: 50.0, BEHIND: 0.0}


def test_the_shard_that_is_read_least_far_counts() -> None:
    told = metrics({"a": NOW, "b": 1_990.0}, [progress((1_900, 0))], 0.0, NOW)
    assert told == {FRESHNESS: 0.0, BEHIND: 10_000.0}


def test_before_anything_was_read_all_since_the_start_may_be_missing() -> None:
    assert metrics({}, [], 1_500.0, NOW)[BEHIND] == 500_000.0


def test_only_questions_about_delivery_streams_are_answered_of_the_second() -> None:
    def request(namespace: str) -> dict[str, object]:
        metric = {"Namespace": namespace, "MetricName": "m"}
        return {"MetricDataQueries": [{"Id": "m", "MetricStat": {"Metric": metric, "Period": 60}}]}

    ours, theirs = request("AWS/Firehose"), request("AWS/Lambda")
    assert (asks_for_delivery(ours), asks_for_delivery(theirs)) == (True, False)
    assert "'Period': 1}" in str(ours)
    assert "'Period': 60}" in str(theirs)


def test_the_worker_names_its_metrics_as_the_command_asks_for_them() -> None:
    assert (FRESHNESS, BEHIND) == (delivery.FRESHNESS, delivery.BEHIND)
