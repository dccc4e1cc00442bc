"""Sandboxes from one execution to the next: what is forgotten, and which are not used again."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from infra.local.athena import sandbox_pool
from infra.local.athena.errors import QueryError
from infra.local.athena.sandbox import Sandbox
from infra.local.athena.sandbox_pool import SandboxPool


@pytest.fixture
def pool(tmp_path: Path) -> Iterator[SandboxPool]:
    made = SandboxPool(tmp_path, threads=1, memory="200MB", kept=1)
    yield made
    made.close()


def test_the_next_execution_finds_nothing_of_the_one_before(pool: SandboxPool) -> None:
    with pool.lent() as first:
        (first.folder / "rows.csv").write_text("a\n1\n")
        first.create_view("scan_1", f"SELECT a FROM read_csv('{first.folder}/rows.csv')")
        assert first.run("SELECT a FROM scan_1").fetchall() == [(1,)]
        old = first.folder
    pool.settle()
    assert not old.exists()
    with pool.lent() as second:
        assert second is first, "it was made anew: nothing was shown"
        assert second.folder != old
        assert list(second.folder.iterdir()) == []
        with pytest.raises(QueryError, match="scan_1 does not exist"):
            second.run("SELECT a FROM scan_1")
        with pytest.raises(QueryError, match="Cannot access file"):
            second.run(f"SELECT * FROM read_csv('{Path(__file__).parent}/*.py')")


def test_a_sandbox_whose_execution_failed_is_not_used_again(pool: SandboxPool) -> None:
    with pytest.raises(QueryError), pool.lent() as failed:
        failed.run("SELECT 1 FROM nowhere")
    pool.settle()
    with pool.lent() as next_one:
        assert next_one is not failed
        assert next_one.run("SELECT 1").fetchall() == [(1,)]


def test_two_executions_at_a_time_have_one_each_and_so_many_are_kept(pool: SandboxPool) -> None:
    with pool.lent() as first, pool.lent() as second:
        assert first is not second
        assert first.folder != second.folder
    pool.settle()
    with pool.lent() as third, pool.lent() as fourth:
        assert len({id(each) for each in (first, second)} & {id(each) for each in (third, fourth)}) == 1


def test_after_many_executions_a_sandbox_is_replaced(
    pool: SandboxPool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sandbox_pool, "MOST_USES", 3)
    served: list[Sandbox] = []
    for _ in range(4):
        with pool.lent() as sandbox:
            served.append(sandbox)
        pool.settle()
    assert served[0] is served[1] is served[2]
    assert served[3] is not served[0]


def test_a_sandbox_is_replaced_after_a_long_execution(
    pool: SandboxPool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sandbox_pool, "LONG_SECONDS", 0.0)
    with pool.lent() as first:
        pass
    pool.settle()
    assert not first.folder.exists()
    with pool.lent() as second:
        assert second is not first


def test_a_sandbox_that_cannot_be_cleared_is_replaced(
    pool: SandboxPool, caplog: pytest.LogCaptureFixture
) -> None:
    with pool.lent() as broken:
        broken.folder.rmdir()
    pool.settle()
    assert "could not be cleared" in caplog.text
    with pool.lent() as next_one:
        assert next_one is not broken
        assert next_one.run("SELECT 1").fetchall() == [(1,)]
