"""What passed is counted once, second by second."""

from infra.local.parts.activity import Activity
from infra.local.status.flow import SECONDS, Flow
from infra.local.status.snapshot import Seen, cards, together

QUIET = {"waiting": 0, "in flight": 0, "delayed": 0}


def test_rates_are_what_passed_in_each_of_the_last_sixty_seconds() -> None:
    activity, flow = Activity(), Flow()
    activity.add("firehose", "read", at=1000.2, events=30)
    activity.add("firehose", "read", at=1000.9, events=12)
    activity.add("firehose", "read", at=1002.0, events=5)
    flow.take(activity.since(flow.newest))
    rate = flow.rate("firehose", 1003.5)
    assert len(rate) == SECONDS
    assert rate[-4:] == [42, 0, 5, 0]
    assert flow.rate("firehose", 1003.5 + 2 * SECONDS) == [0] * SECONDS


def test_looking_twice_counts_nothing_twice() -> None:
    activity, flow = Activity(), Flow()
    activity.add("lake", "object", at=1.0, rows=10, key="k")
    for _ in range(3):
        flow.take(activity.since(flow.newest))
    activity.add("lake", "object", at=2.0, rows=7, key="l")
    flow.take(activity.since(flow.newest))
    assert flow.total["lake"] == 17
    assert flow.last["lake"].facts["key"] == "l"


def test_dead_letters_are_trouble() -> None:
    quiet = cards(Flow(), Seen({}, QUIET, QUIET, []))
    troubled = cards(Flow(), Seen({"web": {"read": 5.0}}, QUIET, {**QUIET, "waiting": 2}, []))
    assert not any(card.is_trouble for card in quiet)
    assert [card.key for card in troubled if card.is_trouble] == ["queue"]
    assert troubled[0].amount == 5


def test_counts_of_several_streams_are_summed_and_the_last_one_says_how_far_behind_they_are() -> None:
    both = together([{"read": 5, "behind_ms": 70}, {"read": 2, "behind_ms": 900}])
    assert both == {"read": 7, "behind_ms": 900}
    assert together([]) == {}
