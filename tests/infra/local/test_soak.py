"""What the long run says of its samples; the run itself is `make soak`."""

import os
from collections.abc import Mapping
from pathlib import Path

import msgspec
import pytest

from benchmarks.soak import Sample, judge, look, read, sizes, text
from infra.local.cloud import LocalCloud
from infra.local.paths import LocalPaths


def _samples(
    an_event: float,
    server: float = 0.0,
    folders: Mapping[str, float] = {},
) -> list[Sample]:
    """Ten minutes of a thousand events a second, with growth in bytes a second."""
    made = []
    for at in range(0, 600, 10):
        memory = {"ministack": int(1e8 + an_event * 1000 * at), "server": int(2e8 + server * at)}
        made.append(Sample(at, 1000 * at, memory, {name: int(by * at) for name, by in folders.items()}))
    return made


def test_a_steady_run_is_within_its_bounds() -> None:
    found = judge(_samples(60.0, folders={"stream": 1e5, "s3/penstock-lake-0": 1e6, "ledger": 1e4}))
    assert found.faults == ()
    assert found.bytes_an_event == pytest.approx(60, rel=0.01)
    assert "within its bounds" in text(found)


def test_what_grows_is_named() -> None:
    found = judge(_samples(100.0, server=1e5, folders={"state/athena-results": 1e5}))
    emulator, server, folder = found.faults
    assert "100 bytes an event" in emulator
    assert server.startswith("server went from 2")
    assert "state/athena-results" in folder


def test_samples_of_a_run_that_was_cut_off_are_read_again(tmp_path: Path) -> None:
    file, given = tmp_path / "samples", _samples(1.0)
    file.write_bytes(b"\n".join(map(msgspec.json.encode, given)) + b'\n{"at": 1')
    assert read(file) == given
    with pytest.raises(ValueError, match="run for longer"):
        judge(given[:5])


@pytest.mark.cloud
def test_a_look_sees_every_process_and_folder_of_a_local_cloud(local_cloud: LocalCloud) -> None:
    paths = local_cloud.context.paths
    sample = look(paths.root.parent, os.getpid(), 1.0, 0)
    assert {"ministack", "server"} <= sample.memory.keys()
    assert min(sample.memory.values()) > 1_000_000
    assert {"ledger", "state/snapshots", "run"} <= sizes(LocalPaths.of(paths.root.parent)).keys()


def test_what_follows_the_lake_is_measured_against_its_limit() -> None:
    assert judge(_samples(60.0, folders={"cache/athena": 5e5, "scratch/athena": 5e5})).faults == ()
    (fault,) = judge(_samples(60.0, folders={"cache/athena": 2e6})).faults
    assert fault.startswith("The folder cache/athena has ")
    samples = [
        msgspec.structs.replace(each, memory={**each.memory, "server: queries": int(1e6 * each.at)})
        for each in _samples(60.0)
    ]
    assert judge(samples).faults == ()
    large = [
        msgspec.structs.replace(each, memory={**each.memory, "server: queries": int(3e9)}) for each in samples
    ]
    assert judge(large).faults == ("server: queries took 3000 MB; 2500 are allowed.",)


def test_a_file_of_several_names_counts_once(tmp_path: Path) -> None:
    paths = LocalPaths.of(tmp_path)
    for folder in ("cache/athena", "scratch/athena/1"):
        (paths.root / folder).mkdir(parents=True)
    (paths.root / "cache/athena/object").write_bytes(b"x" * 10)
    (paths.root / "scratch/athena/1/link").hardlink_to(paths.root / "cache/athena/object")
    (paths.root / "scratch/athena/1/own").write_bytes(b"x" * 3)
    assert sizes(paths) == {"cache/athena": 10, "scratch/athena": 3}
