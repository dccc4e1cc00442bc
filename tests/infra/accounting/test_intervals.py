"""Interval sets behave as sets of numbers do."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.accounting.intervals import IntervalSet, IntervalTextError

spans = st.lists(
    st.tuples(st.integers(0, 60), st.integers(0, 8)).map(lambda s: (s[0], s[0] + s[1])), max_size=12
)


def numbers(of: list[tuple[int, int]]) -> set[int]:
    return {number for first, last in of for number in range(first, last + 1)}


@given(spans)
def test_an_interval_set_has_exactly_the_numbers_of_its_spans(some: list[tuple[int, int]]) -> None:
    kept = IntervalSet.of(some)
    assert list(kept) == sorted(numbers(some))
    assert len(kept) == len(numbers(some))
    assert kept.largest == max(numbers(some), default=0)
    assert all(number in kept for number in numbers(some))


@given(spans, st.randoms(use_true_random=False))
def test_the_order_and_repetition_of_spans_do_not_matter(some: list[tuple[int, int]], random: object) -> None:
    shuffled = [*some, *some]
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert IntervalSet.of(shuffled) == IntervalSet.of(some)


@given(spans, spans)
def test_union_difference_and_intersection_are_those_of_sets(
    some: list[tuple[int, int]], other: list[tuple[int, int]]
) -> None:
    left, right = IntervalSet.of(some), IntervalSet.of(other)
    assert set(left | right) == numbers(some) | numbers(other)
    assert set(left - right) == numbers(some) - numbers(other)
    assert set(left & right) == numbers(some) & numbers(other)
    assert (left - right) == IntervalSet.of((left - right).spans)


@given(spans)
def test_what_is_written_is_read_again(some: list[tuple[int, int]]) -> None:
    kept = IntervalSet.of(some)
    assert IntervalSet.parse(str(kept)) == kept


def test_single_numbers_and_ranges_are_written_shortly() -> None:
    assert str(IntervalSet.of([(17, 17), (45, 46), (44, 44)])) == "17,44-46"
    assert str(IntervalSet.up_to(0)) == ""


@pytest.mark.parametrize("text", ["a", "1-", "1--2", "1 2"])
def test_a_text_that_is_not_a_set_of_numbers_is_refused_with_its_bad_part(text: str) -> None:
    with pytest.raises(IntervalTextError, match=r"Write numbers and ranges") as refused:
        IntervalSet.parse(f"3,{text}")
    assert refused.value.text == text
