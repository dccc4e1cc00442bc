"""What may not be read is named with the policy that allows it, and the rest is there all the same."""

from datetime import UTC, datetime
from typing import Any

import pytest
from botocore.exceptions import ClientError

from infra.accounting.evidence import Places
from infra.receipts.surroundings import TargetSurroundings
from queries.engine.port import QueryFailedError, Rows
from queries.receipts.around import RunName
from tests.shop import TABLE, TABLES
from tests.transforms.failed.memory_bucket import MemoryObjects

SPAN = (datetime(2026, 3, 1, 10, tzinfo=UTC), datetime(2026, 3, 1, 11, tzinfo=UTC))
RUN = RunName("till", 7)


def denied(code: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": "no"}}, "Ask")


class Refusing:
    """Answers every request with this error."""

    def __init__(self, code: str) -> None:
        self._code = code

    def get_paginator(self, name: str) -> Any:
        raise denied(self._code)

    def names(self, prefix: str) -> Any:
        raise denied(self._code)


class Lake:
    """Its first object is of this hour."""

    def list_objects_v2(self, **_: Any) -> Any:
        return {"Contents": [{"Key": f"{TABLE.name}/event_hour=2026-03-01-08/a.parquet"}]}


class Engine:
    """A lake in which the run has the numbers 1 to 3 and 5, and an audit of 5."""

    def rows(self, sql: str, parameters: Any = ()) -> Rows:
        numbers, audit = ("till", 7, "0-0:46", 4, 1.0, None, None), ("till", 7, "", 0, None, "till", 5)
        return Rows([], [], [numbers, audit], 10, 0.1)


def surroundings(failed: Any, logs: Any, engine: Any = None) -> TargetSurroundings:
    places = Places(engine or Engine(), Lake(), logs, "lake", ["transform"], [TABLE.name])
    return TargetSurroundings(
        places, failed, list(TABLES.values()), {TABLE.stream.name: "transform"}, lambda: 5.0
    )


def test_what_an_analyst_may_not_read_is_named_and_sequences_are_there_all_the_same() -> None:
    found = surroundings(Refusing("AccessDenied"), Refusing("AccessDeniedException")).look(
        [TABLE], SPAN, lambda: [RUN]
    )
    assert sorted(found.unknown) == [
        f"{what}: your role may not read them. The policy penstock-reconciler allows it"
        for what in ("dropped events", "failed records")
    ]
    told = found.sequences[RUN]
    assert (told.known, told.is_audited, told.landed, told.missing) == (5, True, 4, "4")
    assert (found.statements_run, found.bytes_scanned, found.delivered_until) == (1, 10, 5000)


def test_another_error_is_not_taken_for_a_missing_right() -> None:
    with pytest.raises(ClientError):
        surroundings(Refusing("SlowDown"), Refusing("AccessDenied")).look([TABLE], SPAN, lambda: [RUN])


def test_a_statement_that_fails_is_not_hidden() -> None:
    class Broken(Engine):
        def rows(self, sql: str, parameters: Any = ()) -> Rows:
            raise QueryFailedError("HIVE_BAD_DATA: no object is named")

    with pytest.raises(QueryFailedError):
        surroundings(MemoryObjects(), Refusing("AccessDenied"), Broken()).look([TABLE], SPAN, lambda: [RUN])


def test_an_hour_whose_object_is_gone_is_named_and_its_numbers_are_not_said_to_be_lost() -> None:
    gone = f"{TABLE.name}/event_hour=2026-03-01-09"

    class Expired(Engine):
        def rows(self, sql: str, parameters: Any = ()) -> Rows:
            if "BETWEEN" not in sql:
                raise QueryFailedError(f"HIVE_CANNOT_OPEN_SPLIT: s3://lake/{gone}/a.parquet does not exist")
            return super().rows(sql, parameters)

    found = surroundings(MemoryObjects(), Refusing("AccessDenied"), Expired()).look(
        [TABLE], SPAN, lambda: [RUN]
    )
    assert [*found.unreadable] == [gone]
    assert "does not exist" in found.unreadable[gone]
    assert found.sequences[RUN].missing == "4"


def test_nothing_is_asked_of_athena_without_producers() -> None:
    found = surroundings(MemoryObjects(), Refusing("AccessDenied")).look([TABLE], SPAN, tuple)
    assert (found.statements_run, found.refused, found.sequences) == (0, (), {})
