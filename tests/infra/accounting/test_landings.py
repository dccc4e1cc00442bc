"""Numbers of sequences come back from the lake as they lie in it."""

from collections.abc import Sequence

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from infra.accounting.intervals import IntervalSet
from infra.accounting.landings import WIDTH, spans_of

TOP = (1 << WIDTH) - 1


def masks(numbers: Sequence[int]) -> str:
    """What the statement says of these numbers, stretch by stretch."""
    found = dict.fromkeys((number // WIDTH for number in numbers), 0)
    for number in numbers:
        found[number // WIDTH] |= 1 << number % WIDTH
    return ",".join(f"{at}-{at}:{mask}" for at, mask in found.items())


@pytest.mark.parametrize(
    ("stretches", "numbers"),
    [
        ("0-0:2", "1"), (f"0-0:{TOP - 1}", "1-59"), (f"0-0:{TOP - 1},1-3:{TOP}", "1-239"),
        ("2-4:5", "120,122,180,182,240,242"), (f"1-1:{1 << 59},2-2:1", "119-120"), (f"3-3:{TOP}", "180-239"),
    ],
)  # fmt: skip
def test_masks_are_numbers(stretches: str, numbers: str) -> None:
    assert str(IntervalSet.of(spans_of(stretches))) == numbers


@given(st.sets(st.integers(1, 500), min_size=1))
def test_every_set_of_numbers_comes_back(numbers: set[int]) -> None:
    assert list(IntervalSet.of(spans_of(masks(sorted(numbers))))) == sorted(numbers)


@settings(max_examples=10, deadline=None)
@given(st.integers(0, WIDTH - 1))
def test_a_bit_is_exact_as_the_engine_computes_it(bit: int) -> None:
    """Doubles hold powers of two whole: 53 bits are for other digits."""
    found = duckdb.connect().execute(f"SELECT CAST(pow(2::double, {bit}::double) AS bigint)")
    assert found.fetchone() == (1 << bit,)
