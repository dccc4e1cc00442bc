"""`penstock local status`: what runs, what passed each stage, how fresh the reports are."""

import json
import urllib.error
import urllib.request
from typing import Any

from infra.local import processes
from infra.local.paths import LocalPaths

_NAMES = {"ministack": "MiniStack", "server": "the local server"}


def of(paths: LocalPaths) -> dict[str, Any]:
    """Whether the local cloud is up, its processes, and the local server's snapshot when it answers."""
    alive = {name: processes.alive(paths.run, name) for name in _NAMES}
    found: dict[str, Any] = {"up": all(alive.values()), "processes": alive}
    if alive["server"]:
        found |= _snapshot(int(alive["server"]["port"]))
    return found


def text(found: dict[str, Any]) -> str:
    """The same for people."""
    lines = [_process(name, found["processes"][name]) for name in _NAMES]
    if not found["up"]:
        return "\n".join([*lines, "Start it with: penstock local up"])
    if "stages" not in found:
        return "\n".join([*lines, found.get("message", "No snapshot yet.")])
    lines.append(f"page       {found['place']}")
    for stage in found["stages"]:
        figures = ", ".join(f"{name} {value:,}" for name, value, _ in stage["figures"])
        lines.append(f"{stage['title']:<10} {stage['amount']:>12,} {stage['unit']:<17} {figures}")
    if len(found["streams"]) > 1:
        lines += [_stream(stream) for stream in found["streams"]]
    if found["collector"]:
        lines.append(_collector(found["collector"]))
    if found["live"]["apis"]:
        lines.append(_live(found["live"]))
    lines += [_report(report) for report in found["reports"]]
    return "\n".join(lines)


def _process(name: str, recorded: dict[str, Any] | None) -> str:
    state = f"up, process {recorded['pid']}, port {recorded['port']}" if recorded else "not running"
    return f"{_NAMES[name]}: {state}"


def _stream(stream: dict[str, Any]) -> str:
    counts = ((stream["failed"], "failed"), (stream["dropped"], "dropped"), (stream["buffered"], "buffered"),
              (stream["function_errors"], "function errors"))  # fmt: skip
    others = "".join(f", {count:,} {what}" for count, what in counts if count)
    told = f"{stream['read']:,} events read, {stream['rows']:,} rows landed{others}"
    return f"  {stream['name']:<24} {stream['ingest']:<7} {told}"


def _collector(collector: dict[str, Any]) -> str:
    waiting, dead = sum(collector["queue"].values()), sum(collector["dead_letter_queue"].values())
    told = f"{collector['place']}, stack {collector['stack']}, {waiting:,} messages waiting"
    return f"{'Collector':<10} {told}" + (f", {dead:,} dead letters" if dead else "")


def _live(live: dict[str, int]) -> str:
    told = f"{live['connections']:,} sockets, {live['subscriptions']:,} subscriptions, {live['sent']:,} sent"
    counts = ("refused", "foreign", "malformed", "slow", "silent", "crowded")
    others = "".join(f", {live[name]:,} {name}" for name in counts if live[name])
    return f"{'Live':<10} {told}{others}"


def _report(report: dict[str, Any]) -> str:
    counts = ((report["stale"], "to refresh"), (report["set_aside"], "quarantined"))
    waiting = ", ".join(f"{count} partitions {what}" for count, what in counts if count) or "fresh"
    return f"  {report['name']:<20} {report['partitions']:>4} partitions {report['rows']:>7} rows  {waiting}"


def _snapshot(port: int) -> dict[str, Any]:
    try:
        with urllib.request.urlopen(f"http://{processes.LOOPBACK}:{port}/_status", timeout=30) as answer:
            found: dict[str, Any] = json.loads(answer.read())
            return found
    except urllib.error.HTTPError as error:
        return {"message": json.loads(error.read()).get("message", str(error))}
    except OSError as error:
        return {"message": f"The local server does not answer: {error}"}
