"""An expression in DuckDB's SQL, with calculated fields expanded where they stand.

Expanding aggregates inline keeps a ratio of sums a ratio of sums; computing them per row would not.
"""

from collections.abc import Sequence

from dashboards.expressions.functions import FUNCTIONS, WINDOWS
from dashboards.expressions.tree import (
    Binary,
    Call,
    ExpressionError,
    Field,
    Keyword,
    Listing,
    Node,
    Number,
    Parameter,
    Text,
    Unary,
)
from dashboards.expressions.typing import Names, typed

PARAMETER_PREFIX = "p_"


def sql(node: Node, names: Names) -> str:
    """DuckDB SQL over the dataset's columns; parameters stay parameters (`$p_<name>`, `$now`).

    Raises ExpressionError for what is wrong and UnsupportedError for what only QuickSight can do.
    """
    typed(node, names)
    return _sql(node, names)


def quoted(name: str) -> str:
    """A column name as an SQL identifier."""
    return '"' + name.replace('"', '""') + '"'


def literal(text: str) -> str:
    """A string as an SQL literal."""
    return "'" + text.replace("'", "''") + "'"


def _sql(node: Node, names: Names) -> str:
    match node:
        case Number(text=text):
            return text
        case Text(value=value):
            return literal(value)
        case Field(name=name):
            return quoted(name) if name in names.columns else f"({_sql(names.fields[name], names)})"
        case Parameter(name=name):
            return f"${PARAMETER_PREFIX}{name}"
        case Keyword(name=name):
            return literal(name) if name.startswith("CASE_") else "NULL"
        case Unary(operator="not", operand=operand):
            return f"(NOT {_sql(operand, names)})"
        case Unary(operator=operator, operand=operand):
            return f"({operator}{_sql(operand, names)})"
        case Binary():
            return _binary(node, names)
        case Call():
            return _call(node, names)
        case Listing(position=at):
            raise ExpressionError("A list stands only after in, notIn or inside a window function.", at)


def _binary(node: Binary, names: Names) -> str:
    left, right = _sql(node.left, names), _sql(node.right, names)
    if node.operator == "/":
        return f"({left} / nullif({right}, 0))"  # division by zero is null
    if node.operator == "%":
        return f"({left} % nullif({right}, 0))"
    if node.operator == "^":
        return f"pow({left}, {right})"
    return f"({left} {node.operator.upper()} {right})"


def _call(node: Call, names: Names) -> str:
    if node.name in ("in", "notin"):
        return _membership(node, names)
    if node.name in WINDOWS:
        return _window(node, names)
    return FUNCTIONS[node.name].build([_sql(argument, names) for argument in node.arguments])


def _membership(node: Call, names: Names) -> str:
    value, *others = node.arguments
    negation = "NOT " if node.name == "notin" else ""
    if len(others) == 1 and isinstance(others[0], Parameter):
        return f"({negation}list_contains({_sql(others[0], names)}, {_sql(value, names)}))"
    terms = [
        term
        for other in others
        for term in ([entry.value for entry in other.terms] if isinstance(other, Listing) else [other])
    ]
    return f"({_sql(value, names)} {negation}IN ({', '.join(_sql(term, names) for term in terms)}))"


def _window(node: Call, names: Names) -> str:
    template, kind = WINDOWS[node.name]
    listings = [argument for argument in node.arguments if isinstance(argument, Listing)]
    plain = [argument for argument in node.arguments if not isinstance(argument, (Listing, Keyword))]
    value = _sql(plain[0], names) if plain else ""
    orders, partitions = _parts(kind, listings)
    order = ", ".join(f"{_sql(term.value, names)} {term.order}".strip() for term in orders)
    by = ", ".join(_sql(term.value, names) for term in partitions)
    window = " ".join(
        part for part in (f"PARTITION BY {by}" if by else "", f"ORDER BY {order}" if order else "") if part
    )
    if kind == "share":
        return f"(({value}) / nullif(sum({value}) OVER ({window}), 0))"
    if kind == "running":
        window += " ROWS UNBOUNDED PRECEDING"
    if kind == "ends":
        window += " ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING"
    if kind == "offset":
        return _offset(node.name, value, _sql(plain[1], names) if len(plain) > 1 else "1", window)
    return f"({template.format(value)} OVER ({window}))"


def _parts(kind: str, listings: "Sequence[Listing]") -> tuple[Sequence, Sequence]:  # type: ignore[type-arg]
    """Which list is the order and which the partition, by the family of the function."""
    terms = [listing.terms for listing in listings]
    if kind in ("whole", "share"):
        return (), terms[0] if terms else ()
    return terms[0] if terms else (), terms[1] if len(terms) > 1 else ()


def _offset(name: str, value: str, steps: str, window: str) -> str:
    if name in ("lag", "lead"):
        return f"({name}({value}, CAST({steps} AS BIGINT)) OVER ({window}))"
    # QuickSight looks forward for a positive offset and backward for a negative one.
    other = f"lag({value}, CAST(-({steps}) AS BIGINT)) OVER ({window})"
    if name == "difference":
        return f"(({value}) - {other})"
    return f"((({value}) - {other}) / nullif({other}, 0))"
