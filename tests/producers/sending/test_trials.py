"""Small versions of the trials that `make bench-producers` runs at length, over a real socket."""

from pathlib import Path

import pytest

from benchmarks import producer_disk, producer_kills, producer_resumes, producer_trials
from producers.spool.folder import SpoolMode


def test_killed_producers_lose_no_accepted_event(tmp_path: Path) -> None:
    losses = producer_kills.kill_runs(4, seed=5, folder=tmp_path, longest=0.1)
    assert losses.accepted > 0
    assert losses.lost == 0


def test_throttled_records_never_overtake_within_a_key(tmp_path: Path) -> None:
    found = producer_trials.order(tmp_path, 2_000)
    assert (found.lost, found.breaks) == (0, 0)
    assert found.re_sent_ratio <= 1.05


def test_events_follow_a_stream_that_is_resharded_and_another_library_reads_them(tmp_path: Path) -> None:
    found = producer_trials.placement(tmp_path, 6_000, 2, (5, 3))
    assert (found.lost, found.foreign, found.oracle_agrees) == (0, 0, True)


def test_an_outage_is_survived_in_bounded_memory_with_few_attempts(tmp_path: Path) -> None:
    found = producer_trials.outage(tmp_path, 2, "block", buffer_mib=1)
    assert found.lost == 0
    assert found.attempts_per_second <= 4
    assert found.peak_mib - found.base_mib < 10


def test_forked_processes_lose_nothing(tmp_path: Path) -> None:
    assert producer_trials.fork_loses(tmp_path, 200, children=2) == 0


@pytest.mark.parametrize("mode", ["outage", "always"])
def test_a_full_disk_under_a_spool_loses_nothing_and_ends_no_thread(tmp_path: Path, mode: SpoolMode) -> None:
    try:
        found = producer_disk.full_disk(tmp_path, mode, 3_000)
    except producer_disk.NoMountError as error:
        pytest.skip(f"needs a disk of its own, and may not mount one: {error}")
    assert found.refused > 0
    assert (found.lost, found.dead_threads) == (0, 0)


def test_interrupted_replays_lose_nothing_and_send_twice_only_under_the_same_id(tmp_path: Path) -> None:
    found = producer_resumes.resume_runs(3, seed=11, folder=tmp_path)
    assert found.interrupted > 0
    assert found.is_sound, found
