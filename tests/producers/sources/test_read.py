"""Sources: every line comes out as an event, with the id that its content and its place give it."""

import gzip
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from random import Random

import pytest

from producers.contracts import UNREADABLE_LINE, UnreadableLine
from producers.sources.files import Share, SourceError
from producers.sources.read import NewEvent, WholeEvent, read
from tests.access_log import access_log
from tests.producers.simulation.test_simulator import records
from tests.shop import WEB

LINE = '198.18.0.7 - - [17/May/2015:10:05:03 +0200] "GET /a?b=c HTTP/1.1" 200 - "-" "curl/8"\n'


def written(path: Path, text: str | bytes) -> str:
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return str(path)


def new_events(path: str) -> list[NewEvent]:
    return [item for item in read(path, WEB) if isinstance(item, NewEvent)]


def test_lines_with_the_same_text_stay_two_events_and_a_copy_gives_the_same_ids(tmp_path: Path) -> None:
    one = new_events(written(tmp_path / "a.log", LINE * 3))
    packed = new_events(written(tmp_path / "b.log.gz", gzip.compress((LINE * 3).encode())))
    assert len({event.event_id for event in one}) == 3
    assert [event.event_id for event in one] == [event.event_id for event in packed]


def test_a_log_line_is_kept_as_it_was_logged(tmp_path: Path) -> None:
    (event,) = new_events(written(tmp_path / "a.log", LINE))
    fields = {name: getattr(event.payload, name) for name in event.payload.__struct_fields__}
    assert fields["url"] == "/a?b=c"
    assert (fields["bytes_sent"], fields["referrer"], fields["status"]) == (None, None, 200)
    assert event.event_time.isoformat() == "2015-05-17T10:05:03+02:00"


def test_a_line_that_cannot_be_read_is_kept_with_its_place_and_reason(tmp_path: Path) -> None:
    event = new_events(
        written(
            tmp_path / "a.log", LINE + "garbage \udcff".encode("utf-8", "surrogateescape").decode("latin-1")
        )
    )[1]
    assert event.event_type is UNREADABLE_LINE
    assert isinstance(event.payload, UnreadableLine)
    assert event.payload.position == "a.log:2"
    assert event.payload.line.startswith("garbage")


def test_whole_events_pass_byte_for_byte(tmp_path: Path) -> None:
    sent = [record.data for record in records(300)]
    items = list(read(written(tmp_path / "e.ndjson", b"\r\n".join(sent)), WEB))
    assert [item.data for item in items if isinstance(item, WholeEvent)] == sent


def test_bare_events_come_from_json_csv_and_parquet_alike(tmp_path: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    row = {
        "event_type": "heartbeat",
        "event_time": "2026-11-24T10:00:00Z",
        "host": "web-1",
        "uptime_seconds": 5,
    }
    json_path = written(tmp_path / "e.ndjson", str(row).replace("'", '"') + "\n\n")
    csv_path = written(tmp_path / "e.csv", ",".join(row) + "\n" + ",".join(map(str, row.values())) + "\n")
    pq.write_table(pa.Table.from_pylist([row]), tmp_path / "e.parquet")
    found = [new_events(path) for path in (json_path, csv_path, str(tmp_path / "e.parquet"))]
    assert [[(e.event_time, e.payload) for e in events] for events in found] == [
        [(found[0][0].event_time, found[0][0].payload)]
    ] * 3


def test_files_that_nobody_knows_and_files_that_are_not_there_are_told(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="no file"):
        list(read(str(tmp_path / "nothing"), WEB))
    with pytest.raises(SourceError, match="--format"):
        list(read(written(tmp_path / "x", "hello world\n"), WEB))


def test_an_access_log_gives_the_counts_that_were_taken_independently() -> None:
    log = access_log()
    events = new_events(str(log.path))
    pages = [event.payload for event in events if event.event_type is not UNREADABLE_LINE]
    assert (len(events), len(pages), len({event.event_id for event in events})) == (
        log.lines,
        log.pages,
        log.lines,
    )
    sizes = [getattr(page, "bytes_sent") for page in pages]  # noqa: B009
    assert (sum(size or 0 for size in sizes), sizes.count(None)) == (log.bytes_sent, log.without_size)
    paths = Counter(str(getattr(page, "url")).split("?")[0] for page in pages)  # noqa: B009
    assert {path: paths[path] for path in log.views} == log.views


@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_how_far_a_file_is_read_is_known_while_it_is_read(
    tmp_path: Path, pack: Callable[[bytes], bytes]
) -> None:
    lines = b"".join(b"%0100000x\n" % Random(number).getrandbits(400_000) for number in range(40))
    path = written(tmp_path / "a.ndjson", pack(b"{" + lines))
    share = Share()
    assert share() == 0
    shares = [share() for _ in read(path, WEB, "ndjson", share=share)]
    assert 0 < shares[0] < 0.9
    assert shares == sorted(shares)
    assert share() == 1
