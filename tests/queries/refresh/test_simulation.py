"""The reports' own code in seeded histories full of faults."""

import pytest

from benchmarks.simulation import simulate
from benchmarks.simulation_parts import PROTECTIONS


def test_nothing_is_lost_counted_twice_partly_published_or_undone() -> None:
    assert simulate(range(150)) == {}


@pytest.mark.parametrize("protection", PROTECTIONS)
def test_the_simulation_notices_within_200_seeds_that_a_protection_is_missing(protection: str) -> None:
    assert simulate(range(200), protection, first=True)
