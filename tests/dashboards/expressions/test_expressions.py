"""The expression language: what it means, function by function, and what is refused."""

from datetime import datetime
from typing import Any

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dashboards.expressions.duckdb_sql import sql
from dashboards.expressions.functions import FUNCTIONS, REFUSED, WINDOWS
from dashboards.expressions.parse import parse, write
from dashboards.expressions.tree import (
    Binary,
    Call,
    ExpressionError,
    Field,
    Listing,
    Node,
    Number,
    Parameter,
    Term,
    Text,
    Unary,
)
from dashboards.expressions.typing import Names, UnsupportedError, typed

NAMES = Names({"n": "number", "m": "number", "s": "text", "t": "time", "b": "boolean", "g": "text"},
              {"double": parse("{n} * 2"), "total": parse("sum({n})"), "share": parse("{total} / sum({m})")}, {"P": "text", "Many": "text"})  # fmt: skip
ROWS = """(VALUES
    (1, 10, 'Alpha', TIMESTAMP '2026-11-24 10:17:05.250', true, 'x'),
    (2, 20, 'beta', TIMESTAMP '2026-11-25 11:00:00', false, 'x'),
    (4, NULL, NULL, TIMESTAMP '2026-12-01 00:00:00', NULL, 'y')) AS rows (n, m, s, t, b, g)"""
NOW = datetime(2026, 11, 25, 10, 17)

# One row at a time: expression over the first row, and what it is there.
GOLDEN: list[tuple[str, Any]] = [
    ("abs(-{n})", 1), ("ceil(1.2)", 2), ("floor(1.8)", 1), ("round(2.5)", 3), ("round(2.345, 2)", 2.35), ("sqrt(9)", 3),
    ("sqrt(-9)", None), ("exp(0)", 1), ("ln(1)", 0), ("log(1000)", 3), ("ln(0)", None), ("mod(7, 3)", 1), ("7 % 0", None),
    ("1 / 0", None), ("7 / 2", 3.5), ("-2^2", -4), ("2 ^ 3 ^ 2", 512), ("1 + 2 * 3", 7), ("decimalToInt(2.9)", 2),
    ("decimalToInt(-2.9)", -2), ("intToDecimal(2)", 2.0), ("concat({s}, '-', 'z')", "Alpha-z"), ("contains({s}, 'lph')", True),
    ("contains({s}, 'LPH')", False), ("contains({s}, 'LPH', CASE_INSENSITIVE)", True), ("startsWith({s}, 'Al')", True),
    ("endsWith({s}, 'ha')", True), ("left({s}, 2)", "Al"), ("right({s}, 2)", "ha"), ("locate({s}, 'p')", 3),
    ("locate({s}, 'z')", 0), ("locate('abab', 'b', 3)", 4), ("ltrim('  a')", "a"), ("rtrim('a  ')", "a"), ("trim(' a ')", "a"),
    ("replace({s}, 'Al', 'El')", "Elpha"), ("split('a|b|c', '|', 2)", "b"), ("split('a', '|', 2)", None), ("strlen({s})", 5),
    ("substring({s}, 2, 3)", "lph"), ("toLower({s})", "alpha"), ("toUpper({s})", "ALPHA"), ("toString({n})", "1"),
    ("parseInt('42')", 42), ("parseInt('4.9')", 4), ("parseInt('x')", None), ("parseDecimal('4.5')", 4.5),
    ("ifelse({n} = 1, 'a', {n} = 2, 'b', 'c')", "a"), ("switch({s}, 'Alpha', 1, 'beta', 2, 0)", 1), ("coalesce(NULL, {s})", "Alpha"),
    ("nullIf({n}, 1)", None), ("isNull({s})", False), ("isNotNull({s})", True), ("not({b})", False), ("not {b} or {n} = 1", True),
    ("in({s}, ['Alpha', 'Omega'])", True), ("notIn({s}, ['Alpha'])", False), ("{s} in ['Alpha']", True), ("{n} <> 1", False),
    ("addDateTime(1, 'DD', {t})", datetime(2026, 11, 25, 10, 17, 5, 250000)), ("addDateTime(-1, 'MM', {t})", datetime(2026, 10, 24, 10, 17, 5, 250000)),
    ("truncDate('DD', {t})", datetime(2026, 11, 24)), ("truncDate('HH', {t})", datetime(2026, 11, 24, 10)),
    ("truncDate('WK', {t})", datetime(2026, 11, 22)), ("truncDate('MM', {t})", datetime(2026, 11, 1)), ("truncDate('Q', {t})", datetime(2026, 10, 1)),
    ("truncDate('YYYY', {t})", datetime(2026, 1, 1)), ("dateDiff({t}, addDateTime(3, 'DD', {t}))", 3), ("dateDiff({t}, addDateTime(90, 'MI', {t}), 'HH')", 1),
    ("extract('HH', {t})", 10), ("extract('WD', {t})", 3), ("extract('MS', {t})", 250), ("extract('YYYY', {t})", 2026),
    ("formatDate({t}, 'yyyy-MM-dd HH:mm')", "2026-11-24 10:17"), ("parseDate('24.11.2026', 'dd.MM.yyyy')", datetime(2026, 11, 24)),
    ("parseDate('nonsense', 'dd.MM.yyyy')", None), ("epochDate(0)", datetime(1970, 1, 1)), ("now()", NOW), ("{double} + 1", 3), ("${P}", "p"),
    ("in('b', ${Many})", True), ("“Alpha” = {s}", True), ("1 /* one */ + 1 // two", 2), ("'it\\'s'", "it's"),
]  # fmt: skip

# Over all rows at once.
AGGREGATES: list[tuple[str, Any]] = [
    ("sum({n})", 7), ("avg({n})", 7 / 3), ("min({n})", 1), ("max({s})", "beta"), ("count({m})", 2), ("distinct_count({g})", 2),
    ("median({n})", 2), ("stdev({n})", 1.5275252316519468), ("stdevp({n})", 1.247219128924647), ("var({n})", 7 / 3), ("varp({n})", 14 / 9),
    ("percentile({n}, 50)", 2), ("percentileDisc({n}, 100)", 4), ("percentileCont({n}, 50)", 2), ("sumIf({n}, {g} = 'x')", 3),
    ("avgIf({n}, {g} = 'x')", 1.5), ("countIf({n}, {n} > 1)", 2), ("minIf({n}, {n} > 1)", 2), ("maxIf({n}, {n} < 4)", 2),
    ("distinct_countIf({s}, {n} < 3)", 2), ("medianIf({n}, {n} > 1)", 3), ("{share}", 7 / 30), ("sum({n}) / sum({m}) * 100", 700 / 30),
    ("sum({double})", 14), ("sum(ifelse({g} = 'x', {n}, 0))", 3),
]  # fmt: skip

# Per group of `g` (x: 3, y: 4), in order of g.
OVER: list[tuple[str, list[Any]]] = [
    ("sumOver(sum({n}), [])", [7, 7]), ("sumOver(sum({n}), [{g}])", [3, 4]), ("avgOver(sum({n}), [])", [3.5, 3.5]),
    ("maxOver(sum({n}), [])", [4, 4]), ("minOver(sum({n}), [])", [3, 3]), ("countOver(sum({n}), [])", [2, 2]),
    ("runningSum(sum({n}), [{g} ASC])", [3, 7]), ("percentOfTotal(sum({n}))", [3 / 7, 4 / 7]), ("rank([sum({n}) DESC])", [2, 1]),
    ("denseRank([sum({n}) ASC])", [1, 2]), ("lag(sum({n}), [{g} ASC], 1)", [None, 3]), ("lead(sum({n}), [{g} ASC], 1)", [4, None]),
    ("difference(sum({n}), [{g} ASC], -1)", [None, 1]), ("percentDifference(sum({n}), [{g} ASC], -1)", [None, 1 / 3]),
    ("firstValue(sum({n}), [{g} ASC])", [3, 3]), ("lastValue(sum({n}), [{g} ASC])", [4, 4]),
]  # fmt: skip


def run(text: str, rest: str = "") -> list[tuple[Any, ...]]:
    translated = sql(parse(text), NAMES)
    bound = {"p_P": "p", "p_Many": ["a", "b"], "now": NOW}
    used = {name: value for name, value in bound.items() if f"${name}" in translated}
    with duckdb.connect(":memory:") as connection:
        return connection.execute(f"SELECT {translated} AS v FROM {ROWS} {rest}", used or None).fetchall()


def equal(found: Any, wanted: Any) -> bool:
    if isinstance(wanted, (int, float)) and not isinstance(wanted, bool):
        return found is not None and float(found) == pytest.approx(wanted, abs=1e-9)
    return bool(found == wanted)


@pytest.mark.parametrize(("text", "wanted"), GOLDEN, ids=[text for text, _ in GOLDEN])
def test_a_row_function_gives_what_its_documentation_says(text: str, wanted: Any) -> None:
    found = run(text)[0][0]
    assert equal(found, wanted), found


@pytest.mark.parametrize(("text", "wanted"), AGGREGATES, ids=[text for text, _ in AGGREGATES])
def test_an_aggregate_gives_what_its_documentation_says(text: str, wanted: Any) -> None:
    found = run(text)[0][0]
    assert equal(found, wanted), found


@pytest.mark.parametrize(("text", "wanted"), OVER, ids=[text for text, _ in OVER])
def test_a_window_after_aggregation_gives_what_its_documentation_says(text: str, wanted: list[Any]) -> None:
    found = [row[0] for row in run(text, "GROUP BY g ORDER BY g")]
    assert all(equal(one, other) for one, other in zip(found, wanted, strict=True)), found


def test_sixty_functions_and_more_stand_in_the_golden_table() -> None:
    texts = " ".join(text for text, _ in (*GOLDEN, *AGGREGATES, *OVER)).lower()
    tried = {name for name in (*FUNCTIONS, *WINDOWS) if f"{name}(" in texts}
    assert len(tried) >= 60


@pytest.mark.parametrize("text", [
    "sum(sum({n}))", "sum({n}) + {n}", "{n} + {s}", "{n} = {s}", "nothing({n})", "sum()", "left({s})", "{gone}", "${Gone}", "sum({n}",
    "'open", "{open", "1 2", ")", "", "ifelse({s}, 1, 2)", "ifelse({b}, 1, 'a')", "extract('XX', {t})", "formatDate({t}, 'qq')",
    "[1, 2]", "sumOver({n}, [])", "rank({n})", "1,", "a ? b",
])  # fmt: skip
def test_what_is_wrong_is_refused_with_its_place(text: str) -> None:
    with pytest.raises(ExpressionError) as caught:
        run(text)
    assert 0 <= caught.value.position <= len(text)
    assert caught.value.message.endswith((".", "?", "]).", ")."))


@pytest.mark.parametrize("text", [
    "sumOver({n}, [{g}], PRE_AGG)", "sum({n}, [{g}])", "distinctCountOver({n}, [])", "periodOverPeriodDifference(sum({n}), {t})", "windowSum(sum({n}), [{g}], 1, 1)",
])  # fmt: skip
def test_what_only_quicksight_can_do_is_refused_by_name(text: str) -> None:
    with pytest.raises(UnsupportedError, match="not supported by the preview"):
        run(text)


def test_a_field_made_from_itself_is_refused() -> None:
    names = Names({"n": "number"}, {"a": parse("{b} + 1"), "b": parse("{a} + 1")}, {})
    with pytest.raises(ExpressionError, match="made from itself"):
        typed(Field("a"), names)


def test_no_function_is_both_supported_and_refused() -> None:
    assert not REFUSED & ({*FUNCTIONS} | {*WINDOWS})


_NAMES = st.text("abcxyz_ 0", min_size=1, max_size=6).map(str.strip).filter(bool)
_LEAVES = st.one_of(
    st.integers(0, 10**6).map(lambda n: Number(str(n))),
    st.text(max_size=8).map(Text),
    _NAMES.map(Field),
    _NAMES.map(Parameter),
)


def _grown(inner: st.SearchStrategy[Node]) -> st.SearchStrategy[Node]:
    return st.one_of(
        st.tuples(st.sampled_from(["+", "-", "*", "/", "%", "^", "=", "!=", "<", ">=", "and", "or"]), inner, inner).map(lambda t: Binary(*t)),
        st.tuples(st.sampled_from(["-", "+", "not"]), inner).map(lambda t: Unary(*t)),
        st.tuples(st.sampled_from(["sum", "ifelse", "concat", "in"]), st.lists(inner, min_size=1, max_size=3)).map(lambda t: Call(t[0], tuple(t[1]))),
        st.lists(st.tuples(inner, st.sampled_from(["", "ASC", "DESC"])), max_size=3).map(
            lambda ts: Call("rank", (Listing(tuple(Term(v, o) for v, o in ts)),))),
    )  # fmt: skip


@settings(max_examples=150, deadline=None)
@given(st.recursive(_LEAVES, _grown, max_leaves=12))
def test_what_is_written_reads_back_to_the_same_tree(node: Node) -> None:
    assert parse(write(node)) == _plain(node)


def _plain(node: Node) -> Node:
    """`not (x)` reads as a call: the language has both an operator and a function of that name."""
    match node:
        case Unary(operator="not", operand=operand):
            inner = _plain(operand)
            return Call("not", (inner,)) if write(inner).startswith("(") else Unary("not", inner)
        case Unary(operator=operator, operand=operand):
            return Unary(operator, _plain(operand))
        case Binary(operator=operator, left=left, right=right):
            return Binary(operator, _plain(left), _plain(right))
        case Call(name=name, arguments=arguments):
            return Call(name, tuple(_plain(argument) for argument in arguments))
        case Listing(terms=terms):
            return Listing(tuple(Term(_plain(term.value), term.order) for term in terms))
        case _:
            return node


@settings(max_examples=300, deadline=None)
@given(st.text(max_size=40))
def test_any_text_is_read_or_refused_and_never_breaks_the_reader(text: str) -> None:
    try:
        parse(text)
    except ExpressionError as error:
        assert 0 <= error.position <= len(text)
