"""Inputs that people really have: other log formats, other encodings, damaged and oversized files."""

import gzip
import io
import json
import os
import resource
from pathlib import Path
from typing import Any

import pytest

from producers.contracts import UNREADABLE_LINE, UnreadableLine
from producers.packing.packer import require_key
from producers.sources.files import SourceError
from producers.sources.lines import LARGEST_LINE
from producers.sources.read import NewEvent, WholeEvent, read
from tests.producers.simulation.test_simulator import records
from tests.producers.sources.field import found, payloads, read_all, reasons
from tests.producers.sources.test_parquet_inputs import _written
from tests.shop import WEB

AT = "[24/Nov/2024:10:00:00 +0000]"
GET = f'{AT} "GET /a HTTP/1.1" 200 10'
HEADER = "event_type,event_time,url,client_address,status,bytes_sent,user_agent"
ROW = "page_viewed,2024-11-24T10:00:02Z,/p2,192.0.2.2,200,10,curl"
EVENT = b'{"event_type":"page_viewed","event_time":"2024-11-24T10:00:00Z","url":"/a","client_address":"192.0.2.1","status":200}'


@pytest.mark.parametrize(
    ("line", "client", "user"),
    [
        (f'192.0.2.1 - - {GET} "-" "curl/8.4" "-"', "192.0.2.1", None),
        (f'192.0.2.1 - - {GET} "-" "curl/8.4" "203.0.113.7, 10.0.0.1"', "192.0.2.1", None),
        (f'shop.example:443 192.0.2.1 - ann {GET} "-" "curl/8.4"', "192.0.2.1", "ann"),
        (f'shop.example 192.0.2.1 - - {GET} "-" "curl/8.4"', "192.0.2.1", None),
        (f'192.0.2.1 - - {GET} "-" "curl/8.4" 17 "web@docker" "http://10.0.0.2:80" 12ms', "192.0.2.1", None),
        (f'192.0.2.1 - - {GET} "-" "c" 123 0.003 [default-svc-80] [] 10.0.0.1:80 615 0.004 200 id', "192.0.2.1", None),
        (f'203.0.113.7, 10.0.0.1, 10.0.0.2 - - {GET} "-" "curl/8.4"', "203.0.113.7", None),
        (f'unknown, 203.0.113.7 - - {GET} "-" "curl/8.4"', "203.0.113.7", None),
        (f'shop.example:80 203.0.113.7, 10.0.0.1 - Jo Do {GET} "-" "curl/8.4"', "203.0.113.7", "Jo Do"),
        (f"{'dsl-' * 30}7.isp.example - - {GET}", f"{'dsl-' * 30}7.isp.example", None),
        (f"192.0.2.1 - John Smith {GET}", "192.0.2.1", "John Smith"),
        (f'192.0.2.1 - "" {GET}', "192.0.2.1", None),
        (f"192.0.2.1:50124 - - {GET}", "192.0.2.1", None),
        (f"[2001:db8::1]:50124 - - {GET}", "2001:db8::1", None),
        (f"2001:db8::1 - - {GET}", "2001:db8::1", None),
    ],
)  # fmt: skip
def test_a_log_line_names_its_client_and_user_whatever_the_server_logs_beside_them(
    tmp_path: Path, line: str, client: str, user: str | None
) -> None:
    (page,) = payloads(found(tmp_path / "a.log", line + "\n"))
    assert (page["client_address"], page["user_id"], page["url"], page["status"], page["bytes_sent"]) == (
        client,
        user,
        "/a",
        200,
        10,
    )


@pytest.mark.parametrize("request_text", ["", "-", "quit", "\\x16\\x03\\x01\\x02\\x00\\x01", "\x16\x03\x01"])
def test_what_is_not_a_request_is_a_request_without_a_page_and_keeps_its_status(
    tmp_path: Path, request_text: str
) -> None:
    (page,) = payloads(found(tmp_path / "a.log", f'192.0.2.1 - - {AT} "{request_text}" 408 157 "-" "-"\n'))
    assert (page["url"], page["status"], page["bytes_sent"]) == (None, 408, 157)


@pytest.mark.parametrize(
    ("request_text", "target"),
    [
        ("GET /a b HTTP/1.1", "/a b"),
        ("SSTP_DUPLEX_POST /sra_/ HTTP/1.1", "/sra_/"),
        ("GET /old", "/old"),
        ("OPTIONS / RTSP/1.0", "/"),
        ("GET /blog/[slug] HTTP/2.0", "/blog/[slug]"),
    ],
)
def test_a_request_of_any_method_and_protocol_has_its_target_as_page(
    tmp_path: Path, request_text: str, target: str
) -> None:
    (page,) = payloads(found(tmp_path / "a.log", f'192.0.2.1 - - {AT} "{request_text}" 200 1\n'))
    assert page["url"] == target


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-32"])
@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_a_byte_order_mark_is_read_over_and_changes_neither_values_nor_ids(
    tmp_path: Path, encoding: str, pack: Any
) -> None:
    for name, text in {
        "a.log": f"192.0.2.1 - - {GET}\n" * 2,
        "a.ndjson": EVENT.decode() + "\n",
        "a.csv": f"{HEADER}\n{ROW}é\n",
    }.items():
        plain = found(tmp_path / name, text)
        marked = found(tmp_path / f"marked-{name}", pack(text.encode(encoding)))
        assert reasons(plain) == {}
        assert [(e.event_id, e.payload) for e in marked] == [(e.event_id, e.payload) for e in plain]


def test_whole_events_behind_a_mark_pass_byte_for_byte(tmp_path: Path) -> None:
    sent = [record.data for record in records(50)]
    (tmp_path / "e.ndjson").write_bytes(b"\xef\xbb\xbf" + b"\n".join(sent))
    assert [
        item.data for item in read(str(tmp_path / "e.ndjson"), WEB) if isinstance(item, WholeEvent)
    ] == sent


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
def test_utf16_without_a_mark_is_named_with_what_to_do(tmp_path: Path, encoding: str) -> None:
    with pytest.raises(SourceError, match=f"{encoding.upper()}.*iconv"):
        found(tmp_path / "a.log", f"192.0.2.1 - - {GET}\n".encode(encoding))


def test_half_a_character_at_the_end_of_utf16_costs_its_own_line_only(tmp_path: Path) -> None:
    events = found(tmp_path / "a.ndjson", b"\xff\xfe" + (EVENT.decode() + "\n").encode("utf-16-le") + b"{")
    assert (len(events), [*reasons(events)]) == (2, [2])


def test_rows_in_latin1_are_refused_by_name_and_those_that_are_ascii_are_read(tmp_path: Path) -> None:
    events = found(tmp_path / "a.csv", f"{HEADER}\n{ROW}\n{ROW}é\n{ROW}\n".encode("latin-1"))
    assert "iconv" in reasons(events).pop(2)
    assert [*reasons(events)] == [2]
    events = found(tmp_path / "a.ndjson", EVENT.replace(b"/a", "/é".encode("latin-1")) + b"\n" + EVENT)
    assert "Latin-1" in reasons(events)[1]
    assert len(events) == 2


def test_bytes_of_another_encoding_in_a_log_are_kept_as_servers_write_them(tmp_path: Path) -> None:
    (page,) = payloads(
        found(tmp_path / "a.log", f"192.0.2.1 - - {GET}\n".replace("/a", "/é").encode("latin-1"))
    )
    assert page["url"] == "/\\xe9"


def test_a_quote_that_is_never_closed_costs_its_row_and_none_behind_it(tmp_path: Path) -> None:
    rows = [ROW] * 500
    rows[20] = ROW.replace("curl", '"curl')
    events = found(tmp_path / "a.csv", "\n".join([HEADER, *rows]))
    assert len(events) == 500
    assert [*reasons(events)] == [21]
    assert "not closed" in reasons(events)[21]


@pytest.mark.parametrize(
    "other", [ROW.replace("curl", '"quoted, text"'), ROW.replace("curl", '"'), ROW.replace("/p2", '"/p2"')]
)
def test_an_open_quote_is_found_also_when_a_later_row_seems_to_close_it(tmp_path: Path, other: str) -> None:
    opening = ROW.replace("curl", '"curl')
    events = found(tmp_path / "a.csv", "\n".join([HEADER, ROW, opening, ROW, other, ROW, ROW]))
    assert len(events) == 6
    assert 2 in reasons(events)
    assert len(reasons(events)) <= 2


def test_texts_of_several_lines_in_quotes_stay_one_row(tmp_path: Path) -> None:
    text = 'first, line\nsecond ""line""\r\n\nlast'
    events = found(tmp_path / "a.csv", f'{HEADER}\r\n{ROW[:-4]}"{text}"\r\n{ROW}\r\n')
    assert reasons(events) == {}
    assert payloads(events)[0]["user_agent"] == text.replace('""', '"')


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (ROW.replace("curl", "x" * 131_073), "field limit"),
        (ROW.replace("curl", "x" * LARGEST_LINE), "too large"),
        (ROW.replace("curl", '"' + "x\n" * 2_000 + '"'), "not closed"),
        (ROW + ",one,more", "9 cells where the first line names 7"),
        (ROW.replace("curl", "[" * 100_000), "user_agent"),
    ],
)
def test_a_row_that_cannot_be_read_fails_alone(tmp_path: Path, row: str, reason: str) -> None:
    events = found(tmp_path / "a.csv", "\n".join([HEADER, ROW, row, ROW, ""]))
    assert reason in reasons(events)[2]
    assert [event.payload for event in events].count(events[0].payload) == 2


def test_a_column_that_stands_twice_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="status more than once"):
        found(tmp_path / "a.csv", f"{HEADER},status\n{ROW},404\n")


@pytest.mark.parametrize("form", ["a.log", "a.ndjson", "a.csv"])
def test_a_line_of_a_gigabyte_is_refused_in_bounded_memory_and_the_rest_is_read(
    tmp_path: Path, form: str
) -> None:
    head, good = {
        "a.log": (b"", f"192.0.2.1 - - {GET}".encode()),
        "a.ndjson": (b"", EVENT),
        "a.csv": (HEADER.encode() + b"\n", ROW.encode()),
    }[form]
    size = 64 << 20  # a gigabyte takes the same memory, and sixteen times as long
    bomb = _bomb(head + good + b"\n", b"x" * size, b"\n" + good + b"\n")
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    events = found(tmp_path / f"{form}.gz", bomb)
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    assert f"too large: {size:,} bytes" in reasons(events)[2].replace(f"{size + 1:,}", f"{size:,}")
    assert [event.number for event in events if event.event_type is not UNREADABLE_LINE] == [1, 3]
    assert grown < 32 << 10  # KiB


def _bomb(*parts: bytes) -> bytes:
    packed = io.BytesIO()
    with gzip.GzipFile(fileobj=packed, mode="wb", compresslevel=1) as file:
        for part in parts:
            file.write(part)
    return packed.getvalue()


@pytest.mark.parametrize(
    "damage", [lambda data: data[:-20], lambda data: data[:2000] + b"\x00\xff" * 8 + data[2016:]]
)
def test_gzip_that_is_cut_off_or_damaged_is_refused_with_what_to_do(tmp_path: Path, damage: Any) -> None:
    lines = [f"192.0.2.{number % 250 + 1} - - {GET}{number * 7919 % 1000}\n" for number in range(3000)]
    path = tmp_path / "a.log.gz"
    path.write_bytes(damage(gzip.compress("".join(lines).encode())))
    with pytest.raises(SourceError, match="Fetch or pack it again"):
        read_all(str(path))


def test_any_file_name_will_do(tmp_path: Path) -> None:
    for name in ("x" * 250 + ".log", os.fsdecode(b"caf\xe9\x1b[31m.log")):
        (event,) = found(tmp_path / name, "192.0.2.1 nonsense [\n192.0.2.1 - - " + GET)[:1]
        assert isinstance(event.payload, UnreadableLine)
        require_key(event.payload.position)
        assert event.payload.position.isprintable()
        assert event.payload.position.endswith(".log:1")


def test_a_key_that_kinesis_would_refuse_makes_a_line_unreadable_and_no_end(tmp_path: Path) -> None:
    whole = json.loads(records(1)[0].data)
    for key in ("", "x" * 300):
        whole["payload"]["client_address"] = key
        (event,) = found(tmp_path / "e.ndjson", json.dumps(whole) + "\n")
        assert "client_address" in reasons([event])[1]


def test_reasons_and_lines_that_are_kept_fit_into_a_record(tmp_path: Path) -> None:
    from producers.packing.codec import encode

    for line in ("\x00" * 900_000, '{"event_type":"' + "\U0001f525" * 200_000 + '"}'):
        (event,) = read(_written(tmp_path / "a.ndjson", line), WEB, "ndjson")
        assert isinstance(event, NewEvent)
        assert len(encode(event.payload)) < 1_000_000


def test_logs_as_the_field_has_them_give_what_is_right(tmp_path: Path) -> None:
    def pages(*lines: str) -> list[dict[str, Any]]:
        path = tmp_path / "a.log"
        path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
        return payloads(read_all(str(path)))

    def line(rest: str, user: str = "-") -> str:
        return f"192.0.2.1 - {user} [24/Nov/2024:10:00:00 +0000] {rest}"

    extra_field = [line(f'"GET /p{number} HTTP/1.1" 200 615 "-" "curl/8.4" "-"') for number in (1, 2)]
    assert [page["url"] for page in pages(*extra_field)] == ["/p1", "/p2"]
    assert [page["user_id"] for page in pages(line('"GET /b HTTP/1.1" 401 10 "-" "Indy"', user='""'))] == [
        None
    ]
    garbage = [line(f'"{text}" 400 157 "-" "-"') for text in (r"\x16\x03\x01\x02", "", "-", "quit")]
    assert [(page["url"], page["status"]) for page in pages(*garbage)] == [(None, 400)] * 4
    marked = "\ufeff" + line('"GET /a HTTP/1.1" 200 10 "-" "curl/8"')
    assert {page["client_address"] for page in pages(marked)} == {"192.0.2.1"}
    assert pages(line('"GET /blog/[slug] HTTP/1.1" 200 10 "-" "curl/8"'))[0]["url"] == "/blog/[slug]"
