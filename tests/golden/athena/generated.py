"""Expressions by chance: typed, of every function that the endpoint answers, with awkward values."""

from collections.abc import Sequence
from random import Random

from infra.local.athena.sql.functions.catalog import FUNCTIONS
from infra.local.athena.sql.functions.registry import Overload, Pattern

LITERALS: dict[str, Sequence[str]] = {
    "boolean": ("true", "false", "CAST(NULL AS boolean)"),
    "tinyint": ("TINYINT '1'", "TINYINT '-128'", "TINYINT '127'"),
    "smallint": ("SMALLINT '300'", "SMALLINT '-32768'"),
    "integer": ("0", "1", "-1", "7", "2147483647", "-2147483648", "1_000", "0x1F", "CAST(NULL AS integer)"),
    "bigint": ("BIGINT '3'", "9223372036854775807", "-5000000000", "BIGINT '0'", "CAST(NULL AS bigint)"),
    "real": ("REAL '1.1'", "REAL '-0.5'", "REAL '3.4e38'", "REAL 'NaN'", "REAL '16777217'"),
    "double": ("1e0", "-2.5e0", "0e0", "1.5e300", "1e-7", "123456789.125e0", "nan()", "infinity()", "-infinity()"),
    "decimal": ("1.25", "-0.005", "99999.99", "12345678901234567890.1234", "0.0", "CAST(NULL AS decimal(5,2))"),
    "varchar": ("'abc'", "''", "' a B '", "'ä€😀'", "'12'", "'1.5'", "'2024-02-29'", "'a,b,,c'", "'%_x'", "CAST(NULL AS varchar)"),
    "char": ("CAST('ab' AS char(4))", "CAST('' AS char(2))", "CHAR 'xyz'"),
    "varbinary": ("X'61ff'", "X''", "to_utf8('aä')"),
    "json": ("JSON '{\"a\": [1, 2.5, null], \"b\": {\"c\": \"x\"}}'", "JSON '[1, \"2\"]'", "JSON 'null'", "JSON '1.0'"),
    "date": ("DATE '2024-02-29'", "DATE '1969-12-31'", "DATE '2023-01-31'", "DATE '2500-01-01'", "CAST(NULL AS date)"),
    "time": ("TIME '01:02:03.456'", "TIME '23:59:59.999'"),
    "timestamp": ("TIMESTAMP '2024-03-31 23:59:59.999'", "TIMESTAMP '1969-12-31 23:00:00.001'", "TIMESTAMP '2024-02-29 12:34:56.123456'",
                  "TIMESTAMP '2024-01-01 00:00:00'"),
    "timestamp with time zone": ("TIMESTAMP '2024-03-31 01:30:00.500 UTC'", "TIMESTAMP '2024-10-27 01:30:00.000 Europe/Berlin'",
                                 "TIMESTAMP '2024-06-01 12:00:00.123456 +05:30'"),
    "interval day to second": ("INTERVAL '1' DAY", "INTERVAL '-2' HOUR", "INTERVAL '1.567' SECOND", "INTERVAL '3 04:05:06.789' DAY TO SECOND"),
    "interval year to month": ("INTERVAL '1' MONTH", "INTERVAL '-2' YEAR", "INTERVAL '1-2' YEAR TO MONTH"),
}  # fmt: skip
ELEMENTS = ("integer", "double", "varchar", "date", "decimal", "boolean")
UNITS = (
    "'day'",
    "'hour'",
    "'month'",
    "'week'",
    "'year'",
    "'quarter'",
    "'millisecond'",
    "'minute'",
    "'second'",
)
FORMATS = ("'%Y-%m-%d'", "'%H:%i:%s.%f'", "'%Y%m%d'", "'%y %b %e %W %j %p'", "'%T %k %l %M %c %a'")
JODA = ("'yyyy-MM-dd HH:mm:ss.SSS'", "'YYYY ww e E EEEE MMM'", "'hh a D d'")
PATHS = ("'$.a'", "'$.a[1]'", "'$.b.c'", "'$'", "'$.z'", "'$[\"a\"][0]'")
REGEXES = ("'a+'", "'(?i)AB'", "'(\\w)(\\w)?'", "','", "'^$'", "'[^a-c]'", "'(x)|b'")
ZONES = ("'UTC'", "'America/New_York'", "'+05:30'")
WORDS = {
    ("date_trunc", 0): UNITS, ("date_add", 0): UNITS, ("date_diff", 0): UNITS, ("date_format", 1): FORMATS,
    ("date_parse", 1): FORMATS, ("format_datetime", 1): JODA, ("parse_datetime", 1): JODA,
    ("at_timezone", 1): ZONES, ("with_timezone", 1): ZONES, ("from_unixtime", 1): ZONES,
    ("json_extract", 1): PATHS, ("json_extract_scalar", 1): PATHS, ("json_size", 1): PATHS,
    ("regexp_like", 1): REGEXES, ("regexp_replace", 1): REGEXES, ("regexp_extract", 1): REGEXES,
    ("regexp_extract_all", 1): REGEXES, ("regexp_split", 1): REGEXES, ("regexp_count", 1): REGEXES,
    ("regexp_position", 1): REGEXES, ("regexp_replace", 2): ("'x'", "'$1'", "''", "'[$0]'"),
    ("normalize", 1): ("NFC", "NFD", "NFKC"),
    ("approx_percentile", 1): ("0.5",), ("split", 2): ("1", "2", "5"), ("repeat", 1): ("0", "2", "3"),
    ("lpad", 1): ("0", "2", "6"), ("rpad", 1): ("0", "2", "6"), ("round", 1): ("0", "2", "-1"),
    ("truncate", 1): ("0", "1"), ("power", 1): ("2e0", "0.5e0", "-1e0"), ("pow", 1): ("2e0", "-1e0"),
    ("sequence", 0): ("1", "-2"), ("sequence", 1): ("5", "9"), ("sequence", 2): ("2", "3"),
    ("from_base", 1): ("2", "10", "16"), ("to_base", 1): ("2", "10", "36"),
    ("bit_count", 1): ("8", "32", "64"), ("combinations", 1): ("1", "2"), ("ngrams", 1): ("1", "2"),
}  # fmt: skip
SKIPPED = frozenset({
    "rand", "random", "uuid", "now", "current_timestamp", "version", "current_date", "localtimestamp", "shuffle",
    "fail",
})  # fmt: skip
"""Nobody knows their answers beforehand."""
COMPARED = (
    "integer",
    "double",
    "varchar",
    "decimal",
    "date",
    "timestamp",
    "boolean",
    "bigint",
    "real",
    "char",
)
CASTS = ("varchar", "varchar(4)", "integer", "bigint", "smallint", "double", "real", "decimal(6,2)", "boolean", "date",
         "timestamp", "timestamp(6)", "json", "char(3)", "timestamp with time zone", "varbinary", "time")  # fmt: skip


def overloads() -> list[Overload]:
    """The functions that may be asked, each signature once."""
    return [
        each
        for name, listed in sorted(FUNCTIONS.overloads.items())
        if name not in SKIPPED
        for each in listed
        if each.kind == "scalar" and not any(_has_lambda(p) for p in each.arguments)
    ]


def _has_lambda(pattern: Pattern) -> bool:
    return pattern.name == "function" or any(map(_has_lambda, pattern.of))


class Maker:
    """Makes expressions from one source of chance."""

    def __init__(self, random: Random) -> None:
        self._random, self._overloads = random, overloads()

    def expression(self) -> str:
        """One more."""
        kind = self._random.random()
        if kind < 0.6:
            return self._call(self._random.choice(self._overloads), 2)
        if kind < 0.75:
            return f"{self._random.choice(('CAST', 'CAST', 'TRY_CAST'))}({self._any(1)} AS {self._random.choice(CASTS)})"
        return self._operation(2)

    def _any(self, depth: int) -> str:
        return self.value(self._random.choice(list(LITERALS)), depth)

    def value(self, of: str, depth: int) -> str:
        """Something of the type, which is a literal unless `depth` is left."""
        chance = self._random
        if depth > 0 and chance.random() < 0.35:
            fitting = [each for each in self._overloads if _name(each.result) == of]
            if fitting:
                return self._call(chance.choice(fitting), depth - 1)
        return chance.choice(LITERALS[of])

    def _call(self, function: Overload, depth: int) -> str:
        patterns = list(function.arguments)
        if function.variadic:
            patterns += patterns[-1:] * self._random.randrange(3)
        types: dict[str, str] = {}
        listed = [
            self._random.choice(words)
            if (words := WORDS.get((function.name, place))) and pattern.name not in ("array", "map")
            else self._argument(pattern, types, depth)
            for place, pattern in enumerate(patterns)
        ]
        return f"{function.name}({', '.join(listed)})"

    def _argument(self, pattern: Pattern, types: dict[str, str], depth: int) -> str:
        chance = self._random
        if pattern.is_variable:
            return self.value(types.setdefault(pattern.name, chance.choice(ELEMENTS)), depth)
        if pattern.name == "array":
            items = [self._argument(pattern.of[0], types, 0) for _ in range(chance.randrange(1, 4))]
            return f"ARRAY[{', '.join([*items, 'NULL'] if chance.random() < 0.2 else items)}]"
        if pattern.name == "map":
            keys, values = (self._argument(inner, types, 0) for inner in pattern.of)
            return f"MAP(ARRAY[{keys}], ARRAY[{values}])"
        if pattern.name == "row":
            return f"ROW({self._any(0)}, {self._any(0)})"
        if pattern.name == "any":
            return self._any(depth)
        return self.value(_name(pattern), depth)

    def _operation(self, depth: int) -> str:
        chance = self._random
        form = chance.randrange(6)
        if form == 0:
            left, right = self._any(1), self._any(1)
            return f"{left} {chance.choice(('+', '-', '*', '/', '%', '||'))} {right}"
        of = chance.choice(COMPARED)
        left, right = self.value(of, depth), self.value(of, depth)
        if form == 1:
            return f"{left} {chance.choice(('=', '<>', '<', '<=', '>', '>=', 'IS DISTINCT FROM'))} {right}"
        if form == 2:
            return f"{left} {chance.choice(('IN', 'NOT IN'))} ({right}, {self.value(of, 0)})"
        if form == 3:
            return f"{chance.choice(('coalesce', 'nullif', 'greatest', 'least'))}({left}, {right})"
        if form == 4:
            return f"CASE WHEN {self.value('boolean', 1)} THEN {left} ELSE {right} END"
        number = chance.choice(("integer", "double", "decimal", "real", "bigint"))
        return f"{self.value(number, depth)} {chance.choice('+-*/%')} {self.value(chance.choice(('integer', 'double', 'decimal')), depth)}"


def _name(pattern: Pattern) -> str:
    return pattern.exact.name if pattern.exact is not None else pattern.name


def expressions(seed: int, count: int) -> list[str]:
    """The same for the same seed."""
    maker = Maker(Random(seed))
    return [maker.expression() for _ in range(count)]
