"""A query's text to its tree. Functions stay as they were called, so that their own table decides what they mean."""

import logging
import re
from typing import ClassVar

from sqlglot import exp
from sqlglot.dialects.trino import Trino
from sqlglot.errors import ParseError, TokenError
from sqlglot.parsers.trino import TrinoParser
from sqlglot.tokenizer_core import Token, TokenType

from infra.local.athena.errors import QueryError
from infra.local.athena.sql.strict_syntax import check, with_plain_numbers

logging.getLogger("sqlglot").setLevel(
    logging.ERROR
)  # it announces every statement that it keeps as plain text

# Only where the call has a grammar of its own: CAST(x AS t), TRIM(BOTH x FROM y), LISTAGG(...) WITHIN GROUP.
_OWN_GRAMMAR = {
    "CAST", "TRY_CAST", "EXTRACT", "TRIM", "LISTAGG", "POSITION", "SUBSTRING", "JSON_QUERY", "JSON_VALUE",
}  # fmt: skip


class _Parser(TrinoParser):
    FUNCTIONS = {}  # noqa: RUF012 - sqlglot's own shape
    FUNCTION_PARSERS = {k: v for k, v in TrinoParser.FUNCTION_PARSERS.items() if k in _OWN_GRAMMAR}  # noqa: RUF012
    TYPE_LITERAL_PARSERS = {  # noqa: RUF012
        **TrinoParser.TYPE_LITERAL_PARSERS,
        # DECIMAL '10' is not an integer: the point says so to whoever reads the literal.
        exp.DType.DECIMAL: lambda self, this, _: self.expression(
            exp.Literal(this=this.name if "." in this.name else f"{this.name}.", is_string=False)
        ),
        # CHAR 'abc' has the length of its text; CAST('abc' AS char) would have one of 1.
        exp.DType.CHAR: lambda self, this, _: self.expression(
            exp.Cast(this=this, to=exp.DataType.build(f"char({max(1, len(this.name))})", dialect="trino"))
        ),
    }

    PLACEHOLDER_PARSERS = {  # noqa: RUF012
        **TrinoParser.PLACEHOLDER_PARSERS,
        # Named by its place in the text: the parser may read a token twice, and the tree is not in text order.
        TokenType.PLACEHOLDER: lambda self: self.expression(exp.Placeholder(this=str(self._prev.start))),
    }


class _Dialect(Trino):
    INDEX_OFFSET = 0

    class Tokenizer(Trino.Tokenizer):
        COMMANDS: ClassVar[set[TokenType]] = set()
        """SHOW, EXECUTE and their like are read word by word too."""

    Parser = _Parser
    parser_class = _Parser  # type: ignore[assignment]


_DIALECT = _Dialect()


def tokens(sql: str) -> list[Token]:
    """The query's tokens. Raises QueryError SYNTAX_ERROR."""
    try:
        return _DIALECT.tokenize(sql)
    except TokenError as error:
        raise QueryError("SYNTAX_ERROR", str(error).splitlines()[0], 1, 1) from error


class _HiveDialect(_Dialect):
    class Tokenizer(_Dialect.Tokenizer):
        IDENTIFIERS: ClassVar[list[str | tuple[str, str]]] = ["`"]
        QUOTES: ClassVar[list[tuple[str, str] | str]] = ["'", '"']


_HIVE = _HiveDialect()


def hive_tokens(sql: str) -> list[Token]:
    """The tokens of a statement that Athena gives to Hive's parser. Raises QueryError SYNTAX_ERROR."""
    try:
        return _HIVE.tokenize(sql)
    except TokenError as error:
        raise QueryError("SYNTAX_ERROR", str(error).splitlines()[0], 1, 1) from error


def parse_query(sql: str) -> exp.Query | exp.Values:
    """The tree of one SELECT, VALUES, WITH or set operation. Raises QueryError SYNTAX_ERROR."""
    found = tokens(sql)
    plain = with_plain_numbers(sql, found)
    if plain is not sql:
        sql, found = plain, tokens(plain)
    check(found)
    try:
        trees = _Parser(dialect=_DIALECT).parse(found, sql)
    except ParseError as error:
        raise syntax_error(error) from error
    statements = [tree for tree in trees if tree is not None]
    if len(statements) != 1:
        raise QueryError(
            "SYNTAX_ERROR", "Only one sql statement is allowed. Send each statement on its own.", 1, 1
        )
    if not isinstance(statements[0], (exp.Query, exp.Values)):
        raise QueryError(
            "SYNTAX_ERROR", f"mismatched input '{sql.split(maxsplit=1)[0]}'. Expecting: a query", 1, 1
        )
    return statements[0]


def syntax_error(error: ParseError) -> QueryError:
    """sqlglot's complaint in Trino's form, with its place."""
    detail = error.errors[0] if error.errors else {}
    what = re.sub(r"\s+", " ", str(detail.get("description", error)).split(". Line")[0]).rstrip(".")
    near = detail.get("highlight")
    return QueryError(
        "SYNTAX_ERROR",
        f"mismatched input '{near}': {what}" if near else what,
        int(detail.get("line") or 1),
        int(detail.get("col") or 1),
    )
