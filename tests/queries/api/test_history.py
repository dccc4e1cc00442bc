"""An execution's history is shown as its steps, and shown with the lines of the log that are theirs."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from queries.api.history import steps_of, with_steps_of
from queries.commands.jobs_present import described, row, step_lines

BEGAN = datetime(2026, 11, 24, 10, tzinfo=UTC)


def entered(name: str, second: int, kind: str = "Task", **given: Any) -> Mapping[str, Any]:
    details = {"name": name, "input": json.dumps({"job_id": "j", "attempt": 1, **given})}
    at = BEGAN + timedelta(seconds=second)
    return {"type": f"{kind}StateEntered", "timestamp": at, "stateEnteredEventDetails": details}


def exited(name: str, second: float, outcome: str | None, **given: Any) -> Mapping[str, Any]:
    told = {"job_id": "j", **given} | ({"step": {"outcome": outcome}} if outcome else {})
    details = {"name": name, "output": json.dumps(told)}
    at = BEGAN + timedelta(seconds=second)
    return {"type": "TaskStateExited", "timestamp": at, "stateExitedEventDetails": details}


HISTORY = [
    {"type": "ExecutionStarted", "timestamp": BEGAN},
    entered("Begin", 0),
    exited("Begin", 0.25, "go"),
    entered("Begun", 1, "Choice"),
    entered("Check", 1, chunk=0),
    entered("Check", 1, chunk=1),
    exited("Check", 2, "done", chunk=1),
    exited("Check", 3, None, chunk=0, error={"Error": "Lambda.Unknown"}),
    entered("ChunkFailed", 3, chunk=0),
]


def test_each_task_is_shown_with_what_it_was_given_what_came_of_it_and_how_long_it_took() -> None:
    told = [
        (step["step"], step["state"], step["input"].get("chunk"), step["outcome"], step["milliseconds"])
        for step in steps_of(HISTORY)
    ]
    assert told == [
        ("Begin", "DONE", None, "go", 250),
        ("Check", "FAILED", 0, "", 2000),
        ("Check", "DONE", 1, "done", 1000),
        ("ChunkFailed", "RUNNING", 0, "", None),
    ]


def test_a_step_that_only_the_log_has_stands_where_it_belongs() -> None:
    line = {"message": "step", "step": "chunk_failed", "attempt": 1, "outcome": "failed", "milliseconds": 7}
    lines = [
        line | {"chunk": 1, "timestamp": "2026-11-24 10:00:02,500+0000"},
        line | {"chunk": 0, "timestamp": "2026-11-24 10:00:03,500+0000"},  # the history has it
        line | {"chunk": 2, "timestamp": "2026-11-24 09:00:00,000+0000", "attempt": 2},
        {"message": "taken", "attempt": 1, "timestamp": "2026-11-24 10:00:00,000+0000"},
    ]
    found = with_steps_of(steps_of(HISTORY), lines, 1)
    assert [step["step"] for step in found] == ["Begin", "Check", "Check", "ChunkFailed", "ChunkFailed"]
    assert (found[3]["input"], found[3]["milliseconds"]) == ({"attempt": 1, "chunk": 1}, 7)


def test_a_steps_lines_stand_below_it_and_write_no_codes_to_the_terminal() -> None:
    lines = [
        {"step": "check", "chunk": 1, "attempt": 1, "outcome": "done", "timestamp": "t1"},
        {"step": "begin", "attempt": 1, "message": "\x1b[31m", "timestamp": "t0"},
    ]
    shown = list(step_lines(steps_of(HISTORY), lines))
    assert [line.strip().split("  ")[0] for line in shown if line.startswith("    ")] == ["t0", "t1"]
    assert not [line for line in shown if "\x1b" in line]


def test_a_job_is_described_with_the_partitions_that_failed_and_never_with_codes() -> None:
    job = {
        "job_id": "j",
        "kind": "backfill",
        "request": {"report": "orders", "from": "a", "to": "b"},
        "state": "PARTLY_FAILED",
        "is_cancelled": False,
        "owner": "iam:\x1b[31m",
        "attempt": 2,
        "partitions": 100,
        "chunks": 2,
        "chunks_done": 1,
        "chunks_failed": 1,
        "counts": {},
        "created_at": "t0",
        "ended_at": "t1",
        "error": "",
        "failed": {f"{n:02d}": "SYNTAX\x1b" for n in range(12)},
    }
    text = described(job)
    assert "100 of 100 partitions" in text
    assert "failed: 00: SYNTAX" in text
    assert "2 more" in text
    assert "\x1b" not in text
    assert row(job)["chunks"] == "1/2"


def test_an_import_is_described_with_what_it_counted_and_never_with_codes() -> None:
    job = {
        "job_id": "j",
        "kind": "import",
        "request": {"kind": "import", "prefix": "flights/\x1b", "source": "flights"},
        "state": "RUNNING",
        "is_cancelled": False,
        "owner": "schedule:nightly",
        "attempt": 1,
        "partitions": 10,
        "chunks": 4,
        "chunks_done": 1,
        "chunks_failed": 1,
        "counts": {"events": 1234, "failed": 0},
        "created_at": "t0",
        "ended_at": None,
        "error": "",
        "failed": {"inbox/\x1b": "it was changed"},
    }
    text = described(job)
    assert "by flights: RUNNING" in text
    assert "5 of 10 files and hours" in text
    assert "events 1,234, failed 0" in text
    assert "\x1b" not in text + str(row(job)["of"])
