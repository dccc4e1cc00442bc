"""The frozen corpus: what Trino answered, and what the local endpoint answers or refuses by name.

Wrong is: another value or type, or an answer where Trino has an error. Nothing may be wrong.
"""

from collections.abc import Iterator, Sequence

import pytest

from infra.local.athena.sandbox import Sandbox
from tests.golden.athena import trino_generated
from tests.golden.athena.corpus import (
    Golden,
    expressions,
    generated_golden_queries,
    golden_expressions,
    golden_queries,
    queries,
)
from tests.golden.athena.ours import answer, sandbox_in
from tests.golden.athena.wire import same_type, same_value


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    made = sandbox_in(tmp_path_factory.mktemp("corpus"))
    yield made
    made.close()


def verdict(sandbox: Sandbox, golden: Golden) -> str:
    """`equal`, `refused`, or what is wrong."""
    ours = answer(sandbox, golden.full)
    if golden.error:
        return "equal" if ours.error else f"answers {ours.rows} where Trino says {golden.error}"
    if ours.error:
        return "refused" if ours.error.startswith("NOT_SUPPORTED") else f"fails with {ours.error}"
    names = all(b in ("", a) for (a, _), (b, _) in zip(ours.columns, golden.columns, strict=True))
    types = all(same_type(a, b) for (_, a), (_, b) in zip(ours.columns, golden.columns, strict=True))
    if names and types and same_value(ours.rows, golden.rows):
        return "equal"
    return f"{ours.columns} {ours.rows} where Trino says {golden.columns} {golden.rows}"


@pytest.mark.parametrize(("kind", "least"), [("expressions", 400), ("queries", 150)])
def test_nothing_is_silently_wrong_and_little_is_refused(sandbox: Sandbox, kind: str, least: int) -> None:
    corpus: Sequence[Golden] = golden_expressions() if kind == "expressions" else golden_queries()
    verdicts = {golden.sql: verdict(sandbox, golden) for golden in corpus}
    assert {sql: v for sql, v in verdicts.items() if v not in ("equal", "refused")} == {}
    equal = sum(v == "equal" for v in verdicts.values())
    assert len(corpus) >= least
    assert equal / len(corpus) >= 0.95, [sql for sql, v in verdicts.items() if v == "refused"]


def test_expressions_by_chance_are_right_or_refused(sandbox: Sandbox) -> None:
    verdicts = {
        golden.sql: trino_generated.verdict(sandbox, golden)
        for golden in golden_expressions("generated.jsonl")
    }
    assert {sql: found for sql, found in verdicts.items() if found.startswith("wrong")} == {}
    assert sum(found.startswith("unclear") for found in verdicts.values()) <= len(verdicts) / 100
    assert len(verdicts) >= 400


def test_queries_by_chance_are_right_or_refused(sandbox: Sandbox) -> None:
    verdicts = {golden.sql: trino_generated.verdict(sandbox, golden) for golden in generated_golden_queries()}
    assert {sql: found for sql, found in verdicts.items() if ":" in found} == {}
    assert len(verdicts) >= 100


def test_every_text_of_the_corpus_has_a_frozen_answer() -> None:
    assert [sql for _, sql in expressions()] == [golden.sql for golden in golden_expressions()]
    assert [query.sql for query in queries()] == [golden.sql for golden in golden_queries()]
