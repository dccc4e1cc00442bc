import base64
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest

from tests.golden.poison.corpus import ARRIVAL_MS, GOOD, INJECTIONS, corpus, encode
from tests.shop import TABLE
from transforms.failed.error_objects import FailedRecord
from transforms.failed.index import IndexEntry, entries_of
from transforms.failed.records import Explanation
from transforms.failed.review import Reviewer
from transforms.failed.text import explained
from transforms.function.batch import run
from transforms.function.marshal import as_dict, as_json, read_request
from transforms.gate.gate import Gate
from transforms.gate.outcome import Accepted, Failed

CASES = list(corpus())
NAMES = [name for name, _, _ in CASES]


@pytest.fixture(autouse=True, scope="module")
def _functions_depth() -> Iterator[None]:
    """Python's own limit of nesting, as a function has it: some libraries raise it when they are imported."""
    known = sys.getrecursionlimit()
    sys.setrecursionlimit(1000)
    yield
    sys.setrecursionlimit(known)


def test_the_corpus_has_at_least_120_payloads_of_different_names() -> None:
    assert len(CASES) >= 120
    assert len(set(NAMES)) == len(CASES)


@pytest.mark.parametrize(("name", "raw", "reason"), CASES, ids=NAMES)
def test_a_payload_has_the_outcome_that_the_corpus_says(
    gate: Gate, name: str, raw: bytes, reason: str | None
) -> None:
    outcome = gate.judge(raw, ARRIVAL_MS)
    if reason is None:
        assert isinstance(outcome, Accepted), outcome
    else:
        assert isinstance(outcome, Failed)
        assert outcome.reason == reason
        assert outcome.detail, "a failed record is explained by a sentence"
    assert gate.explain(raw, ARRIVAL_MS) == outcome


def request(*payloads: bytes) -> dict[str, Any]:
    records = [
        {
            "recordId": f"r{number}",
            "data": base64.b64encode(payload).decode(),
            "approximateArrivalTimestamp": ARRIVAL_MS,
        }
        for number, payload in enumerate(payloads)
    ]
    return {"invocationId": "i-1", "records": records}


@pytest.mark.parametrize(("name", "raw", "reason"), CASES, ids=NAMES)
def test_good_neighbours_of_a_payload_come_to_no_harm(
    gate: Gate, name: str, raw: bytes, reason: str | None
) -> None:
    good = encode(GOOD)
    alone = gate.judge(good, ARRIVAL_MS)
    _, answer = run(read_request(request(good, raw, good)), gate, as_dict())
    assert [each["recordId"] for each in answer["records"]] == ["r0", "r1", "r2"]
    assert isinstance(alone, Accepted)
    for neighbour in (0, 2):
        assert base64.b64decode(answer["records"][neighbour]["data"]) == alone.row
    if reason is not None:
        assert answer["records"][1]["result"] == "ProcessingFailed"
        assert base64.b64decode(answer["records"][1]["data"]) == raw


@pytest.mark.parametrize(("name", "raw", "reason"), CASES, ids=NAMES)
def test_every_failed_payload_is_found_and_explained(
    gate: Gate, name: str, raw: bytes, reason: str | None
) -> None:
    record = FailedRecord(
        "failed/processing-failed/dt=2026-11-24/x", 1, "processing-failed", "", "", ARRIVAL_MS, 1, raw
    )
    reviewer = Reviewer([(TABLE, gate)])
    entries = list(entries_of(record, reviewer.judge(record), reviewer.vocabulary))
    text = explained(Explanation(record, tuple(reviewer.judge(record))))
    assert entries
    assert text.replace("\n", "").isprintable()
    if reason is not None and len(entries) == 1:
        assert entries[0].reason == reason
        assert f"reason     {reason}" in text
    for entry in entries:
        assert _says_nothing_personal(entry)


def _says_nothing_personal(entry: IndexEntry) -> bool:
    text = repr(entry)
    return not any(each in text for each in ("203.0.113.9", "user-4711", "Mozilla", "DROP TABLE", "passwd"))


@pytest.mark.parametrize(("name", "text"), INJECTIONS, ids=[name for name, _ in INJECTIONS])
def test_no_value_of_an_event_reaches_the_partition_key(gate: Gate, name: str, text: str) -> None:
    payload = {**GOOD["payload"], "user_id": text, "url": f"https://x.example/{text}"}
    outcome = gate.judge(encode({**GOOD, "payload": payload}), ARRIVAL_MS)
    assert isinstance(outcome, Accepted)
    assert outcome.event_hour == "2026-11-24-10"
    assert outcome.row.count(b"\n") == 1, "a row is one line, whatever its texts hold"


def test_the_whole_corpus_together_is_answered_once_each_and_in_order(gate: Gate) -> None:
    small = [(raw, reason) for _, raw, reason in CASES if len(raw) < 100_000]
    asked = read_request(request(*(raw for raw, _ in small)))
    (first, written), (_, again) = (run(asked, gate, as_json()) for _ in range(2))
    assert written == again
    assert [answer.recordId for answer in first.answers] == [record.recordId for record in asked.records]
    assert [answer.result == "Ok" for answer in first.answers] == [reason is None for _, reason in small]


def test_the_whole_corpus_is_validated_in_less_than_256_mb() -> None:
    code = (
        "import re, pathlib; from tests.golden.poison.corpus import corpus, ARRIVAL_MS;"
        "from tests.shop import TABLES; from transforms.gate.gate import Gate;"
        "gate = Gate(TABLES['web_events'], key_id='k1', key=b'k' * 32);"
        "[gate.judge(raw, ARRIVAL_MS) for _, raw, _ in corpus()];"
        # ru_maxrss would count what this process had before it became the other program.
        "status = pathlib.Path('/proc/self/status').read_text();"
        "print(int(re.search(r'VmHWM:\\s+(\\d+)', status)[1]) // 1024)"
    )
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert int(done.stdout) <= 256
