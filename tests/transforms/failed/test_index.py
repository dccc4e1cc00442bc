"""What a listing may hold of a failed record, whatever the record holds."""

import json
import re
from dataclasses import asdict

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.golden.poison.corpus import ARRIVAL_MS, corpus
from tests.shop import TABLES
from transforms.failed.error_objects import FailedRecord
from transforms.failed.index import IndexEntry, entries_of
from transforms.failed.line_reasons import known_words as words_of
from transforms.failed.review import keyless_reviewer

REVIEWER = keyless_reviewer(TABLES.values())


def known_words(reason: str) -> str:
    return words_of(reason, REVIEWER.vocabulary)


SECRETS = ("jane.doe@example.com", "203.0.113.9", "s3cr3t-t0ken", "Jane Doe")


def listed(raw: bytes, **members: str) -> list[IndexEntry]:
    facts = {"kind": "processing-failed", "code": "Lambda.ProcessingFailedStatus", "message": "", **members}
    record = FailedRecord("failed/k/a", 1, arrival_ms=ARRIVAL_MS, attempts=1, raw=raw, **facts)
    return list(entries_of(record, REVIEWER.judge(record), REVIEWER.vocabulary))


def unreadable(**payload: str) -> bytes:
    head = {"event_id": "01927f2e-7b1c-7abc-8def-0123456789ab", "schema_version": 1, "source": "s"}
    names = {"event_time": "2026-11-24T10:11:12Z", "producer_id": "p", "epoch": 1, "seq": 2}
    return json.dumps({"event_type": "unreadable_line", **head, **names, "payload": payload}).encode()


@pytest.mark.parametrize("secret", SECRETS)
def test_an_unreadable_line_is_listed_by_its_number_alone(secret: str) -> None:
    line = f"{secret} - {secret} [{secret}] 'GET /?q={secret}'"
    (entry,) = listed(unreadable(line=line, position=f"{secret}.log:17", reason=f"cannot read {secret}"))
    assert (entry.reason, entry.line, entry.line_length) == ("unreadable_line", 17, len(line))
    assert secret not in str(asdict(entry))


@given(st.text(min_size=1), st.text(min_size=1), st.text(min_size=1))
def test_no_text_of_a_line_its_position_or_its_reason_is_listed(
    line: str, position: str, reason: str
) -> None:
    marked = [f"\u00a7{text}\u00a7" for text in (line, position, reason)]
    for entry in listed(unreadable(line=marked[0], position=marked[1], reason=marked[2])):
        assert "\u00a7" not in str(asdict(entry))


@pytest.mark.parametrize("secret", SECRETS)
def test_poison_is_listed_without_what_it_says(secret: str) -> None:
    seen = 0
    for name, raw, _ in corpus():
        if len(raw) > 10_000:
            continue
        told = raw.replace(b"user-4711", secret.encode()).replace(b"203.0.113.9", secret.encode())
        seen += told != raw
        for entry in listed(told, kind=f"{secret} 1", code=f"{secret} 1", message=secret):
            assert secret not in str(asdict(entry)), name
    assert seen > 50


@given(st.text())
def test_a_reason_is_shown_in_known_words_only(text: str) -> None:
    shown = known_words(text)
    assert shown.isascii()
    assert all(character.isprintable() for character in shown)
    assert not re.search(r"\d", shown)
    assert len(shown) < 170


def test_the_reasons_of_producers_stay_readable() -> None:
    assert known_words("payload.status: Expected `int`, got `str`") == (
        "payload.status: Expected `int`, got `str`"
    )
    assert known_words("event_type: stream web has no event type 'jane.doe@example.com'") == (
        "event_type: stream web has no event type '...'"
    )
    assert known_words("time '99/Foo/2015' is not like 17/May/2015:10:05:03 +0000") == (
        "time '...' is not like ..."
    )
    assert known_words("Jane Doe") == ""


def test_a_masked_reason_takes_time_in_proportion_to_its_length() -> None:
    assert known_words("..." * 100_000 + "\0" * 100_000) == ""
