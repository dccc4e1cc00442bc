"""What the lake says of sequences: the statement that asks, and which numbers its answer names (pure).

A stretch is sixty numbers; a mask of sixty bits says which of them are there. So a million are seventeen
thousand rows to the engine, which would otherwise have to sort them to find gaps. Stretches that follow each
other with the same mask, nearly always the full one, come back as one.
"""

from collections.abc import Iterator

from infra.accounting.intervals import Span
from producers.contracts import AUDIT_TYPE

WIDTH = 60
"""Numbers in a stretch: each bit's value is a whole number to a double, and all of them fit a bigint."""
_FULL = (1 << WIDTH) - 1

# One pass over the table for both: what landed, and what producers say of themselves in their audits. Texts
# come back with the runs of two thousand stretches: rows are fetched by the thousand.
LANDED = f"""
WITH seen AS (
    SELECT producer_id, epoch, seq / {WIDTH} AS stretch, arrival_time,
           CASE WHEN seq > 0{{among}} THEN CAST(power(2, seq % {WIDTH}) AS bigint) END AS bit,
           CASE WHEN event_type = '{AUDIT_TYPE}' THEN {AUDIT_TYPE}.producer END AS audited,
           {AUDIT_TYPE}.last_seq AS last_seq
    FROM {{table}}
    WHERE (seq > 0{{among}}) OR (event_type = '{AUDIT_TYPE}'{{audited}})
),
stretches AS (
    SELECT producer_id, epoch, stretch, audited, bitwise_or_agg(bit) AS mask, count(bit) AS copies,
           max(CASE WHEN bit IS NOT NULL THEN arrival_time END) AS arrived, max(last_seq) AS last_seq
    FROM seen
    GROUP BY producer_id, epoch, stretch, audited
),
numbered AS (
    SELECT *, stretch - row_number() OVER (
        PARTITION BY producer_id, epoch, audited, mask ORDER BY stretch
    ) AS island
    FROM stretches
),
runs AS (
    SELECT producer_id, epoch, audited, mask, min(stretch) AS first_stretch, max(stretch) AS last_stretch,
           sum(copies) AS copies, max(arrived) AS arrived, max(last_seq) AS last_seq
    FROM numbered
    GROUP BY producer_id, epoch, audited, mask, island
)
SELECT producer_id, epoch,
       array_join(array_agg(
           CAST(first_stretch AS varchar) || '-' || CAST(last_stretch AS varchar)
           || ':' || CAST(mask AS varchar)
       ), ',') AS stretches,
       sum(copies) AS copies, to_unixtime(max(arrived)) AS newest, audited, max(last_seq) AS last_seq
FROM runs
GROUP BY producer_id, epoch, audited, first_stretch / 2000
"""  # noqa: S608


def spans_of(stretches: str) -> Iterator[Span]:
    """The numbers of a row's `stretches`, `FIRST-LAST:MASK` with commas between them; spans may touch."""
    for run in filter(None, stretches.split(",")):
        bounds, _, mask = run.partition(":")
        first, last = map(int, bounds.split("-"))
        if int(mask) == _FULL:
            yield first * WIDTH, (last + 1) * WIDTH - 1
        else:
            found = list(_bits(int(mask)))
            for stretch in range(first, last + 1):
                yield from ((stretch * WIDTH + low, stretch * WIDTH + high) for low, high in found)


def _bits(mask: int) -> Iterator[Span]:
    """The runs of bits that are set."""
    at = 0
    while mask:
        zeros = (mask & -mask).bit_length() - 1
        mask >>= zeros
        ones = (~mask & (mask + 1)).bit_length() - 1
        yield at + zeros, at + zeros + ones - 1
        at, mask = at + zeros + ones, mask >> ones
