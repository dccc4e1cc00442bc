"""Two rounds of what `make chaos` does in fifty: everything is disturbed, and every number compared."""

from pathlib import Path

import pytest

from benchmarks import chaos

pytestmark = pytest.mark.cloud


def test_two_rounds_of_kills_and_faults_lose_double_and_tear_nothing(tmp_path: Path) -> None:
    done = chaos.run([2, 3], seed=5, events=600, folder=tmp_path / "cloud")
    assert [finding for each in done for finding in each.findings] == []
    assert sum(each.accepted for each in done) > 1_100
    assert all(each.disturbances for each in done)
