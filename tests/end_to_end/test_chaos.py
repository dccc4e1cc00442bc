"""A small round of chaos: producers and the cloud are killed, and every value of every report is right.

`make chaos` runs fifty larger ones.
"""

from pathlib import Path

import pytest

from benchmarks import chaos

pytestmark = pytest.mark.cloud


def test_a_round_of_kills_and_faults_loses_nothing_and_counts_nothing_twice(tmp_path: Path) -> None:
    done = chaos.run([2], seed=5, events=600, folder=tmp_path / "cloud")
    assert [(each.number, each.findings) for each in done] == [(2, [])]
    assert [each.accepted for each in done] == [600]
    assert all(each.disturbances for each in done)
