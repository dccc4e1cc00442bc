"""Conditions: comparisons, logic, IN, LIKE, CASE, and what chooses by NULL."""

from sqlglot import exp

from infra.local.athena.errors import QueryError
from infra.local.athena.sql import operators
from infra.local.athena.sql.expression_base import NULL, Rules, place_of, refs_of
from infra.local.athena.sql.scope import Typed
from infra.local.athena.sql.tree import EMPTY, Sql, build, join
from infra.local.athena.sql.types import BOOLEAN, VARCHAR, coercible


class Predicates(Rules):
    """The rules for conditions."""

    def comparison(self, symbol: str, node: exp.Expr) -> Typed:
        if isinstance(node.expression, exp.Any | exp.All) or self._is_quantified(node.expression):
            return self.compiler.quantified(symbol, node, self)
        return operators.compare(symbol, self(node.this), self(node.expression))

    def _is_quantified(self, node: exp.Expr) -> bool:
        return isinstance(node, exp.Anonymous) and node.name.lower() in ("all", "some", "any")

    def logical(self, node: exp.Connector) -> Typed:
        word = "AND" if isinstance(node, exp.And) else "OR"
        parts = [self.boolean(part, "Logical expression term") for part in node.flatten(unnest=False)]
        return Typed(build("({})", join(f" {word} ", (p.sql for p in parts))), BOOLEAN, refs_of(*parts))

    def negation(self, node: exp.Not) -> Typed:
        value = self.boolean(node.this, "Value of logical NOT expression")
        return Typed(build("(NOT {})", value.sql), BOOLEAN, value.refs)

    def is_(self, node: exp.Is) -> Typed:
        if not isinstance(node.expression, exp.Null):
            raise QueryError(
                "SYNTAX_ERROR", "IS must be followed by NULL, NOT NULL or DISTINCT FROM", *place_of(node)
            )
        value = self(node.this)
        return Typed(build("({} IS NULL)", value.sql), BOOLEAN, value.refs)

    def distinct_from(self, node: exp.NullSafeEQ | exp.NullSafeNEQ) -> Typed:
        a, b = self.unified([self(node.this), self(node.expression)], "Operands of IS DISTINCT FROM")
        word = "NOT DISTINCT" if isinstance(node, exp.NullSafeEQ) else "DISTINCT"
        return Typed(build("({} IS {} FROM {})", a.sql, word, b.sql), BOOLEAN, refs_of(a, b))

    def between(self, node: exp.Between) -> Typed:
        value, low, high = self(node.this), self(node.args["low"]), self(node.args["high"])
        a, b = operators.compare(">=", value, low), operators.compare("<=", value, high)
        return Typed(build("({} AND {})", a.sql, b.sql), BOOLEAN, refs_of(a, b))

    def in_(self, node: exp.In) -> Typed:
        if node.args.get("query") is not None:
            return self.compiler.in_query(node, self)
        value = self(node.this)
        listed = self.unified([value, *self.all(node.expressions)], "IN value and list items")
        plain = (
            listed[0].type.is_integer
            or listed[0].type.is_text
            or listed[0].type.name in ("date", "timestamp", "boolean")
        )
        if plain or listed[0].type.name == "decimal":
            return Typed(
                build("({} IN ({}))", listed[0].sql, join(", ", (v.sql for v in listed[1:]))),
                BOOLEAN,
                refs_of(*listed),
            )
        tests = [operators.compare("=", listed[0], other) for other in listed[1:]]
        return Typed(build("({})", join(" OR ", (t.sql for t in tests))), BOOLEAN, refs_of(*tests))

    def like(self, node: exp.Like) -> Typed:
        return self._like(node, EMPTY)

    def escape(self, node: exp.Escape) -> Typed:
        if not isinstance(node.this, exp.Like):
            raise QueryError("SYNTAX_ERROR", "ESCAPE belongs to LIKE", *place_of(node))
        sign = self(node.expression)
        if not isinstance(sign.literal, str) or len(sign.literal) != 1:
            raise QueryError(
                "INVALID_FUNCTION_ARGUMENT", "Escape string must be a single character", *place_of(node)
            )
        return self._like(node.this, build(" ESCAPE {}", sign.sql))

    def _like(self, node: exp.Like, suffix: Sql) -> Typed:
        value, pattern = self(node.this), self(node.expression)
        if not (coercible(value.type, VARCHAR) and coercible(pattern.type, VARCHAR)):
            raise QueryError(
                "TYPE_MISMATCH",
                f"Left side of LIKE must evaluate to a varchar: {value.type}",
                *place_of(node),
            )
        word = "NOT LIKE" if node.args.get("negate") else "LIKE"
        return Typed(
            build("({} {} {}{})", value.sql, word, pattern.sql, suffix), BOOLEAN, refs_of(value, pattern)
        )

    def case(self, node: exp.Case) -> Typed:
        branches = node.args["ifs"]
        if node.this is not None:
            subject = self(node.this)
            tests = [operators.compare("=", subject, self(branch.this)) for branch in branches]
        else:
            tests = [self.boolean(branch.this, "CASE WHEN clause") for branch in branches]
        default = node.args.get("default")
        values = [
            *self.all([branch.args["true"] for branch in branches]),
            self(default) if default is not None else NULL,
        ]
        values = self.unified(values, "All CASE results")
        whens = join(
            " ", (build("WHEN {} THEN {}", t.sql, v.sql) for t, v in zip(tests, values, strict=False))
        )
        return Typed(
            build("(CASE {} ELSE {} END)", whens, values[-1].sql), values[0].type, refs_of(*tests, *values)
        )

    def if_(self, node: exp.If) -> Typed:
        test = self.boolean(node.this, "IF condition")
        other = node.args.get("false")
        a, b = self.unified(
            [self(node.args["true"]), self(other) if other is not None else NULL], "Result types for IF"
        )
        return Typed(
            build("(CASE WHEN {} THEN {} ELSE {} END)", test.sql, a.sql, b.sql), a.type, refs_of(test, a, b)
        )

    def coalesce(self, node: exp.Anonymous) -> Typed:
        values = self.unified(self.all(node.expressions), "All COALESCE operands")
        return Typed(
            build("coalesce({})", join(", ", (v.sql for v in values))), values[0].type, refs_of(*values)
        )

    def nullif(self, node: exp.Anonymous) -> Typed:
        a, b = self.all(node.expressions)
        test = operators.compare("=", a, b)
        return Typed(build("(CASE WHEN {} THEN NULL ELSE {} END)", test.sql, a.sql), a.type, refs_of(a, b))
