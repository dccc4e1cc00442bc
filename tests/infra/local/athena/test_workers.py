"""Executions in processes of their own: whatever one does to its process, the others do not notice."""

import os
import signal
from multiprocessing import Pipe
from pathlib import Path

import pytest

from infra.local.athena import workers
from infra.local.athena.workers import Worker
from tests.infra.local.athena.conftest import Endpoint, wait_for
from tests.infra.local.athena.exhaustion import STATEMENTS, Statement
from tests.infra.local.athena.test_executions import SLOW, start

PROBE = "SELECT count(*) FROM web_events WHERE event_hour = '2026-11-24-10'"
EXHAUSTED = (
    "Query exhausted resources at this scale factor",
    "SYNTAX_ERROR: line 1:1: statement is too large",
    "INVALID_FUNCTION_ARGUMENT: result of sequence function must not have more than 10000 entries",
    "INVALID_FUNCTION_ARGUMENT: count argument of repeat function must be between 0 and 10000",
)
QUICK = (
    "an array of a billion", "two billion copies", "a text of two billion", "doubled thirty times by the compiler",
    "a text that doubles", "parentheses", "a long sum", "queries in queries", "arrays in arrays", "a deep type",
    "calls in calls",
)  # fmt: skip


def taken(endpoint: Endpoint, monkeypatch: pytest.MonkeyPatch) -> list[Worker]:
    """Every worker that an execution is lent from now on."""
    lent: list[Worker] = []
    take = workers.Workers._take

    def noted(pool: workers.Workers) -> Worker:
        lent.append(take(pool))
        return lent[-1]

    monkeypatch.setattr(workers.Workers, "_take", noted)
    return lent


@pytest.mark.parametrize("attack", [s for s in STATEMENTS if s.name in QUICK], ids=lambda s: s.name)
def test_a_statement_that_exhausts_its_process_fails_alone(endpoint: Endpoint, attack: Statement) -> None:
    identifier = start(endpoint, attack.sql)
    assert endpoint.rows(PROBE) == [("100",)]
    status = endpoint.wait(identifier, 120)["Status"]
    assert status["State"] == "FAILED"
    assert status["StateChangeReason"].startswith(EXHAUSTED)
    assert endpoint.rows(PROBE) == [("100",)]


@pytest.mark.parametrize(
    "name", ["a pattern that backtracks", "lambdas in lambdas", "a recursion without an end"]
)
def test_whatever_an_execution_does_it_can_be_stopped(endpoint: Endpoint, name: str) -> None:
    (attack,) = (s for s in STATEMENTS if s.name == name)
    identifier = start(endpoint, attack.sql)
    athena = endpoint.client("athena")

    def state() -> str:
        found = athena.get_query_execution(QueryExecutionId=identifier)["QueryExecution"]
        return str(found["Status"]["State"])

    wait_for(lambda: state() == "RUNNING")
    athena.stop_query_execution(QueryExecutionId=identifier)
    assert endpoint.wait(identifier, 20)["Status"]["State"] == "CANCELLED"


def test_the_process_of_a_stopped_execution_is_gone_and_its_folder_too(
    endpoint: Endpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    lent = taken(endpoint, monkeypatch)
    identifier = start(endpoint, SLOW)
    wait_for(lambda: lent)
    endpoint.client("athena").stop_query_execution(QueryExecutionId=identifier)
    assert endpoint.wait(identifier)["Status"]["State"] == "CANCELLED"
    wait_for(lambda: _is_gone(lent[0].process) and not lent[0].folder.exists())


def _is_gone(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return True
    return False


def test_a_worker_that_is_killed_takes_its_execution_with_it_and_no_other(
    endpoint: Endpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    lent = taken(endpoint, monkeypatch)
    identifier = start(endpoint, SLOW)
    wait_for(lambda: lent)
    os.kill(lent[0].process, signal.SIGKILL)
    assert endpoint.wait(identifier)["Status"]["StateChangeReason"] == EXHAUSTED[0]
    assert endpoint.rows(PROBE) == [("100",)]


def test_a_worker_that_dies_while_it_waits_is_not_lent(
    endpoint: Endpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    endpoint.rows(PROBE)
    endpoint.service._workers.settle()
    for idle in endpoint.service._workers._idle:
        os.kill(idle.process, signal.SIGKILL)
        assert idle.connection.poll(10)
    assert endpoint.rows(PROBE) == [("100",)]


def test_the_folder_of_a_worker_that_died_while_it_waited_is_removed(endpoint: Endpoint) -> None:
    endpoint.rows(PROBE)
    endpoint.service._workers.settle()
    idle = list(endpoint.service._workers._idle)
    for each in idle:
        os.kill(each.process, signal.SIGKILL)
        assert each.connection.poll(10)
    endpoint.rows(PROBE)
    endpoint.service._workers.settle()
    assert idle
    assert [each.folder for each in idle if each.folder.exists()] == []


def test_a_killed_worker_is_waited_for_though_nobody_read_its_answer(tmp_path: Path) -> None:
    ours, theirs = Pipe()
    theirs.send_bytes(b"an answer")
    theirs.close()
    Worker(0, ours, tmp_path).await_death()
    with pytest.raises(EOFError):
        ours.recv_bytes()


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT x FROM UNNEST(sequence(1, 200000)) AS t(x)",
        "SELECT 10 / (200000 - x) FROM UNNEST(sequence(1, 200000)) AS t(x)",
        "SELECT no_such_column FROM web_events",
    ],
    ids=["it succeeds", "it fails among its rows", "it fails at once"],
)
def test_an_execution_that_has_ended_leaves_no_file_in_its_workers_folder(
    endpoint: Endpoint, monkeypatch: pytest.MonkeyPatch, sql: str
) -> None:
    lent = taken(endpoint, monkeypatch)
    endpoint.run(sql)
    wait_for(lambda: not any(files for _, _, files in os.walk(lent[-1].folder)))


def test_when_the_nursery_is_killed_the_next_execution_has_another(endpoint: Endpoint) -> None:
    endpoint.rows(PROBE)
    nursery = endpoint.service._workers._nursery
    assert nursery is not None
    nursery[0].kill()
    nursery[0].wait()
    for idle in endpoint.service._workers._idle:
        assert idle.connection.poll(10), "it outlived the process that it was forked from"
    assert endpoint.rows(PROBE) == [("100",)]


def test_a_worker_serves_one_execution_after_another_and_keeps_nothing_of_the_one_before(
    endpoint: Endpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    lent = taken(endpoint, monkeypatch)
    for _ in range(6):
        endpoint.rows(PROBE)
        wait_for(lambda: not any(files for _, _, files in os.walk(lent[-1].folder)))
    assert len({worker.process for worker in lent}) < 6


def test_after_many_executions_a_worker_is_replaced(
    endpoint: Endpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(workers, "MOST_USES", 1)
    lent = taken(endpoint, monkeypatch)
    for _ in range(3):
        endpoint.rows(PROBE)
        endpoint.service._workers.settle()
    assert len({worker.process for worker in lent[1:]}) == 2


def test_an_execution_that_takes_long_gives_its_place_to_others(endpoint: Endpoint) -> None:
    slow = [start(endpoint, SLOW) for _ in range(workers_at_a_time())]
    try:
        assert endpoint.rows(PROBE) == [("100",)]
    finally:
        for identifier in slow:
            endpoint.client("athena").stop_query_execution(QueryExecutionId=identifier)
    assert {endpoint.wait(identifier)["Status"]["State"] for identifier in slow} == {"CANCELLED"}


def workers_at_a_time() -> int:
    from infra.local.athena.service import WORKERS

    return WORKERS


def test_an_execution_ends_when_athenas_time_is_up(
    endpoint: Endpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(workers, "QUERY_SECONDS", workers.LONG_SECONDS + 0.1)
    assert endpoint.failure(SLOW) == "Query timeout"


def test_workers_can_allocate_so_much_and_no_more(endpoint: Endpoint) -> None:
    endpoint.rows(PROBE)
    endpoint.service._workers.settle()
    idle = endpoint.service._workers._idle[0]
    limits = Path(f"/proc/{idle.process}/limits")
    if not limits.exists():
        pytest.skip("this system shows no limits of processes")
    assert "Max data size             2500000000" in limits.read_text()
