"""Receipts that are made by hand, for what shows them."""

from queries.receipts.model import (
    Change,
    Comparison,
    EventGroup,
    LakeObject,
    NotLanded,
    ProducerRun,
    Receipt,
    Refused,
    Sample,
    Version,
)

HOSTILE = "<script>alert(1)</script>\x1b[2J\u202e\"'&"
OBJECT = "s3://lake/web_events/event_hour=2026-03-01-10/a.parquet"


def version(number: int, value: int, *, is_served: bool) -> Version:
    return Version(
        number=number,
        is_served=is_served,
        value=value,
        has_row=True,
        value_is_kept=True,
        published_at=1_772_362_800_000,
        data_as_of=1_772_362_700_000,
        run="000001-0123456789ab",
        query_execution_id="0b0f6f9e-5f3a-4a06-8c4c-0f5c8f4c1a2b",
        bytes_scanned=123_456,
        dollars=0.00005,
        sql_sha="0123456789abcdef",
        sql="SELECT event_hour, count(*) AS orders\nFROM web_events\nWHERE event_type < 'x'\nGROUP BY event_hour",
        input_objects=1,
        input_bytes=123_456,
        input_digest="0123456789abcdef0123",
    )


SAMPLE = Sample(
    event_id="0192f0c1-2345-7000-8000-0123456789ab",
    event_type="order_placed",
    event_time="2026-03-01T10:00:01.000Z",
    arrival_time="2026-03-01T10:00:02.000Z",
    is_late=True,
    source="simulator",
    producer_id="checkout-1",
    epoch=1_772_359_200_000,
    seq=17,
    object=OBJECT,
)


def receipt(*, key: str = "EUR", findings: tuple[str, ...] = ()) -> Receipt:
    return Receipt(
        headline=findings[0]
        if findings
        else "WHOLE: orders_by_hour 2026-03-01-10 currency=EUR orders = 12, from 12 events",
        report="orders_by_hour",
        title="Orders by hour",
        partition="2026-03-01-10",
        keys={"currency": key},
        column="orders",
        type="bigint",
        value=12,
        condition="fresh",
        findings=findings,
        untraced="",
        unknown=("failed records: your role may not read them",),
        versions=(version(2, 12, is_served=True), version(1, 10, is_served=False)),
        objects=(LakeObject(OBJECT, 123_456, 1_772_362_000_000, 12),),
        newer_objects=1,
        events=12,
        groups=(EventGroup("order_placed", "simulator", 12, 1, 3),),
        samples=(SAMPLE,),
        copies_removed=3,
        producers=(
            ProducerRun(
                producer_id="checkout-1",
                epoch=1_772_359_200_000,
                events=12,
                first_seq=17,
                last_seq=99,
                known=120,
                is_audited=True,
                landed=118,
                failed=1,
                dropped=1,
            ),
        ),
        refused=(Refused("wrong_type", 2, 1),),
        hours=(NotLanded("2026-03-01-10", 2, 1, 4),),
        without_hour=1,
        dropped_without_hour=3,
        delivered_until=1_772_362_900_000,
        statement="SELECT 1",
        statements_run=5,
        bytes_scanned=1_000_000,
        dollars=0.00025,
        digest="ab" * 32,
        made_at=1_772_363_000_000,
    )


def comparison(why: str = "late arrival") -> Comparison:
    return Comparison(
        headline="orders_by_hour 2026-03-01-10 currency=EUR orders: 10 (version 1) -> 12: +1 late arrival",
        report="orders_by_hour",
        partition="2026-03-01-10",
        keys={"currency": "EUR"},
        column="orders",
        old=version(1, 10, is_served=False),
        new=version(2, 12, is_served=True),
        by_sql=11,
        sql_changed=True,
        sql_changes="-WHERE a\n+WHERE b",
        changes=(Change(SAMPLE, True, why),),
        counts={f"+ {why}": 1},
        unexplained="",
        digests=("ab" * 32, "cd" * 32),
    )
