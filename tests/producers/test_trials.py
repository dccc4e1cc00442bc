"""Small versions of the trials that `make bench-producers` runs at length, over a real socket."""

from pathlib import Path

from benchmarks import producer_kills, producer_trials


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
