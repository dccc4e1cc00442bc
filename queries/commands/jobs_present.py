"""Jobs on the terminal, from the API's answers (pure)."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from queries.api.history import state_of
from queries.contracts import printable
from queries.jobs.rules import CHUNK

SHOWN = 10
"""Failed partitions that are named for people; --json names all."""


def row(job: Mapping[str, Any]) -> dict[str, Any]:
    """A job in a list."""
    return {
        "job": job["job_id"],
        "kind": job["kind"],
        "of": _asked(job["request"]),
        "state": _state(job),
        "chunks": f"{job['chunks_done']}/{'?' if job['chunks'] is None else job['chunks']}",
        "created_at": job["created_at"],
        "owner": job["owner"],
    }


def partitions_done(job: Mapping[str, Any]) -> int:
    """How many partitions are settled, as far as the chunks tell."""
    if job["chunks"] is None:
        return 0
    settled = job["chunks_done"] + job["chunks_failed"]
    if settled == job["chunks"] or job["kind"] == "import":
        return int(job["partitions"] * settled // max(job["chunks"], 1))
    return int(settled * CHUNK)


def described(job: Mapping[str, Any]) -> str:
    """A job in a few lines."""
    parts = "files and hours" if job["kind"] == "import" else "partitions"
    lines = [
        f"{job['job_id']}  {job['kind']} of {_asked(job['request'])}: {_state(job)}",
        f"asked for by {printable(job['owner'])} at {job['created_at']}; "
        f"{partitions_done(job)} of {job['partitions']} {parts}, attempt {job['attempt']}",
    ]
    if job["counts"]:
        lines.append(", ".join(f"{name} {count:,}" for name, count in job["counts"].items()))
    if job["ended_at"]:
        lines.append(f"over at {job['ended_at']}")
    if job["error"]:
        lines.append(f"error: {printable(job['error'])}")
    failed = job["failed"]
    lines += [f"failed: {printable(name)}: {printable(failed[name])}" for name in sorted(failed)[:SHOWN]]
    if len(failed) > SHOWN:
        lines.append(f"failed: {len(failed) - SHOWN} more; --json names them")
    return "\n".join(lines)


def step_lines(steps: Sequence[Mapping[str, Any]], lines: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """Each step, and below it the lines of the log that are its own."""
    left = list(lines)
    for step in steps:
        given = " ".join(f"{name}={value}" for name, value in step["input"].items())
        took = "" if step["milliseconds"] is None else f"{step['milliseconds']} ms"
        yield f"{step['at']}  {step['step']:<12} {step['state']:<8} {given:<20} {step['outcome']:<10} {took}"
        own = [line for line in left if _is_of(line, step)]
        if step["step"] != "Check":  # one that waits is entered again, and its lines with it
            own = own[:1]
        for line in own:
            left.remove(line)
            told = " ".join(
                f"{name}={printable(str(value))}" for name, value in line.items() if name not in _SAID
            )
            yield f"    {printable(str(line.get('timestamp', '')))}  {told}"


_SAID = frozenset({"timestamp", "step", "attempt", "chunk", "milliseconds"})


def _is_of(line: Mapping[str, Any], step: Mapping[str, Any]) -> bool:
    given = step["input"]
    return (state_of(line), line.get("chunk"), line.get("attempt")) == (
        step["step"],
        given.get("chunk"),
        given.get("attempt"),
    )


def _asked(request: Mapping[str, Any]) -> str:
    if "prefix" in request:
        return f"{printable(request['prefix']) or 'the inbox'} by {printable(request['source'])}"
    return f"{request['report']}, {request['from']} to {request['to']}"


def _state(job: Mapping[str, Any]) -> str:
    return "RUNNING, cancelled" if job["is_cancelled"] and job["state"] == "RUNNING" else str(job["state"])
