"""The accounting identity holds whatever happened to each event, and names what is missing."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from infra.accounting.intervals import IntervalSet
from infra.accounting.reconcile import SILENT_SECONDS, Evidence, ProducerEpoch, reconcile

ONE, TWO = ProducerEpoch("web-1", 7), ProducerEpoch("web-2", 1)
PLACES = ("landed", "failed", "dropped")
fates = st.lists(st.sets(st.sampled_from(PLACES)), max_size=30)


def numbers(of: Iterable[int]) -> IntervalSet:
    return IntervalSet.of((number, number) for number in of)


def evidence_of(histories: dict[ProducerEpoch, list[set[str]]]) -> Evidence:
    """What would be known if event n of a producer ended in the places of histories[producer][n - 1]."""
    places: dict[str, dict[ProducerEpoch, IntervalSet]] = defaultdict(dict)
    for name, history in histories.items():
        for place in PLACES:
            seqs = numbers(seq for seq, fate in enumerate(history, start=1) if place in fate)
            if seqs:
                places[place][name] = seqs
    told = {name: len(history) for name, history in histories.items()}
    return Evidence(told=told, landed=places["landed"], failed=places["failed"], dropped=places["dropped"])


@given(fates, fates)
def test_every_event_is_counted_in_exactly_one_place(one: list[set[str]], two: list[set[str]]) -> None:
    accounting = reconcile(evidence_of({ONE: one, TWO: two}))
    everything = [*one, *two]
    assert accounting.produced == len(everything)
    assert accounting.landed == sum("landed" in fate for fate in everything)
    assert accounting.failed == sum("failed" in fate and "landed" not in fate for fate in everything)
    assert accounting.dropped == sum(fate == {"dropped"} for fate in everything)
    assert accounting.in_flight == sum(not fate for fate in everything)
    parts = accounting.landed + accounting.failed + accounting.dropped + accounting.in_flight
    assert accounting.produced == parts
    assert accounting.is_balanced == all(everything)


@given(fates)
def test_what_is_missing_is_named_by_producer_and_sequence(history: list[set[str]]) -> None:
    accounting = reconcile(evidence_of({ONE: history, TWO: [{"landed"}]}))
    lost = numbers(seq for seq, fate in enumerate(history, start=1) if not fate)
    assert {line.name: line.missing for line in accounting.incomplete} == ({ONE: lost} if lost else {})


def test_a_number_above_what_was_reported_shows_that_more_was_sent() -> None:
    accounting = reconcile(Evidence(told={ONE: 3}, landed={ONE: IntervalSet.parse("1-3,6")}))
    assert accounting.produced == 6
    assert str(accounting.incomplete[0].missing) == "4-5"


def test_a_producer_that_never_reported_its_total_is_not_balanced_although_nothing_is_missing() -> None:
    accounting = reconcile(Evidence(landed={ONE: IntervalSet.up_to(3)}))
    assert accounting.in_flight == 0
    assert not accounting.is_balanced
    assert [line.name for line in accounting.unaudited] == [ONE]


def test_a_killed_producer_that_has_been_silent_is_accounted_for_as_far_as_it_is_known() -> None:
    known = Evidence(landed={ONE: IntervalSet.up_to(3)}, newest={ONE: 1_000.0})
    assert not reconcile(known, delivered_until=1_000.0 + SILENT_SECONDS - 1).is_balanced
    silent = reconcile(known, delivered_until=1_000.0 + SILENT_SECONDS)
    assert silent.is_balanced
    assert [(line.name, line.produced) for line in silent.ended] == [(ONE, 3)]
    assert silent.unaudited == ()


def test_what_a_silent_producer_lacks_in_between_is_missing_still() -> None:
    known = Evidence(landed={ONE: IntervalSet.parse("1-2,4")}, newest={ONE: 1_000.0})
    accounting = reconcile(known, delivered_until=1_000.0 + 10 * SILENT_SECONDS)
    assert not accounting.is_balanced
    assert str(accounting.incomplete[0].missing) == "3"


def test_copies_are_duplicates_and_no_error() -> None:
    accounting = reconcile(Evidence(told={ONE: 3}, landed={ONE: IntervalSet.up_to(3)}, copies={ONE: 2}))
    assert accounting.duplicates == 2
    assert accounting.is_balanced


@given(fates, st.integers(0, 5))
def test_failed_records_without_a_name_account_for_as_many_missing_numbers(
    history: list[set[str]], nameless: int
) -> None:
    named = evidence_of({ONE: history})
    accounting = reconcile(replace(named, nameless=frozenset(f"{number}" for number in range(nameless))))
    missing = sum(not fate for fate in history)
    assert accounting.in_flight == max(0, missing - nameless)
    assert accounting.failed == reconcile(named).failed + nameless
    parts = accounting.landed + accounting.failed + accounting.dropped + accounting.in_flight
    assert accounting.produced == parts


@given(fates, st.sets(st.integers(1, 30)))
def test_of_what_somebody_sent_exactly_that_is_accounted(history: list[set[str]], some: set[int]) -> None:
    sent = numbers(some)
    accounting = reconcile(evidence_of({ONE: history, TWO: [set()]}), {ONE: sent})
    arrived = numbers(seq for seq, fate in enumerate(history, start=1) if fate)
    assert accounting.produced == len(sent)
    assert accounting.in_flight == len(sent - arrived)
    assert accounting.is_balanced == (not (sent - arrived))


def test_a_run_of_which_nothing_is_known_is_missing_as_a_whole() -> None:
    accounting = reconcile(Evidence(), {ProducerEpoch("unheard-of", 1): IntervalSet.up_to(3)})
    assert accounting.in_flight == 3
    assert not accounting.is_balanced
