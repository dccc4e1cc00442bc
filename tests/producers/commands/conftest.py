"""A stub of Kinesis that `penstock produce` sends to."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmarks.stub_process import StubProcess
from tests.producers.commands.running import SHARDS, _environment


@pytest.fixture
def stub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[StubProcess]:
    with StubProcess(SHARDS, dump=tmp_path / "dump") as stub:
        for name, value in _environment(stub.url).items():
            monkeypatch.setenv(name, value)
        yield stub
