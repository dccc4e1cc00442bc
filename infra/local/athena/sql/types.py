"""Trino's types: their spelling, what DuckDB stores them as, and which of two holds both."""

from dataclasses import dataclass, field, replace

from infra.local.athena.sql.tree import Sql, build, join, quoted

INTEGERS = ("tinyint", "smallint", "integer", "bigint")
_DUCK = {
    "unknown": "INTEGER",
    "boolean": "BOOLEAN",
    "tinyint": "TINYINT",
    "smallint": "SMALLINT",
    "integer": "INTEGER",
    "bigint": "BIGINT",
    "real": "FLOAT",
    "double": "DOUBLE",
    "varchar": "VARCHAR",
    "char": "VARCHAR",
    "json": "VARCHAR",
    "varbinary": "BLOB",
    "date": "DATE",
    "time": "TIME",
    "timestamp": "TIMESTAMP",
    "timestamp with time zone": "TIMESTAMPTZ",
    "interval day to second": "INTERVAL",
    "interval year to month": "INTERVAL",
    "uuid": "UUID",
}
_DIGITS = {"tinyint": 3, "smallint": 5, "integer": 10, "bigint": 19}


@dataclass(frozen=True)
class Type:
    """A Trino type.

    Attributes:
        name: `bigint`, `varchar`, `decimal`, `array`, `map`, `row`, ...; `unknown` is NULL's.
        args: length of char and varchar, precision and scale of decimal, precision of times.
        of: element type; key and value type; field types.
        names: field names of a row, "" for a field without one.
        zone: of a timestamp with time zone: the zone that all its values have. (DuckDB keeps the instant only.)
    """

    name: str
    args: tuple[int, ...] = ()
    of: tuple["Type", ...] = ()
    names: tuple[str, ...] = ()
    zone: str = field(default="UTC", compare=False)

    def __str__(self) -> str:
        if self.name in ("array", "map"):
            return f"{self.name}({', '.join(map(str, self.of))})"
        if self.name == "row":
            return f"row({', '.join(f'{n} {t}'.strip() for n, t in zip(self.names, self.of, strict=True))})"
        if self.name == "timestamp with time zone":
            return f"timestamp({self.precision}) with time zone"
        if self.name in ("timestamp", "time"):
            return f"{self.name}({self.precision})"
        return f"{self.name}({','.join(map(str, self.args))})" if self.args else self.name

    @property
    def precision(self) -> int:
        """Digits: of a decimal in all, of a time after the second."""
        return self.args[0] if self.args else 3

    @property
    def scale(self) -> int:
        """Digits of a decimal after the point."""
        return self.args[1] if len(self.args) > 1 else 0

    @property
    def duck(self) -> Sql:
        """DuckDB's type that stores it."""
        if self.name == "decimal":
            return build("DECIMAL({},{})", self.precision, self.scale)
        if self.name == "array":
            return build("{}[]", self.of[0].duck)
        if self.name == "map":
            return build("MAP({},{})", self.of[0].duck, self.of[1].duck)
        if self.name == "row":
            fields = zip(self.stored_names, self.of, strict=True)
            return build("STRUCT({})", join(",", (build("{} {}", quoted(n), t.duck) for n, t in fields)))
        return Sql((_DUCK[self.name],))

    @property
    def stored_names(self) -> tuple[str, ...]:
        """Field names of the DuckDB struct: a field without a name is called by its position."""
        return tuple(name or f"field{i}" for i, name in enumerate(self.names))

    @property
    def is_integer(self) -> bool:
        """tinyint to bigint."""
        return self.name in INTEGERS

    @property
    def is_number(self) -> bool:
        """Integers, decimal, real and double."""
        return self.is_integer or self.name in ("decimal", "real", "double")

    @property
    def is_text(self) -> bool:
        """char or varchar."""
        return self.name in ("varchar", "char")

    @property
    def is_float(self) -> bool:
        """real or double: may be NaN."""
        return self.name in ("real", "double")

    @property
    def is_interval(self) -> bool:
        """Either kind of interval."""
        return self.name.startswith("interval")


UNKNOWN, BOOLEAN, INTEGER, BIGINT = Type("unknown"), Type("boolean"), Type("integer"), Type("bigint")
REAL, DOUBLE, VARCHAR, VARBINARY, JSON = (
    Type("real"),
    Type("double"),
    Type("varchar"),
    Type("varbinary"),
    Type("json"),
)
DATE, TIMESTAMP, TIME = Type("date"), Type("timestamp", (3,)), Type("time", (3,))
TIMESTAMP_TZ = Type("timestamp with time zone", (3,))
DAY_TO_SECOND, YEAR_TO_MONTH = Type("interval day to second"), Type("interval year to month")


def array(of: Type) -> Type:
    """array(of)."""
    return Type("array", of=(of,))


def map_of(key: Type, value: Type) -> Type:
    """map(key, value)."""
    return Type("map", of=(key, value))


def row(*fields: tuple[str, Type]) -> Type:
    """row(name type, ...)."""
    return Type("row", of=tuple(t for _, t in fields), names=tuple(n for n, _ in fields))


def decimal(precision: int, scale: int) -> Type:
    """decimal(precision, scale)."""
    return Type("decimal", (precision, scale))


def as_decimal(of: Type) -> Type:
    """The decimal that holds every value of an integer type, or the decimal itself."""
    return of if of.name == "decimal" else decimal(_DIGITS[of.name], 0)


def common(a: Type, b: Type) -> Type | None:
    """The type that both become without a cast in the query, or None (Trino's type coercion)."""
    if a == b:
        return a if a.zone == b.zone else replace(a, zone="")
    if a.name == "unknown" or b.name == "unknown":
        return b if a.name == "unknown" else a
    if a.is_number and b.is_number:
        return _common_number(a, b)
    if a.is_text and b.is_text:
        return _common_text(a, b)
    if a.name == b.name and a.name in ("timestamp", "time", "timestamp with time zone"):
        wider = a if a.precision >= b.precision else b
        return wider if a.zone == b.zone else replace(wider, zone="")
    if {a.name, b.name} <= {"date", "timestamp", "timestamp with time zone"}:
        order = ("date", "timestamp", "timestamp with time zone")
        wider = a if order.index(a.name) > order.index(b.name) else b
        return replace(wider, args=(max(t.precision for t in (a, b) if t.name != "date"),))
    if a.name == b.name and len(a.of) == len(b.of) and a.of:
        inner = [common(x, y) for x, y in zip(a.of, b.of, strict=True)]
        if all(inner):
            names = tuple(x if x == y else "" for x, y in zip(a.names, b.names, strict=True))
            return replace(a, of=tuple(t for t in inner if t), names=names)
    return None


def _common_number(a: Type, b: Type) -> Type:
    for name in ("double", "real"):
        if name in (a.name, b.name):
            return Type(name)
    if a.is_integer and b.is_integer:
        return max(a, b, key=lambda t: INTEGERS.index(t.name))
    x, y = as_decimal(a), as_decimal(b)
    scale = max(x.scale, y.scale)
    return decimal(min(38, max(x.precision - x.scale, y.precision - y.scale) + scale), scale)


def _common_text(a: Type, b: Type) -> Type:
    if "varchar" not in (a.name, b.name):
        return Type("char", (max(a.args[0], b.args[0]),))
    if a.name != b.name:  # char and varchar meet as char when the varchar's length is known
        lengths = (*a.args, *b.args)
        return Type("char", (max(lengths),)) if len(lengths) == 2 else VARCHAR
    return Type("varchar", (max(a.args[0], b.args[0]),)) if a.args and b.args else VARCHAR


def coercible(given: Type, wanted: Type) -> bool:
    """Whether a value of type `given` may stand where `wanted` is declared."""
    if wanted.name == "varchar" and not wanted.args and given.is_text:
        return True
    return common(given, wanted) == wanted
