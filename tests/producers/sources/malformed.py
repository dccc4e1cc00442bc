"""A file with 200 malformed rows of 20 kinds among 200 good ones, the source that refuses them, and a better one."""

from collections.abc import Callable

KINDS: dict[str, tuple[str, Callable[[list[str]], list[str]]]] = {
    "status that is a word": ("status", lambda row: _with(row, status="OK")),
    "status below 100": ("status", lambda row: _with(row, status="99")),
    "status with a fraction": ("status", lambda row: _with(row, status="200.5")),
    "no status": ("status", lambda row: _with(row, status="")),
    "no client": ("client_address", lambda row: _with(row, client="NA")),
    "client of one character": ("client_address", lambda row: _with(row, client="x")),
    "bytes with a unit": ("bytes_sent", lambda row: _with(row, bytes="12kB")),
    "negative bytes": ("bytes_sent", lambda row: _with(row, bytes="-5")),
    "bytes that doubles cannot hold": ("bytes_sent", lambda row: _with(row, bytes="9007199254740993")),
    "negative duration": ("duration_ms", lambda row: _with(row, duration="-3")),
    "duration with an exponent": ("duration_ms", lambda row: _with(row, duration="1e3")),
    "duration of more than a day": ("duration_ms", lambda row: _with(row, duration="86400001")),
    "time that is a word": ("at", lambda row: _with(row, at="yesterday")),
    "no time": ("at", lambda row: _with(row, at="")),
    "time that clocks showed twice": ("at", lambda row: _with(row, at="2024-11-03 01:30:00")),
    "time that clocks never showed": ("at", lambda row: _with(row, at="2024-03-10 02:30:00")),
    "time before all events": ("at", lambda row: _with(row, at="1999-12-31 12:00:00")),
    "account that is too long": ("user_id", lambda row: _with(row, account="a" * 65)),
    "one cell too many": ("", lambda row: [*row, "more"]),
    "one cell too few": ("", lambda row: row[:-1]),
}
COLUMNS = ["visit", "at", "url", "client", "status", "bytes", "duration", "account"]
REFUSING = """\
-- source:      visits
-- stream:      web
-- event:       page_viewed
-- format:      csv
-- key:         visit
-- event_time:  at
-- zone:        America/New_York
-- nulls:       NA
SELECT url, client AS client_address, status, bytes AS bytes_sent, duration AS duration_ms, account AS user_id
FROM file
"""
REPAIRING = """\
-- source:      visits
-- stream:      web
-- event:       page_viewed
-- format:      csv
-- key:         visit
-- event_time:  _at
-- zone:        America/New_York
-- ambiguous:   earlier
-- nonexistent: shift
-- extra_cells: ignore
-- short_rows:  fill
-- nulls:       NA
SELECT url,
       CASE WHEN length(client) > 1 THEN client ELSE 'unknown' END AS client_address,
       CASE WHEN regexp_full_match(status, '[1-5][0-9][0-9]([.][0-9]+)?') THEN split_part(status, '.', 1)
            ELSE '200' END AS status,
       CASE WHEN TRY_CAST(bytes AS BIGINT) BETWEEN 0 AND 9007199254740991 THEN bytes END AS bytes_sent,
       TRY_CAST(duration AS DOUBLE) AS _duration,
       CASE WHEN _duration BETWEEN 0 AND 86400000 THEN _duration END AS duration_ms,
       left(account, 64) AS user_id,
       CASE WHEN TRY_CAST("at" AS TIMESTAMP) >= TIMESTAMP '2000-01-01' THEN "at" ELSE '2024-10-10 12:00:00' END AS _at
FROM file
"""


def rows() -> list[tuple[str, list[str]]]:
    """(kind, cells) of every row; the kind of good ones is empty."""
    found: list[tuple[str, list[str]]] = []
    for number in range(200):
        kind = list(KINDS)[number % len(KINDS)]
        found.append(("", _row(2 * number)))
        found.append((kind, KINDS[kind][1](_row(2 * number + 1))))
    return found


def content() -> str:
    """The file."""
    lines = [",".join(cells) for cells in [COLUMNS, *(cells for _, cells in rows())]]
    return "\n".join(lines) + "\n"


def _row(number: int) -> list[str]:
    at = f"2024-10-10 {number // 60:02}:{number % 60:02}:00"
    return [f"v{number:04}", at, f"/page/{number}", "192.0.2.17", "200", str(number), "35", f"user-{number}"]


def _with(row: list[str], **cells: str) -> list[str]:
    return [cells.get(name, cell) for name, cell in zip(COLUMNS, row, strict=True)]
