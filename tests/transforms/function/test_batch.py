import base64
import json
import os
import random
import subprocess
import sys
from collections.abc import Callable
from itertools import accumulate
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.golden.poison.corpus import ARRIVAL_MS, GOOD, changed, corpus, encode
from tests.shop import SHOP, TABLES
from transforms.function.batch import LARGEST_ANSWER, ranges, run
from transforms.function.marshal import (
    ANSWER_ENVELOPE,
    Form,
    Record,
    Request,
    Unreadable,
    as_dict,
    as_json,
    read_request,
)
from transforms.gate.gate import Gate
from transforms.gate.outcome import Accepted, Outcome
from transforms.schema.growth import largest_answer

LAMBDA_LIMIT = 6_291_556
BATCHES = int(os.environ.get("PENSTOCK_TEST_BATCHES", "12"))
TOGETHER = 200
"""Batches that are drawn from the same records, which are validated once."""
POOL = 400
LONGEST = (10, 400, 4_000)
SHORTEST = 300
"""Bytes of a record in base64, on average, that are passed in every drawing."""


def test_both_entrances_give_the_same_answers(gate: Gate) -> None:
    payloads = [raw for _, raw, _ in corpus() if len(raw) < 50_000]
    records = [
        {
            "recordId": f"r{n}",
            "data": base64.b64encode(raw).decode(),
            "approximateArrivalTimestamp": ARRIVAL_MS,
        }
        for n, raw in enumerate(payloads)
    ]
    asked = {"invocationId": "i", "records": records}
    _, by_bytes = run(read_request(json.dumps(asked).encode()), gate, as_json())
    _, by_dict = run(read_request(asked), gate, as_dict())
    assert json.loads(by_bytes) == by_dict


@pytest.mark.parametrize(
    "broken",
    [
        {"data": "%%%"},
        {"data": 7},
        {"data": None},
        {"approximateArrivalTimestamp": None},
        {"data": "YQ"},
    ],
)
def test_a_record_that_is_not_a_record_harms_no_other(gate: Gate, broken: dict[str, object]) -> None:
    good = {"data": base64.b64encode(encode(GOOD)).decode(), "approximateArrivalTimestamp": ARRIVAL_MS}
    asked = {
        "records": [{"recordId": "a", **good}, {"recordId": "b", **good, **broken}, {"recordId": "c", **good}]
    }
    for event in (asked, json.dumps(asked).encode()):
        batch, _ = run(read_request(event), gate, as_dict())
        assert [(each.recordId, each.result) for each in batch.answers] == [
            ("a", "Ok"),
            ("b", "ProcessingFailed"),
            ("c", "Ok"),
        ]


def test_half_of_a_surrogate_pair_that_the_runtimes_parser_lets_through_harms_no_other(gate: Gate) -> None:
    good = {"data": base64.b64encode(encode(GOOD)).decode(), "approximateArrivalTimestamp": ARRIVAL_MS}
    asked = {"records": [{"recordId": "a", **good, "data": "\ud800"}, {"recordId": "b", **good}]}
    batch, _ = run(read_request(asked), gate, as_dict())
    assert [each.result for each in batch.answers] == ["ProcessingFailed", "Ok"]


def test_an_arrival_time_that_no_row_can_have_harms_no_other_record(gate: Gate) -> None:
    never, good = 10**15, encode(GOOD)
    records = [Record("a", good, ARRIVAL_MS), Record("b", good, never), Record("c", good, never)]
    batch, _ = run(Request([*records, Record("d", good, ARRIVAL_MS)]), gate, as_json())
    assert [each.result for each in batch.answers] == ["Ok", "ProcessingFailed", "ProcessingFailed", "Ok"]
    assert batch.answers[0].data == batch.answers[3].data
    assert batch.failed_ids == {"internal": ["b", "c"]}
    assert gate.judge(good, never) == gate.explain(good, never)


def test_a_row_has_the_arrival_time_of_its_own_record(gate: Gate) -> None:
    good, arrivals = encode(GOOD), [ARRIVAL_MS + add for add in (0, 1, 999, 1000, 1, -1, 0)]
    batch, _ = run(Request([Record("", good, each) for each in arrivals]), gate, as_json())
    for arrival_ms, answer in zip(arrivals, batch.answers, strict=True):
        alone = gate.judge(good, arrival_ms)
        assert isinstance(alone, Accepted)
        assert answer.data == alone.row


def test_late_events_and_the_largest_lag_are_those_of_the_rows(gate: Gate) -> None:
    times = ("10:11:14.000", "01:00:00.000", "10:11:15.500", "00:30:00.250", "10:11:12.000")
    records = [Record("", changed(event_time=f"2026-11-24T{each}Z"), ARRIVAL_MS) for each in times]
    records.append(Record("", b"no event", ARRIVAL_MS))
    batch, _ = run(Request(records), gate, as_json())
    assert (batch.accepted, batch.late, batch.lag_ms) == (5, 2, 34_874_750)
    nothing, _ = run(Request(records[-1:]), gate, as_json())
    assert (nothing.accepted, nothing.late, nothing.lag_ms) == (0, 0, 0)


@pytest.mark.parametrize("character", ["\x01", "\u2028", "é", '"', "\\"])
def test_what_is_not_base64_cannot_make_an_answer_larger_than_it_seems(gate: Gate, character: str) -> None:
    asked = {"records": [{"recordId": "a", "data": character * 3_000_000}]}
    _, answer = run(read_request(json.dumps(asked).encode()), gate, as_json())
    assert json.loads(answer) == {"records": [{"recordId": "a", "result": "ProcessingFailed", "data": ""}]}


@pytest.mark.parametrize("form", [as_json, as_dict])
def test_one_record_too_many_fails_alone(gate: Gate, form: Callable[[], Form[Any]]) -> None:
    records = [Record(f"{number:062d}", encode(GOOD), ARRIVAL_MS) for number in range(7_800)]
    sizes = []
    for count in range(7_000, 7_800, 10):
        batch, _ = run(Request(records[:count]), gate, form())
        sizes.append(batch.failed["answer_full"])
    full = next(number for number in sizes if number)
    assert sizes[0] == 0
    assert full <= 12, "ten records were added"
    assert sizes == sorted(sizes)


def test_what_is_base64_for_nobody_is_not_an_event_though_its_text_is_one(gate: Gate) -> None:
    batch, _ = run(Request([Unreadable("a", encode(GOOD).decode(), ARRIVAL_MS)]), gate, as_json())
    assert batch.failed == {"bad_request": 1}


@pytest.mark.parametrize("first", range(0, BATCHES, TOGETHER))
def test_no_answer_near_the_limit_passes_it_and_no_record_is_lost_or_doubled(gate: Gate, first: int) -> None:
    pools = {longest: _judged(gate, random.Random(f"{first} {longest}"), longest) for longest in LONGEST}
    for seed in range(first, min(first + TOGETHER, BATCHES)):
        rng = random.Random(seed)
        judged = pools[rng.choice(LONGEST)]
        records = _near_the_limit(rng, list(judged))
        for place in rng.sample(range(len(records)), k=len(records) // 50):
            records[place] = Unreadable(records[place].recordId, "%" * rng.randrange(400))
        batch, answer = run(Request(records), _Known(judged), as_json())
        if seed % 10 == first % 10:
            other, as_parsed = run(Request(records), _Known(judged), as_dict())
            assert len(json.dumps(as_parsed)) <= LARGEST_ANSWER
            assert [each.recordId for each in other.answers] == [each.recordId for each in records]
        assert len(answer) <= LARGEST_ANSWER < LAMBDA_LIMIT
        assert [each.recordId for each in batch.answers] == [each.recordId for each in records]
        assert len({each.recordId for each in batch.answers}) == len(records)
        assert batch.accepted + batch.dropped + batch.failed.total() == len(records)
        full = batch.failed["answer_full"]
        assert not full or len(answer) > LARGEST_ANSWER - 8_000 - 60 * full, "no more fail than must"
        for record, each in zip(records, batch.answers, strict=True):
            if each.result == "Ok":
                outcome = judged[record.data]  # type: ignore[index]
                assert isinstance(outcome, Accepted)
                assert each.data == outcome.row
            else:
                assert each.data in (b"", record.data)


def _judged(gate: Gate, rng: random.Random, longest: int) -> dict[bytes, Outcome]:
    """Records with addresses of up to so many characters, some of them no events, and what the gate says."""
    found = {}
    for _ in range(POOL):
        payload = {**GOOD["payload"], "url": "https://x.example/" + "x" * rng.randrange(longest)}
        raw = (
            encode({**GOOD, "payload": payload}) if rng.random() < 0.95 else rng.randbytes(rng.randrange(900))
        )
        found[raw] = gate.judge(raw, ARRIVAL_MS)
    return found


class _Known:
    """Says of each record what the gate has said."""

    def __init__(self, judged: dict[bytes, Outcome]) -> None:
        self._judged = judged

    def accept(self, raw: bytes, _arrival_ms: int, _arrival_time: str, _memory: bytearray) -> Outcome:
        return self._judged[raw]

    def explain(self, raw: bytes, _arrival_ms: int, error: Exception) -> Outcome:
        raise AssertionError(raw) from error


def _near_the_limit(rng: random.Random, pool: list[bytes]) -> list[Record | Unreadable]:
    """Records that a request of Lambda's limit holds, and one more."""
    number, around = rng.getrandbits(200), rng.choice((120, 369))
    drawn = rng.choices(pool, k=LAMBDA_LIMIT // (SHORTEST + around))
    sizes = accumulate(len(raw) * 4 // 3 + around for raw in drawn)
    fit = next(count for count, size in enumerate(sizes, start=1) if size >= LAMBDA_LIMIT)
    return [Record(f"{number + place:062d}"[-62:], raw, ARRIVAL_MS) for place, raw in enumerate(drawn[:fit])]


def test_the_envelope_of_an_answer_is_within_its_bound(gate: Gate) -> None:
    batch, answer = run(Request([Record("", encode(GOOD), ARRIVAL_MS)]), gate, as_json())
    data = batch.answers[0].data
    assert isinstance(data, bytes)
    assert len(answer) - len(base64.b64encode(data)) <= ANSWER_ENVELOPE


def test_a_batch_of_the_buffer_hint_cannot_reach_the_limit_by_the_contract_alone() -> None:
    for table in TABLES.values():
        assert largest_answer(table) < LARGEST_ANSWER


@given(st.sets(st.integers(1, 60)))
def test_ranges_name_every_number_once(numbers: set[int]) -> None:
    named: list[int] = []
    for part in filter(None, ranges(numbers).split(",")):
        first, _, last = part.partition("-")
        named += range(int(first), int(last or first) + 1)
    assert named == sorted(numbers)


# In a zip the project's streams lie beside our packages.
HANDLER = (
    "import pathlib, transforms.handler\n"
    f"transforms.handler.STREAMS = pathlib.Path({str(SHOP.folders.streams)!r})\n"
    "from transforms.handler import lambda_handler\n"
)


def _in_a_process(code: str) -> str:
    environ = {**os.environ, "PENSTOCK_STREAM": "web", "PENSTOCK_PSEUDONYM_KEYS": f"k1:{'ab' * 32}"}
    return subprocess.run(
        [sys.executable, "-c", code], check=True, capture_output=True, text=True, env=environ
    ).stdout


def test_the_handler_imports_nothing_heavy() -> None:
    heavy = (
        "('boto3', 'botocore.session', 'pydantic', 'pandas', 'pyarrow', 'awswrangler', 'aws_xray_sdk', "
        "'asyncio', 'dataclasses', 'jmespath', 'aws_lambda_powertools.logging.logger', "
        "'aws_lambda_powertools.utilities.data_classes')"
    )
    code = f"import sys, transforms.handler; print([each for each in {heavy} if each in sys.modules])"
    assert _in_a_process(code).strip() == "[]"


def test_whoever_imports_powertools_after_the_handler_gets_all_of_it() -> None:
    code = (
        "import transforms.handler\n"
        "from aws_lambda_powertools import Logger, Metrics, Tracer, logging\n"
        "from aws_lambda_powertools.logging import formatter\n"
        "made = Logger(service='another').registered_formatter\n"
        "ours = transforms.function.powertools._formatter.LambdaPowertoolsFormatter\n"
        "print(type(made) is formatter.LambdaPowertoolsFormatter is ours)"
    )
    assert _in_a_process(code).strip() == "True"


def test_a_traced_invocation_answers_and_loads_neither_asyncio_nor_a_client() -> None:
    code = (
        "import os, sys\n"
        "os.environ.update(PENSTOCK_TRACING='true', LAMBDA_TASK_ROOT='/var/task',\n"
        "    _X_AMZN_TRACE_ID='Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1')\n"
        f"{HANDLER}"
        "answer = lambda_handler({'invocationId': 'i', 'records': []}, None)\n"
        "print([answer, 'aws_xray_sdk.core' in sys.modules,\n"
        "       [name for name in ('asyncio', 'botocore.session') if name in sys.modules]])"
    )
    assert _in_a_process(code).splitlines()[-1] == "[{'records': []}, True, []]"


def test_an_invocation_writes_one_line_which_is_its_metrics_too_and_names_nobody() -> None:
    code = (
        "import base64\n"
        "from tests.golden.poison.corpus import corpus, ARRIVAL_MS\n"
        f"{HANDLER}"
        "records = [{'recordId': f'r{n}', 'data': base64.b64encode(raw).decode(),\n"
        "            'approximateArrivalTimestamp': ARRIVAL_MS} for n, (_, raw, _) in enumerate(corpus())]\n"
        "lambda_handler({'invocationId': 'i-7', 'records': records}, None)\n"
    )
    (line,) = _in_a_process(code).splitlines()
    said = json.loads(line)
    assert said["accepted"] > 0
    assert (said["level"], said["service"], said["message"]) == ("INFO", "transforms", "batch transformed")
    assert said["failed"] == sum(said["failed_by_reason"].values())
    assert said["FailedRecords"] == [float(said["failed"])]
    assert said["AcceptedEvents"] == [float(said["accepted"])]
    assert said["LateEvents"] == [float(said["late"])]
    assert said["ArrivalLag"][0] >= 2877, "what the good event among them has"
    assert {each["Name"] for each in said["_aws"]["CloudWatchMetrics"][0]["Metrics"]} <= set(said)
    assert all(len(ids) <= 3 for ids in said["failed_record_ids"].values())
    for personal in ("203.0.113.9", "user-4711", "Mozilla", "DROP TABLE", "passwd"):
        assert personal not in line
