"""From when until when a stream had no delivery stream."""

from datetime import UTC, datetime, timedelta

from infra.aws.gap import CREATION, Gap, gap_of

MADE = datetime(2026, 11, 24, 12, tzinfo=UTC)
ENDED = MADE - timedelta(hours=2)
DELIVERED = ENDED - timedelta(minutes=3)
DAY = timedelta(hours=24)
NOW = MADE + timedelta(minutes=5)


def test_it_begins_with_what_the_delivery_stream_before_had_not_delivered() -> None:
    gap = gap_of(made=MADE, ended=ENDED, delivered=DELIVERED, kept=DAY, now=NOW)
    assert gap == Gap(DELIVERED, MADE + CREATION)


def test_a_delivery_stream_that_reported_past_its_end_delivered_until_its_end() -> None:
    gap = gap_of(made=MADE, ended=ENDED, delivered=ENDED + timedelta(seconds=9), kept=DAY, now=NOW)
    assert gap == Gap(ENDED, MADE + CREATION)


def test_where_nobody_knows_the_end_or_how_far_it_was_the_stream_is_read_from_its_beginning() -> None:
    for ended, delivered in ((None, None), (ENDED, None), (MADE + DAY, DELIVERED)):
        gap = gap_of(made=MADE, ended=ended, delivered=delivered, kept=DAY, now=NOW)
        assert gap == Gap(None, MADE + CREATION)


def test_there_is_nothing_to_put_again_once_the_stream_keeps_none_of_it() -> None:
    later = MADE + CREATION + DAY
    assert gap_of(made=MADE, ended=ENDED, delivered=DELIVERED, kept=DAY, now=later) is not None
    just_over = later + timedelta(seconds=1)
    assert gap_of(made=MADE, ended=ENDED, delivered=DELIVERED, kept=DAY, now=just_over) is None
