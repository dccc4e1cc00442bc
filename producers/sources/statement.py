"""The SELECT of a source: what it may be, and its columns as expressions over the file's columns.

A source makes of each row of a file one event, or none, and of nothing but that row. So rows cannot be lost,
multiplied or mixed, a file can be read in pieces, and every event has a row to be found at.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from producers.sources.definition import SourceDefinition, SourceDefinitionError
from producers.sources.engine import FILE, Engine, SqlError

_MOST_NODES = 20_000
_NOWHERE = 1 << 63
_MODIFIERS = {
    "ORDER_MODIFIER": "ORDER BY",
    "LIMIT_MODIFIER": "LIMIT",
    "LIMIT_PERCENT_MODIFIER": "LIMIT",
    "DISTINCT_MODIFIER": "DISTINCT",
}
_CLASSES = {
    "WINDOW": "a window function sees other rows",
    "SUBQUERY": "a subquery sees other rows",
    "PARAMETER": "there are no parameters to fill in",
    "DEFAULT": "DEFAULT has no meaning in a SELECT",
}
_MACROS = frozenset(
    {
        "if", "nullif", "split_part", "date_add", "days_in_month", "fdiv", "fmod", "json", "md5_number_lower",
        "md5_number_upper", "array_append", "array_pop_back", "array_pop_front", "array_prepend",
        "array_push_back", "array_push_front", "array_reverse", "array_to_string", "list_append", "list_avg",
        "list_count", "list_first", "list_last", "list_max", "list_median", "list_min", "list_prepend",
        "list_reverse", "list_sum", "map_contains_entry", "map_contains_value",
    }
)  # fmt: skip
Node = Mapping[str, Any]


@dataclass(frozen=True)
class SelectColumn:
    """One column of the SELECT: its expression, over the file's columns only, and the line it stands on."""

    name: str
    node: Node
    line: int


@dataclass(frozen=True)
class Select:
    """The SELECT over a file with certain columns.

    Attributes:
        columns: by name, in order. Names that begin with `_` are helpers for the others.
        where: the condition on rows, if there is one.
    """

    columns: Mapping[str, SelectColumn]
    where: SelectColumn | None


class Statement:
    """The parsed SELECT, before it meets a file."""

    def __init__(self, definition: SourceDefinition, engine: Engine) -> None:
        """Raises SourceDefinitionError."""
        self._definition = definition
        self._engine = engine
        self._scalars, self._combining = engine.functions()
        try:
            self._node = engine.parsed(definition.statement)
        except SqlError as error:
            if not definition.statement.strip():
                raise definition.error("There is no SELECT below the header.") from error
            hint = "Put a column that is called like a word of SQL in double quotes."
            raise definition.error(
                f"The SQL cannot be read: {error}. {hint}", self._line(error.at)
            ) from error
        self._qualifier = self._checked_shape()

    def wanted(self, header: Sequence[str]) -> tuple[str, ...]:
        """Names of the columns that the SELECT and expressions of the header mean, for formats that have no
        columns of their own. Raises SourceDefinitionError.
        """
        found: dict[str, None] = {}
        given: set[str] = set()
        for item in self._node["select_list"]:
            if item["class"] == "STAR":
                raise self._definition.error(
                    f"* does not say which members {self._definition.format} has. Name them one by one.",
                    self._line(item["query_location"]),
                )
            found.update(dict.fromkeys(name for name in self._references(item) if name.lower() not in given))
            given.add((item["alias"] or "").lower())
        if self._node["where_clause"]:
            names = self._references(self._node["where_clause"])
            found.update(dict.fromkeys(name for name in names if name.lower() not in given))
        for text in header:
            # What cannot be read is refused where the expression is used.
            with suppress(SqlError):
                for item in self._engine.parsed(f"SELECT {_expression(text)}")["select_list"]:
                    names = self._references(item)
                    found.update(dict.fromkeys(name for name in names if name.lower() not in given))
        return tuple(found)

    def over(self, columns: Sequence[str]) -> Select:
        """The SELECT over a file with these columns. Raises SourceDefinitionError."""
        names = {column.lower(): column for column in columns}
        found: dict[str, SelectColumn] = {}
        for item in self._node["select_list"]:
            line = self._line(item["query_location"])
            for name, node in self._items(item, columns, line):
                if name.lower() in (other.lower() for other in found):
                    raise self._definition.error(f"The SELECT gives the column {name!r} twice.", line)
                resolved = self._resolved(node, names, found, line)
                found[name] = SelectColumn(name, resolved, line)
        where = self._node["where_clause"]
        if not where:
            return Select(found, None)
        line = self._line(where["query_location"])
        return Select(found, SelectColumn("WHERE", self._resolved(where, names, found, line), line))

    def expression(self, text: str, header_line: int, columns: Sequence[str], select: Select) -> SelectColumn:
        """An expression of the header: over the SELECT's columns, or where it has none of a name, the file's.

        Raises SourceDefinitionError.
        """
        try:
            node = self._engine.parsed(f"SELECT {_expression(text)}")
        except SqlError as error:
            raise self._definition.error(f"{text!r} cannot be read: {error}.", header_line) from error
        if len(node["select_list"]) != 1 or node["from_table"]["type"] != "EMPTY" or node["where_clause"]:
            raise self._definition.error(f"{text!r} is not one expression.", header_line)
        names = {column.lower(): column for column in columns}
        shown = {name.lower() for name in select.columns}
        rest = {lower: name for lower, name in names.items() if lower not in shown}
        resolver = _Resolver(self, rest, select.columns, header_line, fixed_line=True, known=columns)
        return SelectColumn(text, resolver.resolve(node["select_list"][0], frozenset()), header_line)

    def error(self, message: str, line: int) -> SourceDefinitionError:
        """An error at a line of the file."""
        return self._definition.error(message, line)

    @property
    def qualifier(self) -> str:
        """The name of the table that columns may have in front of them, in lower case."""
        return self._qualifier

    def why_not(self, function: str) -> str | None:
        """Why a function cannot be used; None when it can."""
        name = function.lower()
        if name in self._scalars or name in _MACROS:
            return None
        if name == "unnest":
            return "makes several rows of one"
        if name in self._combining:
            return "combines rows"
        return "does not give the same for the same row each time, or is not a function of DuckDB"

    def line(self, location: int, default: int) -> int:
        """The line of a place in the statement."""
        return default if location >= _NOWHERE else self._line(location)

    def _line(self, location: int) -> int:
        before = self._definition.statement.encode()[: min(location, 1 << 30)]
        return self._definition.line + before.count(b"\n")

    def _checked_shape(self) -> str:
        node, error = self._node, self._definition.error
        if node["type"] != "SELECT_NODE":
            raise error("Only one SELECT ... FROM file is allowed: UNION and the like mix rows.")
        if node["cte_map"]["map"]:
            raise error("WITH is not allowed. Name a helper column _like_this, and use it behind.")
        for modifier in node["modifiers"]:
            word = _MODIFIERS.get(modifier["type"], modifier["type"])
            raise error(f"{word} is not allowed: it depends on other rows.")
        for member, word in (("group_expressions", "GROUP BY"), ("having", "HAVING"), ("qualify", "QUALIFY")):
            if node[member]:
                raise error(f"{word} is not allowed: a row would no longer be one event.")
        if node["aggregate_handling"] != "STANDARD_HANDLING":
            raise error("GROUP BY is not allowed: a row would no longer be one event.")
        table = node["from_table"]
        line = (
            self._line(table["query_location"])
            if table["query_location"] < _NOWHERE
            else self._definition.line
        )
        if table["type"] == "JOIN":
            raise error("A join is not allowed: it can multiply rows, or lose them.", line)
        if table["type"] == "EMPTY":
            raise error("The SELECT reads nothing. Write FROM file.", line)
        is_file = table["type"] == "BASE_TABLE" and table["table_name"].lower() == FILE
        if not is_file or table["schema_name"] or table["catalog_name"]:
            named = table.get("table_name") or "a subquery or function"
            raise error(f"The SELECT reads {named}; it can read {FILE} only.", line)
        if table["sample"] or node["sample"]:
            raise error("A sample is not allowed: it would leave out rows by chance.", line)
        if table["column_name_alias"] or table["at_clause"]:
            raise error(f"Write FROM {FILE}, without a list of columns.", line)
        return str(table["alias"] or FILE).lower()

    def _items(self, item: Node, columns: Sequence[str], line: int) -> Iterator[tuple[str, Node]]:
        if item["class"] != "STAR":
            name = item["alias"] or (item["column_names"][-1] if item["class"] == "COLUMN_REF" else "")
            if not name:
                raise self._definition.error("This column has no name. Add AS and the field it is for.", line)
            yield name, item
            return
        if item["columns"] or item["replace_list"] or item["rename_list"] or item["expr"]:
            raise self._definition.error("Of the forms of *, only * and * EXCLUDE (...) can be used.", line)
        left_out = {name.lower() for name in item["exclude_list"]}
        unknown = left_out - {column.lower() for column in columns}
        if unknown:
            raise self._definition.error(f"The file has no column {min(unknown)!r} to exclude.", line)
        for column in columns:
            if column.lower() not in left_out:
                yield column, {**_COLUMN, "column_names": [column], "query_location": item["query_location"]}

    def _resolved(
        self, node: Node, names: Mapping[str, str], found: Mapping[str, SelectColumn], line: int
    ) -> Node:
        resolved: Node = _Resolver(self, names, found, line).resolve(node, frozenset())
        return resolved

    def _references(self, node: Any) -> Iterator[str]:
        if isinstance(node, Mapping):
            if node.get("class") == "COLUMN_REF":
                path = node["column_names"]
                at = 1 if len(path) > 1 and path[0].lower() == self._qualifier else 0
                yield path[at]
            for value in node.values():
                yield from self._references(value)
        elif isinstance(node, list):
            for value in node:
                yield from self._references(value)


def _expression(text: str) -> str:
    # A column may be called like a word of SQL: at, date, user.
    return f'"{text}"' if text.isidentifier() else text


_COLUMN: Node = {"class": "COLUMN_REF", "type": "COLUMN_REF", "alias": "", "query_location_length": 0}


class _Resolver:
    """Puts in place of each name the file's column, or the expression of a column of the SELECT before it."""

    def __init__(
        self,
        statement: Statement,
        names: Mapping[str, str],
        found: Mapping[str, SelectColumn],
        line: int,
        *,
        fixed_line: bool = False,
        known: Sequence[str] | None = None,
    ) -> None:
        self._statement = statement
        self._names = names
        self._found = {name.lower(): column for name, column in found.items()}
        self._line = line
        self._fixed_line = fixed_line
        self._known = tuple(names.values()) if known is None else known
        self._nodes = 0

    def resolve(self, node: Any, bound: frozenset[str]) -> Any:
        """The node over the file's columns. `bound` are parameters of lambdas around it."""
        self._nodes += 1
        if self._nodes > _MOST_NODES:
            raise self._statement.error("The expression is too large.", self._line)
        if isinstance(node, list):
            return [self.resolve(each, bound) for each in node]
        if not isinstance(node, Mapping):
            return node
        line = self._line_of(node)
        kind = node.get("class")
        if kind in _CLASSES:
            raise self._statement.error(f"Not allowed here: {_CLASSES[kind]}.", line)
        if kind == "STAR":
            raise self._statement.error("* can only stand for columns of the SELECT.", line)
        if kind == "FUNCTION":
            why = self._statement.why_not(node["function_name"])
            if why is not None:
                raise self._statement.error(f"{node['function_name']} cannot be used: it {why}.", line)
        if kind == "COLUMN_REF":
            return self._column(node, bound, line)
        if kind == "LAMBDA":
            inner = bound | {name.lower() for name in _parameters(node["lhs"])}
            return {**node, "expr": self.resolve(node["expr"], inner)}
        return {name: self.resolve(value, bound) for name, value in node.items()}

    def _column(self, node: Node, bound: frozenset[str], line: int) -> Node:
        path = node["column_names"]
        if path[0].lower() in bound:
            return node
        if len(path) > 1 and path[0].lower() == self._statement.qualifier and path[1].lower() in self._names:
            path = path[1:]
        name = path[0].lower()
        if name in self._names:
            return {**node, "column_names": [self._names[name], *path[1:]]}
        if name in self._found:
            found = self._found[name].node
            self._nodes += _size(found)
            if self._nodes > _MOST_NODES:
                raise self._statement.error("The expression is too large.", line)
            for member in path[1:]:
                found = _member(found, member)
            return found
        known = ", ".join(self._known[:40]) or "none"
        raise self._statement.error(f"There is no column {path[0]!r}. The file has: {known}.", line)

    def _line_of(self, node: Node) -> int:
        at = node.get("query_location")
        return self._line if self._fixed_line or at is None else self._statement.line(at, self._line)


def _parameters(node: Any) -> Iterator[str]:
    if isinstance(node, Mapping):
        if node.get("class") == "COLUMN_REF":
            yield from node["column_names"][:1]
        for value in node.values():
            yield from _parameters(value)
    elif isinstance(node, list):
        for value in node:
            yield from _parameters(value)


def _member(node: Node, name: str) -> Node:
    constant = {
        "class": "CONSTANT", "type": "VALUE_CONSTANT", "alias": "", "query_location": 0,
        "query_location_length": 0, "literal": {"kind": "STRING", "text": name},
    }  # fmt: skip
    return {
        "class": "OPERATOR", "type": "ARRAY_EXTRACT", "alias": "", "query_location": 0,
        "query_location_length": 0, "children": [node, constant],
    }  # fmt: skip


def _size(node: Any) -> int:
    if isinstance(node, Mapping):
        return 1 + sum(map(_size, node.values()))
    return 1 + sum(map(_size, node)) if isinstance(node, list) else 1
