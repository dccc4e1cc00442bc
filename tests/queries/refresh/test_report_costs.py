"""What a refresh reads and how many statements a backfill takes: a small run of `benchmarks.reports`."""

import pytest

from benchmarks.report_lab import Lab
from benchmarks.report_rivals import Ways
from benchmarks.reports import NAME, Size, backfill, compare
from infra.local.cloud import LocalCloud
from tests.shop import CATALOG

pytestmark = pytest.mark.cloud


@pytest.fixture(scope="module")
def lab(local_cloud: LocalCloud) -> Lab:
    return Lab.on(local_cloud, "costs", CATALOG)


def test_a_refresh_reads_as_much_with_five_days_of_history_as_with_one(lab: Lab) -> None:
    bills = compare(lab, Ways(lab, CATALOG[NAME]), Size(objects=1, rows=100), (1, 5))
    ours, microbatch, overwrite, full = bills.values()
    assert ours[1].scanned == pytest.approx(ours[0].scanned, rel=0.05)
    assert ours[1].statements == 1
    assert ours[1].scanned < microbatch[1].scanned < overwrite[1].scanned < full[1].scanned
    assert full[1].scanned > 4 * full[0].scanned  # so the meter does see history where it is read


def test_a_backfill_of_five_days_takes_two_statements_by_the_hour_and_one_by_the_day(lab: Lab) -> None:
    statements = backfill(lab, 5)
    assert set(statements) == set(CATALOG)
    assert {CATALOG[name].report.grain: count for name, count in statements.items()} == {
        "event_hour": 2,
        "event_date": 1,
    }
