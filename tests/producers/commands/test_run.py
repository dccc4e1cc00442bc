"""`penstock produce` as a program uses it: exit codes, summaries, resuming; against the stub, over a socket."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from benchmarks.stub_process import StubProcess
from producers.commands import checkpoint
from producers.commands import run as command
from producers.commands.cli import Exit, app
from producers.errors import SpoolError
from producers.producer import Producer
from producers.spool.folder import Spool
from tests.producers.commands.running import _environment, documents, ids, places, produced, whole_events


def test_a_simulation_arrives_and_the_summary_says_so(stub: StubProcess) -> None:
    code, summary = produced("simulate", "--count", "2000", "--duplicate", "0.1", "--malformed", "0")
    assert code == 0
    assert (summary["produced"], summary["pending"]) == (2_000, 0)
    arrived = ids(stub.arrivals())
    assert len(arrived) == 2_000
    assert arrived.total() == summary["put"] == 2_000 + summary["copies"]


def test_senders_get_turns_while_events_are_made_and_the_interpreter_is_left_as_it_was(
    stub: StubProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    before, found = sys.getswitchinterval(), set()
    put_many_raw = Producer.put_many_raw

    def looked(producer: Producer, *given: Any, **named: Any) -> None:
        found.add(sys.getswitchinterval())
        put_many_raw(producer, *given, **named)

    monkeypatch.setattr(Producer, "put_many_raw", looked)
    produced("simulate", "--count", "1000")
    assert [*found] == pytest.approx([command.SWITCH_SECONDS])
    assert sys.getswitchinterval() == before > command.SWITCH_SECONDS


def test_a_dry_run_sends_nothing_and_forecasts_the_bill_of_the_real_one(
    stub: StubProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    # At load: no record leaves before it is full because this machine is slow.
    monkeypatch.setattr(command, "LINGER", 60.0)
    words = ("simulate", "--count", "5000", "--seed", "3", "--start", "2026-11-24T10:00:00")
    code, forecast = produced(*words, "--dry-run")
    assert code == 0
    assert "records" not in stub.control()
    _, real = produced(*words)
    sent = real["billed_kib"] * 1024
    assert forecast["forecast_on_demand_gb"] * 1024**3 == pytest.approx(sent, rel=0.01)
    assert forecast["forecast_records"] == pytest.approx(real["records"], rel=0.01)
    assert forecast["forecast_put_units"] >= forecast["forecast_records"]
    assert forecast["forecast_firehose_gb_split"] > forecast["forecast_firehose_gb_whole"]


def test_lines_that_cannot_be_read_are_sent_as_such_and_told_by_the_exit_code(
    stub: StubProcess, tmp_path: Path
) -> None:
    path = whole_events(tmp_path / "events.ndjson", 10)
    path.write_bytes(path.read_bytes() + b"{broken\n\n")
    code, summary = produced("replay", str(path))
    assert code == Exit.BAD_EVENTS
    assert (summary["put"], summary["unreadable"]) == (11, 1)
    assert any(b"unreadable_line" in arrival.data for arrival in stub.arrivals())


def test_what_could_not_be_delivered_shows_in_the_exit_code(
    stub: StubProcess, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stub.control(is_down=True)
    monkeypatch.setattr(command, "CLOSE_SECONDS", 0.2)
    code, summary = produced("replay", str(whole_events(tmp_path / "events.ndjson", 10)))
    assert code == Exit.NOT_DELIVERED
    assert (summary["pending"], summary["delivered"]) == (10, 0)


def test_with_a_spool_it_is_kept_and_sent_by_the_next_run(
    stub: StubProcess, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spool = tmp_path / "spool"
    path = whole_events(tmp_path / "events.ndjson", 10)
    stub.control(is_down=True)
    monkeypatch.setattr(command, "CLOSE_SECONDS", 0.2)
    code, summary = produced("replay", str(path), "--spool", str(spool))
    assert (code, summary["spooled"], summary["pending"]) == (0, 10, 0)
    code, listed = produced("spool", "list", str(spool))
    assert (code, listed[str(spool)]["events"]) == (0, 10)
    stub.control(is_down=False)
    monkeypatch.setattr(command, "CLOSE_SECONDS", 30)
    code, summary = produced("spool", "drain", str(spool))
    assert (code, summary["delivered"], summary["pending"]) == (0, 10, 0)
    assert len(ids(stub.arrivals())) == 10


def test_events_from_a_pipe_arrive(stub: StubProcess, tmp_path: Path) -> None:
    path = whole_events(tmp_path / "events.ndjson", 20)
    run = subprocess.Popen(
        [sys.executable, "-m", "producers", "tail", "-", "--json"],
        env=os.environ | _environment(stub.url),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    assert run.stdin is not None
    run.stdin.write(path.read_bytes())
    run.stdin.flush()
    # They leave while the pipe stays open.
    _wait_for_records(stub, 1)
    answer, _ = run.communicate(timeout=30)
    assert (run.returncode, json.loads(answer)["whole"]) == (0, 20)
    assert len(ids(stub.arrivals())) == 20


def test_a_bad_speed_is_refused_before_anything_is_sent(stub: StubProcess, tmp_path: Path) -> None:
    path = whole_events(tmp_path / "events.ndjson", 1)
    result = CliRunner().invoke(app, ["replay", str(path), "--speed", "fast"])
    assert result.exit_code == 2
    assert "10x" in result.stderr
    assert "records" not in stub.control()


def test_a_replay_that_is_stopped_goes_on_where_it_was(stub: StubProcess, tmp_path: Path) -> None:
    path = whole_events(tmp_path / "events.ndjson", 3_000)
    words = ["replay", str(path), "--resume", str(tmp_path / "mark"), "--json"]
    run = subprocess.Popen(
        [sys.executable, "-m", "producers", *words, "--rate", "1000"],
        env=os.environ | _environment(stub.url),
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    _wait_for_records(stub, 100)
    run.send_signal(signal.SIGTERM)
    answer, _ = run.communicate(timeout=30)
    summary = json.loads(answer)
    assert run.returncode == 128 + signal.SIGTERM
    assert 0 < summary["last_line"] < 3_000
    assert "interrupted_at" in summary
    code, rest = produced(*words[:-1])
    assert (code, rest["put"]) == (0, 3_000 - summary["last_line"])
    arrived = ids(stub.arrivals())
    assert (len(arrived), arrived.total()) == (3_000, 3_000)


def _wait_for_records(stub: StubProcess, count: int) -> None:
    deadline = time.monotonic() + 30
    while stub.control().get("records", 0) < count:
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_a_replay_that_died_goes_on_from_what_was_delivered_for_sure(
    stub: StubProcess, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = whole_events(tmp_path / "events.ndjson", 1_000)
    mark = tmp_path / "mark"
    monkeypatch.setattr(checkpoint, "EVERY_LINES", 300)
    # An error in the middle stands for any end that nobody could prepare for.
    monkeypatch.setattr(command, "progress", lambda *_: _fail)
    with pytest.raises(RuntimeError):
        produced("replay", str(path), "--resume", str(mark), "--rate", "20000")
    (entry,) = json.loads(mark.read_text())["replays"]
    kept = entry["line"]
    assert 0 < kept < 1_000
    monkeypatch.undo()
    for name, value in _environment(stub.url).items():
        monkeypatch.setenv(name, value)
    code, summary = produced("replay", str(path), "--resume", str(mark))
    assert (code, summary["put"]) == (0, 1_000 - kept)
    assert len(ids(stub.arrivals())) == 1_000


def test_what_is_sent_again_keeps_its_place_in_the_sequence_so_that_nothing_stays_missing(
    stub: StubProcess, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, mark = documents(tmp_path / "views.ndjson", 1_500), tmp_path / "mark"
    monkeypatch.setattr(checkpoint, "EVERY_LINES", 300)
    monkeypatch.setattr(command, "progress", lambda *_: _fail)
    with pytest.raises(RuntimeError) as ended:
        produced("replay", str(path), "--resume", str(mark))
    assert ended.tb is not None and not _is_open(path)  # although the error's frames live on
    (entry,) = json.loads(mark.read_text())["replays"]
    assert 0 < entry["seq"] < 1_500
    monkeypatch.undo()
    for name, value in _environment(stub.url).items():
        monkeypatch.setenv(name, value)
    code, rest = produced("replay", str(path), "--resume", str(mark))
    assert (code, rest["produced"]) == (0, 1_500 - entry["seq"])
    names = places(stub.arrivals())
    assert set(names.values()) == {(rest["epoch"], seq) for seq in range(1, 1_501)}
    assert len(names) == 1_500


def test_a_resume_file_of_a_version_that_kept_no_sequence_is_gone_on_with(
    stub: StubProcess, tmp_path: Path
) -> None:
    path, mark = documents(tmp_path / "views.ndjson", 20), tmp_path / "mark"
    produced("replay", str(path), "--resume", str(mark))
    (entry,) = json.loads(mark.read_text())["replays"]
    old = {name: entry[name] for name in ("content", "stream", "name")} | {"line": 15}
    mark.write_text(json.dumps({"replays": [old]}))
    code, summary = produced("replay", str(path), "--resume", str(mark))
    assert (code, summary["put"], summary["produced"]) == (0, 5, 5)
    assert summary["epoch"] != entry["epoch"]


def _fail(_: object) -> None:
    raise RuntimeError("the end")


def _is_open(path: Path) -> bool:
    found = set()
    for file in Path("/dev/fd").iterdir():
        with suppress(OSError):  # the listing's own is closed by now
            found.add(os.fstat(int(file.name))[:3])
    return path.stat()[:3] in found


def test_a_signal_in_the_first_file_begins_no_second(stub: StubProcess, tmp_path: Path) -> None:
    paths = [whole_events(tmp_path / "one.ndjson", 2_000), whole_events(tmp_path / "two.ndjson", 10)]
    run = subprocess.Popen(
        [sys.executable, "-m", "producers", "replay", *map(str, paths), "--json", "--rate", "500"],
        env=os.environ | _environment(stub.url),
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    _wait_for_records(stub, 10)
    run.send_signal(signal.SIGINT)
    answer, _ = run.communicate(timeout=30)
    (line,) = answer.splitlines()
    assert run.returncode == 128 + signal.SIGINT
    assert json.loads(line)["accepted"] >= json.loads(line)["delivered"] > 0


def test_a_file_with_unreadable_lines_does_not_keep_the_next_from_being_sent(
    stub: StubProcess, tmp_path: Path
) -> None:
    bad = tmp_path / "bad.ndjson"
    bad.write_bytes(b"{broken\n")
    result = CliRunner().invoke(app, ["replay", str(bad), str(whole_events(tmp_path / "good", 10)), "--json"])
    assert result.exit_code == Exit.BAD_EVENTS
    assert len(result.stdout.splitlines()) == 2
    assert len(ids(stub.arrivals())) == 11


def test_a_signal_ends_a_replay_that_waits_for_a_stream_that_is_down(
    stub: StubProcess, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, mark = whole_events(tmp_path / "one.ndjson", 600), tmp_path / "mark"
    stub.control(is_down=True)
    monkeypatch.setattr(command, "INTERRUPTED_CLOSE_SECONDS", 0.1)
    monkeypatch.setattr(checkpoint, "EVERY_LINES", 1)

    def stop_it() -> None:
        deadline = time.monotonic() + 60
        while not stub.control().get("requests_while_down") and time.monotonic() < deadline:
            time.sleep(0.01)
        os.kill(os.getpid(), signal.SIGTERM)

    stopper = threading.Thread(target=stop_it)
    stopper.start()
    code, summary = produced("replay", str(path), "--resume", str(mark))
    stopper.join()
    assert (code, summary["pending"]) == (143, 500)
    assert json.loads(mark.read_text())["replays"][0]["line"] == 0


def test_listing_a_spool_only_reads(stub: StubProcess, tmp_path: Path) -> None:
    del stub
    with pytest.raises(SpoolError, match="not a spool folder"):
        produced("spool", "list", str(tmp_path))
    assert [path.name for path in tmp_path.iterdir() if path.name != "dump"] == []
    spool = Spool(tmp_path / "spool")
    spool.append(b"x", "key", None, unread=True)
    before = {path: path.read_bytes() for path in spool.folder.iterdir()}
    code, listed = produced("spool", "list", str(spool.folder))
    assert (code, listed[str(spool.folder)]["events"]) == (0, 1)
    assert {path: path.read_bytes() for path in spool.folder.iterdir()} == before
    spool.close()
