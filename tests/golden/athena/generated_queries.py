"""Queries by chance: joins, groups, windows, sets, subqueries and lambdas over two tables that hold awkward values.

Each ends with an order over all of its columns, so that two engines can be compared row by row; the doubles are sums of
powers of two, so that the order of additions cannot be seen. Some have a mistake, which both must refuse.
"""

from collections.abc import Sequence
from random import Random

PRELUDE = """
WITH t (i, b, d, n, s, day, ts, f, a) AS (
    VALUES
        (1, BIGINT '10', 0.5e0, DECIMAL '1.25', 'x', DATE '2024-02-29', TIMESTAMP '2024-02-29 23:59:59.999', true, ARRAY[1, 2]),
        (2, BIGINT '-3', -2.25e0, DECIMAL '-0.50', 'y', DATE '2024-03-01', TIMESTAMP '2024-03-31 01:30:00.000', false, ARRAY[3]),
        (2, NULL, 4e0, DECIMAL '10.00', 'X', DATE '2023-12-31', TIMESTAMP '1969-12-31 23:00:00.001', NULL, ARRAY[]),
        (NULL, BIGINT '7', NULL, DECIMAL '99.99', '', NULL, TIMESTAMP '2024-10-27 02:30:00.500', true, NULL),
        (5, BIGINT '7', 0e0, NULL, NULL, DATE '2024-02-29', NULL, false, ARRAY[2, NULL, 2]),
        (-7, BIGINT '0', 1024e0, DECIMAL '1.25', 'zz', DATE '1999-01-01', TIMESTAMP '2024-02-29 00:00:00.000', true, ARRAY[9, 8, 7]),
        (5, BIGINT '7', 0e0, NULL, NULL, DATE '2024-02-29', NULL, false, ARRAY[2, NULL, 2])
),
u (i, s, w, k) AS (
    VALUES (1, 'x', 0.5e0, 'one'), (2, 'y', -1e0, NULL), (2, 'x', 8e0, 'two'), (NULL, 'n', 2e0, 'none'), (9, NULL, NULL, 'nine')
)
""".strip()
T = {"i": "integer", "b": "bigint", "d": "double", "n": "decimal", "s": "varchar", "day": "date", "ts": "timestamp",
     "f": "boolean", "a": "array"}  # fmt: skip
U = {"i": "integer", "s": "varchar", "w": "double", "k": "varchar"}
LITERALS: dict[str, Sequence[str]] = {
    "integer": ("0", "2", "-7", "5"), "bigint": ("BIGINT '7'", "5000000000"), "double": ("0.5e0", "-2.25e0", "4e0"),
    "decimal": ("1.25", "0.5", "DECIMAL '10.00'"), "varchar": ("'x'", "''", "'Z'", "'%y'"), "boolean": ("true", "NULL"),
    "date": ("DATE '2024-02-29'", "DATE '2024-03-01'"), "timestamp": ("TIMESTAMP '2024-02-29 00:00:00.000'",),
    "array": ("ARRAY[2, 1]", "ARRAY[NULL]"),
}  # fmt: skip
SCALARS: dict[str, Sequence[str]] = {
    "integer": ("length({varchar})", "year({date})", "cardinality({array}) * 1", "{integer} + {integer}", "abs({integer})", "CAST({decimal} AS integer)",
                "CASE WHEN {boolean} THEN {integer} ELSE {integer} END", "coalesce({integer}, {integer})", "nullif({integer}, {integer})", "element_at({array}, 1)"),
    "bigint": ("{bigint} - {integer}", "{bigint} % 3", "date_diff('day', {date}, {date})", "CAST({integer} AS bigint)", "reduce({array}, BIGINT '0', (x, y) -> x + y, x -> x)"),
    "double": ("{double} * 2", "{double} + {integer}", "greatest({double}, {double})", "CAST({decimal} AS double)", "if({boolean}, {double}, {double})"),
    "decimal": ("{decimal} + {decimal}", "{decimal} * 2", "-{decimal}", "round({decimal}, 1)", "{decimal} / 4"),
    "varchar": ("{varchar} || {varchar}", "upper({varchar})", "CAST({integer} AS varchar)", "substr({varchar}, 1, 1)", "CAST({date} AS varchar)",
                "date_format({timestamp}, '%Y-%m')", "coalesce({varchar}, 'none')", "CAST({decimal} AS varchar)", "array_join({array}, '-', '?')", "replace({varchar}, 'x', 'q')"),
    "boolean": ("{integer} > {integer}", "{double} <= {double}", "{varchar} = {varchar}", "{varchar} LIKE '%x%'", "{integer} BETWEEN -7 AND {integer}",
                "{integer} IN (1, 2, -7)", "{varchar} IS NULL", "NOT {boolean}", "{boolean} AND {boolean}", "{boolean} OR {boolean}", "{decimal} <> {decimal}",
                "{integer} IS DISTINCT FROM {integer}", "contains({array}, 2)", "{day} >= {date}", "any_match({array}, x -> x > 2)", "{bigint} < {decimal}"),
    "date": ("date_add('month', 1, {date})", "CAST({timestamp} AS date)", "{date} + INTERVAL '1' DAY", "date_trunc('month', {date})", "last_day_of_month({date})"),
    "timestamp": ("date_trunc('hour', {timestamp})", "{timestamp} + INTERVAL '90' MINUTE", "CAST({date} AS timestamp)"),
    "array": ("transform({array}, x -> x + 1)", "filter({array}, x -> x IS NOT NULL)", "array_distinct({array})", "{array} || {array}", "slice({array}, 1, 1)"),
}  # fmt: skip
AGGREGATES = (
    "count(*)", "count({any})", "count(DISTINCT {any})", "sum({number})", "avg({number})", "min({ordered})", "max({ordered})", "count_if({boolean})",
    "bool_or({boolean})", "every({boolean})", "array_agg({integer} ORDER BY {integer}, {integer})", "max_by({varchar}, {unique})", "min_by({integer}, {unique})",
    "sum({number}) FILTER (WHERE {boolean})", "count({any}) FILTER (WHERE {boolean})", "sum(DISTINCT {integer})", "approx_distinct({integer})", "max({number}, 2)",
    "stddev({double})", "var_pop({double})", "corr({double}, {double})", "checksum({integer}) IS NULL", "arbitrary({integer}) IS NULL", "listagg({varchar}, ',') WITHIN GROUP (ORDER BY {varchar})",
    "cardinality(histogram({varchar}))", "geometric_mean({double})", "bitwise_or_agg({integer})", "set_agg({boolean}) IS NULL", "skewness({double})",
)  # fmt: skip
WINDOWS = (
    "row_number()", "rank()", "dense_rank()", "percent_rank()", "cume_dist()", "ntile(2)", "count(*)", "sum({number})", "avg({double})", "min({ordered})",
    "lag({integer})", "lead({varchar}, 2, 'end')", "first_value({integer})", "last_value({varchar})", "nth_value({integer}, 2)", "lag({integer}, 1) IGNORE NULLS", "max({ordered})",
)  # fmt: skip
FRAMES = (
    "", "", "", " ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW", " ROWS BETWEEN 1 PRECEDING AND 1 FOLLOWING", " RANGE UNBOUNDED PRECEDING",
    " ROWS BETWEEN CURRENT ROW AND UNBOUNDED FOLLOWING", " GROUPS BETWEEN 1 PRECEDING AND CURRENT ROW", " ROWS 2 PRECEDING",
)  # fmt: skip
MISTAKES = (
    "SELECT i, count(*) FROM t", "SELECT t.zz FROM t", "SELECT i FROM t JOIN u ON t.i = u.i", "SELECT count(*) FROM t WHERE count(*) > 1", "SELECT s + 1 FROM t",
    "SELECT i FROM t WHERE s = i", "SELECT i AS q FROM t WHERE q > 1", "SELECT i FROM t UNION SELECT s FROM t", "SELECT i, s FROM t UNION SELECT i FROM t", "SELECT sum(s) FROM t",
    "SELECT (SELECT i FROM u) FROM t", "SELECT i FROM t GROUP BY s", "SELECT row_number() OVER () AS r FROM t WHERE row_number() OVER () = 1", "SELECT i FROM t HAVING i > 1", "SELECT DISTINCT i FROM t ORDER BY s",
    "SELECT i FROM t ORDER BY 3", "SELECT sum(count(*)) FROM t", "SELECT * FROM t WHERE f = 1", "SELECT i FROM missing", "SELECT i FROM t WHERE day = '2024-02-29'",
    "SELECT i FROM t LIMIT 1 OFFSET 1", "SELECT upper(i) FROM t", "SELECT a.b FROM t", "SELECT i FROM t WHERE i IN (SELECT s FROM u)", "SELECT CASE WHEN f THEN i ELSE s END FROM t",
    "SELECT coalesce(i, s) FROM t", "SELECT i[1] FROM t", "SELECT a[0] FROM t", "SELECT transform(a, x -> y) FROM t", "SELECT t.*, count(*) FROM t GROUP BY i",
)  # fmt: skip


class QueryMaker:
    """Makes queries from one source of chance."""

    def __init__(self, random: Random) -> None:
        self._random = random
        self._forms = (
            self._rows, self._rows, self._groups, self._groups, self._join, self._join, self._window, self._set, self._unnest,
            self._subquery, self._nested, self._mistake,
        )  # fmt: skip

    def query(self) -> str:
        """One more, with its tables in front."""
        return f"{PRELUDE}\n{self._random.choice(self._forms)()}"

    def _value(self, of: str, scope: dict[str, str], depth: int = 2) -> str:
        chance = self._random
        columns = [name for name, known in scope.items() if known == of]
        pick = chance.random()
        if depth > 0 and pick < 0.35:
            return f"({self._filled(chance.choice(SCALARS[of]), scope, depth - 1)})"
        if columns and pick < 0.9:
            return chance.choice(columns)
        return chance.choice(LITERALS[of])

    def _filled(self, pattern: str, scope: dict[str, str], depth: int = 1) -> str:
        """The pattern with a value for each `{type}`."""
        chance = self._random
        groups = {
            "any": ("integer", "varchar", "double", "date", "decimal"),
            "number": ("integer", "double", "decimal", "bigint"),
            "ordered": ("integer", "varchar", "double", "date", "timestamp", "decimal", "bigint"),
            "day": ("date",),
        }
        while "{" in pattern:
            before, _, rest = pattern.partition("{")
            kind, _, after = rest.partition("}")
            if kind == "unique":
                value = "d" if "d" in scope else next(iter(scope))
            else:
                value = self._value(chance.choice(groups.get(kind, (kind,))), scope, depth)
            pattern = f"{before}{value}{after}"
        return pattern

    def _listed(self, scope: dict[str, str], count: int) -> list[str]:
        kinds = ("integer", "varchar", "double", "date", "decimal", "bigint", "timestamp", "boolean", "array")
        found = []
        for _ in range(count):
            kind = self._random.choice(kinds)
            value = self._value(kind, scope)
            found.append(
                f"json_format(CAST({value} AS json))" if kind == "array" else value
            )  # to be ordered by
        return found

    def _ordered(self, width: int) -> str:
        places = list(range(1, width + 1))
        self._random.shuffle(places)
        how = ("", " ASC", " DESC", " NULLS FIRST", " DESC NULLS LAST")
        order = " ORDER BY " + ", ".join(f"{each}{self._random.choice(how)}" for each in places)
        return order + self._random.choice(
            ("", "", "", " LIMIT 3", " OFFSET 2", " OFFSET 1 LIMIT 2", " FETCH FIRST 2 ROWS ONLY")
        )

    def _where(self, scope: dict[str, str]) -> str:
        return f" WHERE {self._value('boolean', scope)}" if self._random.random() < 0.5 else ""

    def _rows(self) -> str:
        listed = self._listed(T, self._random.randrange(1, 4))
        distinct = self._random.choice(("", "", "DISTINCT "))
        return f"SELECT {distinct}{', '.join(listed)} FROM t{self._where(T)}{self._ordered(len(listed))}"

    def _groups(self) -> str:
        chance = self._random
        keys = self._listed({n: k for n, k in T.items() if k != "array"}, chance.randrange(1, 3))
        measures = [self._filled(chance.choice(AGGREGATES), T) for _ in range(chance.randrange(1, 3))]
        listed = ", ".join([*keys, *measures])
        keyed = ", ".join(keys)
        form = chance.choice(("{0}", "{0}", "{1}", "ROLLUP ({0})", "CUBE ({0})", "GROUPING SETS (({0}), ())"))
        places = ", ".join(str(place) for place in range(1, len(keys) + 1))
        having = f" HAVING {self._filled('count(*) > 1 OR {boolean}', {})}" if chance.random() < 0.3 else ""
        end = self._ordered(len(keys) + len(measures))
        return f"SELECT {listed} FROM t{self._where(T)} GROUP BY {form.format(keyed, places)}{having}{end}"

    def _join(self) -> str:
        chance = self._random
        kind = chance.choice(
            ("JOIN", "LEFT JOIN", "RIGHT JOIN", "FULL JOIN", "CROSS JOIN", "INNER JOIN", "LEFT OUTER JOIN")
        )
        scope = {f"t.{n}": k for n, k in T.items()} | {f"u.{n}": k for n, k in U.items()}
        on = (
            ""
            if kind == "CROSS JOIN"
            else f" ON {chance.choice(('t.i = u.i', 't.s = u.s', 't.i = u.i AND t.s = u.s', 't.d < u.w', 't.i = u.i OR u.k IS NULL'))}"
        )
        if on == " ON t.i = u.i" and chance.random() < 0.5:
            on, scope = (
                " USING (i)",
                {n: k for n, k in scope.items() if n not in ("t.i", "u.i")} | {"i": "integer"},
            )
        if chance.random() < 0.4:
            key, measure = chance.choice(list(scope)), self._filled(chance.choice(AGGREGATES[:10]), scope)
            return f"SELECT {key}, {measure} FROM t {kind} u{on} GROUP BY {key}{self._ordered(2)}"
        listed = self._listed(scope, chance.randrange(1, 4))
        return (
            f"SELECT {', '.join(listed)} FROM t {kind} u{on}{self._where(scope)}{self._ordered(len(listed))}"
        )

    def _window(self) -> str:
        chance = self._random
        function = self._filled(chance.choice(WINDOWS), T)
        part = f"PARTITION BY {self._value('varchar', T, 1)} " if chance.random() < 0.5 else ""
        over = f"{part}ORDER BY d, i, b, n, s{chance.choice(('', ' DESC'))}{chance.choice(FRAMES)}"
        return f"SELECT i, s, {function} OVER ({over}) FROM t{self._where(T)}{self._ordered(3)}"

    def _set(self) -> str:
        chance = self._random
        kinds = [
            chance.choice(("integer", "varchar", "double", "date", "decimal"))
            for _ in range(chance.randrange(1, 3))
        ]
        sides = [
            f"SELECT {', '.join(self._value(kind, scope, 1) for kind in kinds)} FROM {table}"
            for table, scope in (("t", T), ("u", U), ("t", T))
        ]
        text = sides[0]
        for side in sides[1 : chance.randrange(2, 4)]:
            text += (
                f" {chance.choice(('UNION', 'UNION ALL', 'INTERSECT', 'EXCEPT', 'UNION DISTINCT'))} {side}"
            )
        return text + self._ordered(len(kinds))

    def _unnest(self) -> str:
        chance = self._random
        array = self._value("array", T)
        ordinal = chance.random() < 0.4
        names = "v (e, o)" if ordinal else "v (e)"
        kind = chance.choice(("CROSS JOIN {0}", ", {0}", "LEFT JOIN {0} ON true"))
        scope = {"i": "integer", "s": "varchar", "e": "integer"} | ({"o": "bigint"} if ordinal else {})
        listed = [chance.choice(list(scope)), self._value("integer", scope), self._value("varchar", scope, 1)]
        from_ = kind.format(f"UNNEST({array}){' WITH ORDINALITY' if ordinal else ''} AS {names}")
        return f"SELECT {', '.join(listed)} FROM t{'' if from_.startswith(',') else ' '}{from_}{self._where(scope)}{self._ordered(3)}"

    def _subquery(self) -> str:
        chance = self._random
        test = chance.choice((
            "i IN (SELECT i FROM u)", "i NOT IN (SELECT i FROM u)", "i NOT IN (SELECT i FROM u WHERE i IS NOT NULL)", "EXISTS (SELECT 1 FROM u WHERE u.i = t.i)",
            "NOT EXISTS (SELECT 1 FROM u WHERE u.s = t.s AND u.w > 0)", "d > (SELECT avg(w) FROM u)", "i = ANY (SELECT i FROM u)", "d >= ALL (SELECT w FROM u WHERE w < 2)",
            "(SELECT count(*) FROM u WHERE u.i = t.i) > 0", "(i, s) IN (SELECT i, s FROM u)", "d < (SELECT max(w) FROM u WHERE u.s = t.s)",
        ))  # fmt: skip
        extra = chance.choice(
            (
                "(SELECT max(w) FROM u)",
                "(SELECT count(*) FROM u WHERE u.i = t.i)",
                "(SELECT min(k) FROM u WHERE u.s = t.s)",
                "i",
            )
        )
        listed = [*self._listed(T, 2), extra]
        return f"SELECT {', '.join(listed)} FROM t WHERE {test}{self._ordered(3)}"

    def _nested(self) -> str:
        chance = self._random
        kinds = [chance.choice(("integer", "varchar", "double", "date", "decimal")) for _ in range(3)]
        inner = ", ".join(f"{self._value(kind, T)} AS c{place}" for place, kind in enumerate(kinds))
        scope = {f"c{place}": kind for place, kind in enumerate(kinds)}
        listed = self._listed(scope, 2)
        if chance.random() < 0.5:
            return f"SELECT {', '.join(listed)} FROM (SELECT {inner} FROM t{self._where(T)}) AS q{self._where(scope)}{self._ordered(2)}"
        measure = self._filled(chance.choice(AGGREGATES[:8]), scope)
        return f"SELECT c0, {measure} FROM (SELECT {inner} FROM t) GROUP BY c0{self._ordered(2)}"

    def _mistake(self) -> str:
        return self._random.choice(MISTAKES)


def generated_queries(seed: int, count: int) -> list[str]:
    """The same for the same seed."""
    maker = QueryMaker(Random(seed))
    return [maker.query() for _ in range(count)]
