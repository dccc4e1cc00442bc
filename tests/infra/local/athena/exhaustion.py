"""Statements that are made to exhaust memory, time, stack or disk."""

from dataclasses import dataclass
from typing import Literal

from tests.infra.local.athena.conftest import RESULTS

Kind = Literal["memory", "time", "stack", "disk"]


@dataclass(frozen=True)
class Statement:
    """`kind` is what it is after. One that is after time ends by being cancelled."""

    name: str
    kind: Kind
    sql: str


def _numbers(name: str, count: int) -> str:
    return f"UNNEST(sequence(1, {count})) AS {name}(n)"


def _nested(head: str, middle: str, tail: str, depth: int) -> str:
    return head * depth + middle + tail * depth


_MANY = f"{_numbers('a', 10_000)} CROSS JOIN {_numbers('b', 10_000)} CROSS JOIN {_numbers('z', 9)}"
_ENDLESS = f"{_MANY} CROSS JOIN {_numbers('c', 10_000)}"
_HOPELESS = f"'{'a' * 60}!'"
_WIDE = "lpad('x', 1000, CAST(a.n * b.n AS varchar))"

_MEMORY = {
    "an array of a billion": "SELECT cardinality(sequence(1, 1000000000))",
    "two billion copies": "SELECT cardinality(repeat('x', 2000000000))",
    "a text of two billion": "SELECT length(lpad('x', 2000000000, 'y'))",
    "an array of nearly a billion rows": f"SELECT cardinality(array_agg(a.n + b.n)) FROM {_MANY}",
    "a map of nearly a billion rows": f"SELECT cardinality(map_agg(a.n * 100000 + b.n, b.n)) FROM {_MANY}",
    "a list as text": f"SELECT length(listagg(CAST(a.n * b.n AS varchar), ',') WITHIN GROUP (ORDER BY a.n)) FROM {_MANY}",
    "doubled thirty times by the compiler": f"SELECT {_nested('array_distinct(', 'ARRAY[1]', ')', 30)}",
    "tripled twenty-five times by the compiler": f"SELECT {_nested('array_union(', 'ARRAY[1]', ', ARRAY[2])', 25)}",
    "every combination": "SELECT cardinality(combinations(sequence(1, 60), 30))",
    "arrays of arrays": "SELECT cardinality(flatten(transform(sequence(1, 10000), x -> sequence(1, 10000))))",
    "a text that doubles": "WITH RECURSIVE t(s, n) AS (SELECT 'x', 1 UNION ALL SELECT s || s, n + 1 FROM t WHERE n < 60) SELECT max(length(s)) FROM t",
    "a replacement for every letter": "SELECT length(regexp_replace(lpad('x', 100000, 'y'), '.', lpad('z', 100000, 'z')))",
    "a split of a long text": "SELECT cardinality(split(lpad('x', 1000000000, 'xy'), 'y'))",
    "a window over everything": f"SELECT max(s) FROM (SELECT sum(a.n) OVER (PARTITION BY b.n % 2 ORDER BY a.n * b.n) AS s FROM {_MANY})",
    "distinct values of everything": f"SELECT count(DISTINCT {_WIDE}) FROM {_MANY}",
}
_TIME = {
    "a cross join of three": f"SELECT sum(a.n * b.n * c.n) FROM {_ENDLESS}",
    "a pattern that backtracks": f"SELECT regexp_like({_HOPELESS}, '^(a+)+$')",
    "an extraction that backtracks": f"SELECT regexp_extract_all({_HOPELESS}, '^(a|aa)+$')",
    "a replacement that backtracks": f"SELECT regexp_replace({_HOPELESS}, '^(([a-z])+.)+[A-Z]([a-z])+$', '')",
    "a recursion without an end": "WITH RECURSIVE t(n) AS (SELECT 1 UNION ALL SELECT (n + 1) % 1000000007 FROM t) SELECT count(*) FROM t",
    "a fold over many": f"SELECT sum(reduce(sequence(1, 1000), BIGINT '0', (s, x) -> s + x, s -> s)) FROM {_MANY}",
    "the distance of long texts": f"SELECT sum(levenshtein_distance(lpad('a', 30000, 'bc'), lpad('d', 30000, CAST(a.n AS varchar)))) FROM {_MANY}",
    "a position far away": "SELECT strpos(lpad('x', 100000000, 'ab'), 'ab', 100000000)",
    "digests without an end": f"SELECT max(sha256(to_utf8(lpad('x', 100000, CAST(c.n AS varchar))))) FROM {_ENDLESS}",
    "lambdas in lambdas": "SELECT cardinality(transform(sequence(1, 10000), a -> cardinality(transform(sequence(1, 10000), b -> cardinality(filter(sequence(1, 10000), c -> c % 7 = a % 7))))))",
}
_STACK = {
    "parentheses": f"SELECT {_nested('(', '1', ')', 20_000)}",
    "a long sum": f"SELECT {' + '.join(['1'] * 20_000)}",
    "negations": f"SELECT {'NOT ' * 20_000}true",
    "minus signs": f"SELECT {'- ' * 20_000}1",
    "queries in queries": f"{_nested('SELECT * FROM (', 'SELECT 1', ')', 3_000)}",
    "arrays in arrays": f"SELECT {_nested('ARRAY[', '1', ']', 3_000)}",
    "cases in cases": f"SELECT {_nested('CASE WHEN true THEN ', '1', ' ELSE 2 END', 3_000)}",
    "a long union": " UNION ALL ".join(["SELECT 1"] * 10_000),
    "many alternatives": f"SELECT 1 WHERE {' OR '.join(f'{n} = 0' for n in range(15_000))}",
    "a deep type": f"SELECT CAST(NULL AS {_nested('array(', 'integer', ')', 3_000)})",
    "deep JSON": f"SELECT json_format(json_parse('{_nested('[', '1', ']', 50_000)}'))",
    "calls in calls": f"SELECT {_nested('lower(', _HOPELESS, ')', 3_000)}",
}
_DISK = {
    "a sort of everything": f"SELECT a.n, {_WIDE} AS w FROM {_MANY} ORDER BY w, a.n OFFSET 800000000 LIMIT 1",
    "a result of everything": f"SELECT a.n, b.n AS m, {_WIDE} AS w FROM {_MANY}",
    "an unload of everything": f"UNLOAD (SELECT a.n, sha256(to_utf8(CAST(a.n * b.n AS varchar))) AS h FROM {_MANY}) TO 's3://{RESULTS}/huge-unload/' WITH (format = 'PARQUET')",
    "a table of everything": f"CREATE TABLE huge WITH (format = 'PARQUET', external_location = 's3://{RESULTS}/huge-table/') AS SELECT a.n, sha512(to_utf8(CAST(a.n * b.n AS varchar))) AS h FROM {_MANY}",
}

_GROUPS: dict[Kind, dict[str, str]] = {"memory": _MEMORY, "time": _TIME, "stack": _STACK, "disk": _DISK}
STATEMENTS = tuple(
    Statement(name, kind, sql) for kind, group in _GROUPS.items() for name, sql in group.items()
)
