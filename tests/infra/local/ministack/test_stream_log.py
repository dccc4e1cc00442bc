"""Records that were acknowledged are in the log, are read as they came, and outlive their process."""

import base64
import os
import subprocess
import sys
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from random import Random
from typing import Any

import pytest

from infra.local.ministack.fast_json import FastBase64
from infra.local.ministack.kept_records import Keeper, KeptRecord, restore, take_over, without_records
from infra.local.ministack.stream_log import Head, Stored, StreamLog

SCOPE = ("000000000000", "us-east-1")


def _stream() -> dict[str, Any]:
    shard = {"records": [], "starting_sequence_number": ""}
    return {"StreamName": "events", "shards": {"shard-0": shard, "shard-1": {**shard, "records": []}}}


class _Emulator:
    """Appends as MiniStack does, in turn on both shards."""

    def __init__(self, folder: Path, *, plain_bytes: int = 0) -> None:
        self.stream, self.log = _stream(), StreamLog(folder)
        self.keeper = Keeper(self.log, plain_bytes)
        self._put = self.keeper.keeping(self._append, lambda _: (SCOPE, self.stream), lambda error: error)
        self.count = 0

    def put(self, *data: str) -> Any:
        return self._put({"Records": [{"Data": each} for each in data]})

    def records(self) -> list[dict[str, Any]]:
        found = [record for shard in self.stream["shards"].values() for record in shard["records"]]
        return sorted(found, key=lambda record: str(record["SequenceNumber"]))

    def _append(self, request: dict[str, Any]) -> str:
        for record in request["Records"]:
            self.count += 1
            made = {
                "SequenceNumber": f"{self.count:09d}",
                "PartitionKey": "k",
                "ApproximateArrivalTimestamp": 5.0,
            }
            shard = self.stream["shards"][f"shard-{self.count % 2}"]
            shard["records"].append({**made, "Data": record["Data"]})
        return "put"


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode()


def _given(records: Sequence[dict[str, Any]]) -> list[bytes]:
    return [
        base64.b64decode(FastBase64().b64encode(r["Data"]) if type(r["Data"]) is not str else r["Data"])
        for r in records
    ]


def _restored(folder: Path) -> tuple[list[dict[str, Any]], StreamLog]:
    stream, log = _stream(), StreamLog(folder)
    restore(log, lambda *_: stream)
    found = [record for shard in stream["shards"].values() for record in shard["records"]]
    return sorted(found, key=lambda record: str(record["SequenceNumber"])), log


def test_records_of_every_size_are_read_from_the_log_as_they_came(tmp_path: Path) -> None:
    data = [b"", b"x", os.urandom(3000), b'{"event_type":"page_viewed"}' * 400, os.urandom(90_000)]
    emulator = _Emulator(tmp_path)
    assert emulator.put(*map(_text, data)) == "put"
    assert {type(record["Data"]) for record in emulator.records()} == {Stored}
    assert _given(emulator.records()) == data
    again, _ = _restored(tmp_path)
    assert _given(again) == data
    assert [{**record, "Data": 0} for record in again] == [{**r, "Data": 0} for r in emulator.records()]


def test_a_record_in_the_log_takes_few_bytes_of_memory(tmp_path: Path) -> None:
    emulator = _Emulator(tmp_path)
    emulator.put(_text(os.urandom(90_000)))
    assert sys.getsizeof(emulator.records()[0]["Data"]) < 80


def test_the_newest_records_stay_in_memory_until_newer_ones_come(tmp_path: Path) -> None:
    emulator = _Emulator(tmp_path, plain_bytes=25_000)
    for number in range(5):
        emulator.put(*[_text(bytes([number]) * 9000)] * 2)
        stored = [type(record["Data"]) is Stored for record in emulator.records()]
        assert stored == [True] * (2 * number) + [False] * 2
    assert [data[0] for data in _given(emulator.records())] == sorted([*range(5)] * 2)


def test_what_is_not_base64_is_encoded_as_the_emulator_encodes_it(tmp_path: Path) -> None:
    emulator = _Emulator(tmp_path)
    emulator.put("no base64!", "*" * 9000)
    assert _given(emulator.records()) == [b"no base64!", b"*" * 9000]


def test_a_record_is_in_the_log_before_it_is_acknowledged(tmp_path: Path) -> None:
    script = (
        "import os, signal, sys\n"
        "from pathlib import Path\n"
        "from infra.local.ministack.stream_log import Head, StreamLog\n"
        "log = StreamLog(Path(sys.argv[1]))\n"
        "for n in range(1000):\n"
        "    log.append([(Head('a', 'r', 's', 'shard', f'{n:09d}', 'k', 1.0, True), b'QQ==')])\n"
        "    print(n, flush=True)\n"
        "    if n == 700: os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    done = subprocess.run([sys.executable, "-c", script, str(tmp_path)], capture_output=True, check=False)
    acknowledged = [int(line) for line in done.stdout.split()]
    assert acknowledged[-1] == 700
    assert [int(head.sequence) for head, _ in StreamLog(tmp_path).restore()] == acknowledged


@pytest.mark.parametrize("seed", range(20))
def test_damage_takes_the_records_that_it_hits_and_no_other(tmp_path: Path, seed: int) -> None:
    random, log = Random(seed), StreamLog(tmp_path)
    ends = [0]
    for number in range(40):
        data = base64.b64encode(random.randbytes(random.randrange(200)))
        log.append([(Head(*SCOPE, "events", "shard-0", f"{number:09d}", "k", 1.0, True), data)])
        (file,) = tmp_path.glob("*.records")
        ends.append(file.stat().st_size)
    text, at = bytearray(file.read_bytes()), random.randrange(ends[-1])
    text[at] ^= 1 << random.randrange(8)
    cut = random.randrange(at, ends[-1])
    file.write_bytes(text[:cut])
    whole = [n for n, (begin, end) in enumerate(pairwise(ends)) if end <= cut and not begin <= at < end]
    damaged = StreamLog(tmp_path)
    assert [int(head.sequence) for head, _ in damaged.restore()] == whole
    assert damaged.unreadable_bytes == cut - sum(ends[n + 1] - ends[n] for n in whole)


def test_a_full_disk_refuses_the_records_and_the_next_ones_are_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    emulator = _Emulator(tmp_path)
    emulator.put(_text(b"before"))
    write, full = os.pwrite, [True]

    def pwrite(file: int, data: Any, offset: int) -> int:
        if full[0]:
            write(file, data[:20], offset)
            raise OSError(28, "No space left on device")
        return write(file, data, offset)

    monkeypatch.setattr(os, "pwrite", pwrite)
    refused = emulator.put(_text(b"one"), _text(b"two"), _text(b"three"))
    assert isinstance(refused, OSError)
    assert _given(emulator.records()) == [b"before"]
    full[0] = False
    assert emulator.put(_text(b"after")) == "put"
    again, log = _restored(tmp_path)
    assert _given(again) == _given(emulator.records()) == [b"before", b"after"]
    assert log.unreadable_bytes == 0


def test_expired_files_are_deleted_and_younger_ones_stay(tmp_path: Path) -> None:
    log = StreamLog(tmp_path, segment_bytes=1)
    for at in (1.0, 2.0, 3.0):
        log.append([(Head(*SCOPE, "events", "shard-0", str(at), "k", at, True), b"QQ==")])
    log.expire(2.5)
    assert [head.arrived for head, _ in StreamLog(tmp_path).restore()] == [3.0]
    log.clear()
    log.append([(Head(*SCOPE, "events", "shard-0", "4", "k", 4.0, True), b"QQ==")])
    assert [head.arrived for head, _ in StreamLog(tmp_path).restore()] == [4.0]


def test_records_of_a_stream_that_was_made_anew_are_not_those_of_its_namesake(tmp_path: Path) -> None:
    emulator = _Emulator(tmp_path)
    emulator.put(*[_text(b"old")] * 4)
    stream = _stream()
    for shard in stream["shards"].values():
        shard["starting_sequence_number"] = f"{2:09d}"
    assert restore(StreamLog(tmp_path), lambda *_: stream) == 2
    assert restore(StreamLog(tmp_path), lambda *_: None) == 0


def test_a_state_file_has_no_records_and_the_stream_keeps_them(tmp_path: Path) -> None:
    emulator = _Emulator(tmp_path)
    emulator.put(_text(b"one"), _text(b"two"))
    ((_, written),) = without_records([("key", emulator.stream)])
    assert [shard["records"] for shard in written["shards"].values()] == [[], []]
    assert len(emulator.records()) == 2


def test_records_that_an_earlier_state_file_holds_move_into_the_log(tmp_path: Path) -> None:
    import zstandard

    large = b"large enough to be kept packed, " * 300
    emulator, at = _Emulator(tmp_path), {"ApproximateArrivalTimestamp": 5.0, "PartitionKey": "k"}
    packed = {"penstock_packed": _text(zstandard.compress(large))}
    emulator.stream["shards"]["shard-0"]["records"] += [
        {**at, "SequenceNumber": "1", "Data": packed},
        {**at, "SequenceNumber": "2", "Data": _text(b"small")},
    ]
    take_over(emulator.keeper, SCOPE, emulator.stream)
    take_over(emulator.keeper, SCOPE, emulator.stream)
    assert _given(emulator.records()) == _given(_restored(tmp_path)[0]) == [large, b"small"]


def test_a_record_whose_data_is_in_the_log_is_small_and_reads_like_the_one_that_came(tmp_path: Path) -> None:
    emulator = _Emulator(tmp_path)
    emulator.put(_text(b"one"), _text(b"two"), _text(b"three"))
    records: list[Any] = emulator.records()
    for number, record in enumerate(records, 1):
        assert type(record) is KeptRecord
        assert record["SequenceNumber"] == f"{number:09d}"
        assert record["ApproximateArrivalTimestamp"] == 5.0
        assert record["PartitionKey"] == "k"
        assert sys.getsizeof(record) < 100
    with pytest.raises(KeyError):
        emulator.records()[0]["EncryptionType"]
    assert (
        KeptRecord.of("1", 0.0, "\u00e4 \U0001f600", emulator.records()[0]["Data"])["PartitionKey"]
        == "\u00e4 \U0001f600"
    )


def test_a_record_that_expired_before_it_was_made_small_stays_away(tmp_path: Path) -> None:
    emulator = _Emulator(tmp_path, plain_bytes=10)
    emulator.put(_text(b"one"))
    for shard in emulator.stream["shards"].values():
        shard["records"].clear()
    emulator.put(_text(b"two two two"), _text(b"three three"))
    assert [record["SequenceNumber"] for record in emulator.records()] == ["000000002", "000000003"]
    assert _given(emulator.records()) == [b"two two two", b"three three"]
