"""Expressions: one rule for each kind of node. A node without a rule is refused by name."""

import re
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from sqlglot import exp

from infra.local.athena.errors import QueryError, refused
from infra.local.athena.sql import operators
from infra.local.athena.sql.calls import Argument, resolve_call
from infra.local.athena.sql.casts import cast, coerce
from infra.local.athena.sql.expression_base import NULL, place_of, refs_of
from infra.local.athena.sql.functions.registry import FUNCTIONS
from infra.local.athena.sql.intervals import interval
from infra.local.athena.sql.literals import decimal_or_number, typed_literal
from infra.local.athena.sql.predicates import Predicates
from infra.local.athena.sql.scope import Scope, Typed, member
from infra.local.athena.sql.syntax_parts import COMMON_PARTS, PARTS
from infra.local.athena.sql.tree import Lambda, Name, build, join, quoted, text
from infra.local.athena.sql.type_names import parse_type
from infra.local.athena.sql.types import BOOLEAN, UNKNOWN, VARBINARY, Type, array, coercible, common, row

if TYPE_CHECKING:
    from infra.local.athena.sql.compiler import Compiler

_COMPARISONS: dict[type[exp.Expr], str] = {
    exp.EQ: "=", exp.NEQ: "<>", exp.LT: "<", exp.LTE: "<=", exp.GT: ">", exp.GTE: ">=",
}  # fmt: skip
_ARITHMETIC: dict[type[exp.Expr], str] = {
    exp.Add: "+", exp.Sub: "-", exp.Mul: "*", exp.Div: "/", exp.Mod: "%",
}  # fmt: skip


class Expressions(Predicates):
    """Compiles expressions inside one scope."""

    def __init__(self, compiler: "Compiler", scope: Scope) -> None:
        self.compiler, self.scope = compiler, scope

    def __call__(self, node: exp.Expr) -> Typed:
        """The node's text and type. Raises QueryError."""
        if (symbol := _COMPARISONS.get(type(node))) is not None:
            return self.comparison(symbol, node)
        if (symbol := _ARITHMETIC.get(type(node))) is not None:
            return operators.arithmetic(symbol, self(node.this), self(node.expression), self.compiler)
        rule = _RULES.get(type(node))
        if rule is None:
            raise refused(
                f"'{node.sql('trino')[:80]}' ({type(node).__name__})",
                "Write it another way.",
                *place_of(node),
            )
        self._check_parts(node)
        return rule(self, node)

    def _check_parts(self, node: exp.Expr) -> None:
        """A part of the syntax that no rule reads would change the meaning unseen."""
        known = PARTS.get(type(node), COMMON_PARTS)
        for name, value in node.args.items():
            if name not in known and value not in (None, False, [], ""):
                raise refused(
                    f"{name.upper()} in '{node.sql('trino')[:60]}'", "Leave it out.", *place_of(node)
                )

    def boolean(self, node: exp.Expr, where: str) -> Typed:
        """A condition. Raises QueryError TYPE_MISMATCH when it is none."""
        value = self(node)
        if not coercible(value.type, BOOLEAN):
            raise QueryError(
                "TYPE_MISMATCH",
                f"{where} must evaluate to a boolean: actual type {value.type}",
                *place_of(node),
            )
        return coerce(value, BOOLEAN)

    def all(self, nodes: Sequence[exp.Expr]) -> list[Typed]:
        """Every node's text and type."""
        return [self(node) for node in nodes]

    def call(self, name: str, arguments: Sequence[Argument], node: exp.Expr) -> Typed:
        """A scalar function of the table."""
        return resolve_call(FUNCTIONS, name, arguments, self.lambda_body, self.compiler, place=place_of(node))

    def lambda_body(self, node: exp.Lambda, types: Sequence[Type]) -> Typed:
        """`lambda p: body`, its parameters of these types; the type is the body's."""
        names = [identifier.name.lower() for identifier in node.expressions]
        stored = [self.compiler.fresh("p") for _ in names]
        parameters = {n: Typed(Name(s), t) for n, s, t in zip(names, stored, types, strict=True)}
        inner = Expressions(self.compiler, self.scope.with_parameters(parameters))
        body = inner(node.this)
        return Typed(Lambda(tuple(stored), body.sql), body.type, body.refs)

    def unified(self, values: Sequence[Typed], what: str) -> list[Typed]:
        """The values coerced to the one type that holds them all. Raises QueryError TYPE_MISMATCH."""
        both = values[0].type
        for value in values[1:]:
            wider = common(both, value.type)
            if wider is None:
                raise QueryError("TYPE_MISMATCH", f"{what} must be the same type: {both} and {value.type}")
            both = wider
        return [coerce(value, both) for value in values]

    def literal(self, node: exp.Literal) -> Typed:
        if node.is_string:
            return Typed(text(node.name), Type("varchar", (len(node.name),)), literal=node.name)
        return decimal_or_number(node.name)

    def boolean_literal(self, node: exp.Boolean) -> Typed:
        return Typed(build("true" if node.this else "false"), BOOLEAN, literal=bool(node.this))

    def hex_string(self, node: exp.HexString) -> Typed:
        digits = re.sub(r"\s", "", str(node.this))
        return Typed(build("unhex({})", text(digits)), VARBINARY)

    def column(self, node: exp.Column) -> Typed:
        parts = [part.name for part in node.parts]
        if isinstance(node.this, exp.Star):
            raise QueryError("SYNTAX_ERROR", "'*' is not allowed here", *place_of(node))
        return self.scope.resolve(parts, *place_of(node))

    def identifier(self, node: exp.Identifier) -> Typed:
        return self.scope.resolve([node.name], *place_of(node))

    def dot(self, node: exp.Dot) -> Typed:
        if isinstance(node.expression, exp.Identifier):
            return member(self(node.this), node.expression.name, *place_of(node))
        raise refused(f"'{node.sql('trino')}'", "Call the function without a schema.")

    def placeholder(self, node: exp.Placeholder) -> Typed:
        return self.compiler.parameter(node)

    def null(self, _: exp.Null) -> Typed:
        return NULL

    def interval(self, node: exp.Interval) -> Typed:
        unit = node.args["unit"]
        if unit is None:  # sqlglot reads `INTERVAL '1' DAY + x` as the sum of two intervals
            return self(node.this)
        ends = (unit.this, unit.expression) if isinstance(unit, exp.IntervalSpan) else (unit,)
        if not (isinstance(node.this, exp.Literal) and node.this.is_string):
            raise QueryError("SYNTAX_ERROR", "INTERVAL needs its value in quotes", *place_of(node))
        return interval(node.this.name, *(end.name for end in ends))

    def minus(self, node: exp.Neg) -> Typed:
        if isinstance(node.this, exp.Literal) and not node.this.is_string:
            return decimal_or_number(f"-{node.this.name}")
        value = self(node.this)
        if not (value.type.is_number or value.type.is_interval):
            raise QueryError("TYPE_MISMATCH", f"Cannot negate {value.type}", *place_of(node))
        return value.with_sql(build("(-{})", value.sql))

    def paren(self, node: exp.Paren) -> Typed:
        value = self(node.this)
        return Typed(build("({})", value.sql), value.type, value.refs, value.literal, value.origin)

    def concat(self, node: exp.DPipe) -> Typed:
        return operators.concat(self(node.this), self(node.expression))

    def anonymous(self, node: exp.Anonymous) -> Typed:
        name = node.name.lower()
        if (special := _SPECIAL.get(name)) is not None:
            return special(self, node)
        if self.compiler.is_aggregate(name):
            return self.compiler.aggregate(node, self)
        arguments = [part if isinstance(part, exp.Lambda) else self(part) for part in node.expressions]
        return self.call(name, arguments, node)

    def try_(self, node: exp.Anonymous) -> Typed:
        (value,) = self.all(node.expressions)
        return value.with_sql(build("TRY({})", value.sql))

    def row(self, node: exp.Anonymous | exp.Tuple) -> Typed:
        values = self.all(node.expressions)
        of = row(*(("", value.type) for value in values))
        packed = join(
            ", ", (build("{} := {}", quoted(n), v.sql) for n, v in zip(of.stored_names, values, strict=True))
        )
        return Typed(build("struct_pack({})", packed), of, refs_of(*values))

    def typeof(self, node: exp.Anonymous) -> Typed:
        (value,) = self.all(node.expressions)
        shown = str(value.type)
        return Typed(text(shown), Type("varchar", (len(shown),)), literal=shown)

    def cast(self, node: exp.Cast) -> Typed:
        target = node.args["to"]
        value = self(node.this)
        if node.args.get("format"):
            raise refused("CAST with FORMAT", "Use date_parse or date_format.", *place_of(node))
        if isinstance(node.this, exp.Literal) and node.this.is_string and not isinstance(node, exp.TryCast):
            found = typed_literal(node.this.name, target)
            if found is not None:
                return found
        wanted = self._type(target)
        return self._cast(value, wanted, safe=isinstance(node, exp.TryCast))

    def _cast(self, value: Typed, wanted: Type, *, safe: bool) -> Typed:
        if (
            "json" in (value.type.name, wanted.name)
            and value.type.name != wanted.name
            and value.type != UNKNOWN
        ):
            return self.compiler.json_cast(value, wanted, safe=safe)
        return cast(value, wanted, safe=safe)

    def _type(self, target: exp.DataType) -> Type:
        return parse_type(target.sql("trino").replace("ROW(", "row(").replace("IPADDRESS", "ipaddress"))

    def extract(self, node: exp.Extract) -> Typed:
        unit = node.name.lower()
        names = {"dow": "day_of_week", "doy": "day_of_year", "yow": "year_of_week", "day_of_month": "day"}
        if unit not in _EXTRACTED:
            raise QueryError("SYNTAX_ERROR", f"Invalid EXTRACT field: {unit.upper()}", *place_of(node))
        return self.call(names.get(unit, unit), [self(node.expression)], node)

    def trim(self, node: exp.Trim) -> Typed:
        where = str(node.args.get("position") or "BOTH").upper()
        name = {"LEADING": "ltrim", "TRAILING": "rtrim"}.get(where, "trim")
        parts = [node.this] + ([node.expression] if node.expression is not None else [])
        return self.call(name, self.all(parts), node)

    def substring(self, node: exp.Substring) -> Typed:
        parts = [node.this, node.args.get("start"), node.args.get("length")]
        return self.call("substr", self.all([part for part in parts if part is not None]), node)

    def position(self, node: exp.StrPosition) -> Typed:
        return self.call("strpos", self.all([node.this, node.args["substr"]]), node)

    def at_time_zone(self, node: exp.AtTimeZone) -> Typed:
        return self.compiler.at_time_zone(node.this, self(node.args["zone"]), self)

    def array(self, node: exp.Array) -> Typed:
        if not node.expressions:
            return Typed(build("[]"), array(UNKNOWN))
        values = self.unified(self.all(node.expressions), "All ARRAY elements")
        literals = [value.literal for value in values]
        written = None if None in literals else literals
        return Typed(
            build("[{}]", join(", ", (v.sql for v in values))),
            array(values[0].type),
            refs_of(*values),
            written,
        )

    def bracket(self, node: exp.Bracket) -> Typed:
        (key,) = self.all(node.expressions)
        value = self(node.this)
        if (
            value.type.name == "row"
            and isinstance(key.literal, int)
            and 1 <= key.literal <= len(value.type.of)
        ):
            stored = quoted(value.type.stored_names[key.literal - 1])
            return Typed(build("({}).{}", value.sql, stored), value.type.of[key.literal - 1], value.refs)
        return self.call("[]", [value, key], node)

    def parse_json(self, node: exp.ParseJSON) -> Typed:
        return self.call("json_parse", [self(node.this)], node)

    def now(self, node: exp.Expr) -> Typed:
        names: dict[type[exp.Expr], str] = {
            exp.CurrentDate: "current_date", exp.CurrentTimestamp: "current_timestamp",
            exp.Localtimestamp: "localtimestamp", exp.CurrentTime: "current_time", exp.Localtime: "localtime",
        }  # fmt: skip
        return self.compiler.now(names[type(node)])

    def current_name(self, node: exp.Expr) -> Typed:
        raise refused(f"'{type(node).__name__}'", "Write the value down.", *place_of(node))

    def subquery(self, node: exp.Subquery) -> Typed:
        return self.compiler.scalar_query(node, self)

    def exists(self, node: exp.Exists) -> Typed:
        return self.compiler.exists(node, self)

    def window(self, node: exp.Window) -> Typed:
        return self.compiler.window(node, self)

    def aggregate_form(self, node: exp.Expr) -> Typed:
        return self.compiler.aggregate(node, self)

    def json_path(self, node: exp.Expr) -> Typed:
        return self.compiler.json_path(node, self)


_EXTRACTED = {
    "year", "quarter", "month", "week", "day", "day_of_month", "day_of_week", "dow", "day_of_year", "doy",
    "year_of_week", "yow", "hour", "minute", "second", "timezone_hour", "timezone_minute",
}  # fmt: skip

Rule = Callable[[Expressions, "exp.Expr"], Typed]
_SPECIAL: dict[str, Callable[..., Typed]] = {
    "coalesce": Expressions.coalesce,
    "nullif": Expressions.nullif,
    "try": Expressions.try_,
    "row": Expressions.row,
    "typeof": Expressions.typeof,
}
_RULES: dict[type[exp.Expr], Callable[..., Typed]] = {
    exp.Literal: Expressions.literal,
    exp.Boolean: Expressions.boolean_literal,
    exp.HexString: Expressions.hex_string,
    exp.Null: Expressions.null,
    exp.Column: Expressions.column,
    exp.Identifier: Expressions.identifier,
    exp.Dot: Expressions.dot,
    exp.Placeholder: Expressions.placeholder,
    exp.Interval: Expressions.interval,
    exp.And: Expressions.logical,
    exp.Or: Expressions.logical,
    exp.Not: Expressions.negation,
    exp.Neg: Expressions.minus,
    exp.Paren: Expressions.paren,
    exp.DPipe: Expressions.concat,
    exp.Is: Expressions.is_,
    exp.NullSafeEQ: Expressions.distinct_from,
    exp.NullSafeNEQ: Expressions.distinct_from,
    exp.Between: Expressions.between,
    exp.In: Expressions.in_,
    exp.Like: Expressions.like,
    exp.Escape: Expressions.escape,
    exp.Case: Expressions.case,
    exp.If: Expressions.if_,
    exp.Anonymous: Expressions.anonymous,
    exp.Cast: Expressions.cast,
    exp.TryCast: Expressions.cast,
    exp.Extract: Expressions.extract,
    exp.Trim: Expressions.trim,
    exp.Substring: Expressions.substring,
    exp.StrPosition: Expressions.position,
    exp.AtTimeZone: Expressions.at_time_zone,
    exp.Array: Expressions.array,
    exp.Bracket: Expressions.bracket,
    exp.Tuple: Expressions.row,
    exp.ParseJSON: Expressions.parse_json,
    exp.CurrentDate: Expressions.now,
    exp.CurrentTimestamp: Expressions.now,
    exp.Localtimestamp: Expressions.now,
    exp.CurrentTime: Expressions.now,
    exp.Localtime: Expressions.now,
    exp.CurrentUser: Expressions.current_name,
    exp.Subquery: Expressions.subquery,
    exp.Exists: Expressions.exists,
    exp.Window: Expressions.window,
    exp.Filter: Expressions.aggregate_form,
    exp.GroupConcat: Expressions.aggregate_form,
    exp.JSONValue: Expressions.json_path,
    exp.JSONExtract: Expressions.json_path,
}
