"""Readers beside a writer, on the local cloud: a small run of `benchmarks.torn_reads`."""

import pytest

from benchmarks.report_lab import Lab
from benchmarks.torn_reads import QUERIES, Reads, judged, measure
from infra.local.cloud import LocalCloud


@pytest.mark.parametrize(
    ("row", "kind"),
    [
        ((40, 7, 7), ""),
        (None, "missing"),
        ((39, 7, 7), "partial"),
        ((80, 7, 7), "counted twice"),
        ((40, 6, 7), "mixed"),
        ((40, 4, 4), "went back"),
    ],
)
def test_a_read_is_good_only_when_it_is_one_whole_version_no_older_than_the_last(
    row: tuple[int, int, int] | None, kind: str
) -> None:
    assert judged(row, seen=5) == kind


@pytest.mark.cloud
def test_nobody_reads_a_partial_report_and_the_same_readers_notice_delete_then_insert(
    local_cloud: LocalCloud,
) -> None:
    def enough(reads: Reads, published: int) -> bool:
        return published >= 5 and reads.queries >= 10

    reads, writer = measure(
        Lab.on(local_cloud, "torn-swap", QUERIES), "swap", readers=3, partitions=4, enough=enough
    )
    assert not reads.bad, reads.example
    assert writer.published >= 5

    # The readers go on until one of them has seen the gap between the two steps; 100 publishes without that
    # would mean that they cannot see it.
    reads, writer = measure(
        Lab.on(local_cloud, "torn-insert", QUERIES),
        "delete, then insert",
        readers=3,
        partitions=4,
        enough=lambda reads, published: bool(reads.bad) or published >= 100,
    )
    assert reads.bad
