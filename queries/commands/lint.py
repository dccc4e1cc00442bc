"""What is wrong with a report before it runs: syntax, names, types, partitions that cannot be computed apart.

Reads SQL with sqlglot, which only the command has; the query function never comes here.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from types import MappingProxyType
from typing import TYPE_CHECKING

from queries.commands.lint_partitions import apart, line_of
from queries.contracts import Report, ReportDefinitionError
from queries.engine.trino_types import struct_members
from queries.reference.declaration import EDITION, ReferenceTable, unknown_reference
from queries.refresh.catalog import ReportQuery, parse_report
from queries.refresh.rendering import EVENT_DATE, source_columns
from queries.store.checks import FAILED_CHECK, parse_checks
from transforms.contracts import EVENT_HOUR, LakeTable

if TYPE_CHECKING:
    from sqlglot import exp

LONGEST_CONTEXT = 86_400


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong: where (line from 1), which rule it breaks, what to do."""

    file: str
    line: int
    rule: str
    message: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.rule}: {self.message}"


def lint(
    text: str,
    file: str,
    tables: Mapping[str, LakeTable],
    references: Mapping[str, ReferenceTable] = MappingProxyType({}),
) -> list[Finding]:
    """Everything that is wrong with the SQL file, which reads these lake tables and joins these reference
    tables; empty when it is sound.
    """
    try:
        query = parse_report(text, file, tables)
        if unknown := unknown_reference(query.report, references):
            return [Finding(file, 1, "reference", unknown)]
        parse_checks(query.report)
    except ReportDefinitionError as error:
        return [Finding(file, error.line, error.rule, error.message)]
    offset = text[: text.find(query.sql)].count("\n")
    linter = _Linter(query, [references[name] for name in query.report.references])
    found = [
        *_header_findings(query.report),
        *(Finding(file, line + offset, rule, message) for line, rule, message in linter.findings()),
    ]
    if any(len(source_columns(query, table)) == len(table.columns) + 1 for table in query.tables):
        message = "The SQL says *, so every column is read and paid for. Name the columns."
        found.append(Finding(file, offset + 1, "pruning", message))
    return sorted(found, key=lambda one: one.line)


def _header_findings(report: Report) -> Iterator[Finding]:
    if report.context_seconds > LONGEST_CONTEXT:
        yield Finding(
            report.file, 1, "context", "The context is longer than a day, which no sweep looks back."
        )
    if report.mode == "keyed":
        message = "Mode keyed needs an Iceberg table of your own making; the pipeline only runs recompute."
        yield Finding(report.file, 1, "mode", message)
    names = [column.name for column in report.columns]
    if FAILED_CHECK in names or report.grain in names:
        yield Finding(
            report.file, 1, "columns", f"{FAILED_CHECK} and {report.grain} are added by the runner."
        )


class _Linter:
    """The rules that look into the statement."""

    def __init__(self, query: ReportQuery, references: Sequence[ReferenceTable]) -> None:
        self._report, self._sql, self._read = query.report, query.sql, query.tables
        self._references = references

    def findings(self) -> Iterator[tuple[int, str, str]]:
        """Line within the SQL, rule, message."""
        import sqlglot
        from sqlglot import exp
        from sqlglot.errors import SqlglotError

        try:
            parsed = sqlglot.parse(self._sql, read="athena")
        except SqlglotError as error:
            line = getattr(error, "errors", [{}])[0].get("line", 1)
            yield line or 1, "syntax", str(error).splitlines()[0]
            return
        except RecursionError:
            yield 1, "syntax", "Brackets are nested too deeply to be read. Remove some of them."
            return
        if len(parsed) != 1 or not isinstance(parsed[0], exp.Query):
            yield 1, "syntax", "The file must hold exactly one SELECT."
            return
        tree = parsed[0]
        yield from apart(tree, self._report.grain, self._report.reference_tables)
        strangers = list(self._tables(tree))
        yield from strangers
        yield from self._event_types(tree)
        if not strangers:  # else every column of theirs would be a finding besides
            yield from self._names(tree)

    def _tables(self, tree: "exp.Query") -> Iterator[tuple[int, str, str]]:
        """A report reads its sources and nothing else: only of those the runner knows when they change."""
        from sqlglot import exp

        sources = (*self._report.sources, *self._report.reference_tables)
        own = {cte.alias for cte in tree.find_all(exp.CTE)}
        for table in tree.find_all(exp.Table):
            name = table.name
            if not name or (name.lower() in (*sources, *own) and not table.args.get("db")):
                continue
            said = ".".join(part.name for part in table.parts)
            near = _suggestion(name, [*sources, *own])
            message = (
                f"{said!r} is not a table that this report can read.{near} It reads {', '.join(sources)}, by "
                f"{'that name' if len(sources) == 1 else 'these names'}, and what its own WITH defines: of "
                "other tables nobody would know when they change. Add it to the header's source line, or a "
                "reference table to its reference line."
            )
            yield line_of(table), "tables", message

    def _event_types(self, tree: "exp.Query") -> Iterator[tuple[int, str, str]]:
        """Texts that event_type is compared with, and never has."""
        from sqlglot import exp

        known = sorted({each.name for table in self._read for each in table.delivered})
        for comparison in tree.find_all(exp.EQ, exp.NEQ, exp.In):
            sides = [
                comparison.this,
                comparison.args.get("expression"),
                *comparison.args.get("expressions", []),
            ]
            if not any(isinstance(side, exp.Column) and side.name.lower() == "event_type" for side in sides):
                continue
            for side in sides:
                if isinstance(side, exp.Literal) and side.is_string and side.this not in known:
                    message = f"There is no event type {side.this!r}.{_suggestion(side.this, known)}"
                    yield line_of(comparison), "event types", f"{message} There are: {', '.join(known)}."

    def _members(self, qualified: "exp.Query") -> Iterator[tuple[int, str, str]]:
        """Fields of payload columns that their event type does not have."""
        from sqlglot import exp

        aliases: dict[str, set[str]] = {}
        for named in qualified.find_all(exp.Table):
            aliases.setdefault(named.alias_or_name, set()).add(named.name)
        for dot in qualified.find_all(exp.Dot):
            if isinstance(dot.parent, exp.Dot):
                continue
            column, *path = dot.flatten()
            if isinstance(column, exp.Column):
                steps = [step.name for step in path]
                message = self._unknown_member(column.name, steps, aliases.get(column.table, set()))
                if message:
                    yield line_of(dot), "names", message

    def _unknown_member(self, column: str, path: list[str], named: set[str]) -> str:
        """What is wrong with this path into a payload; empty when one of the tables of that name has it."""
        wrong = ""
        read = [table for table in self._read if table.name in named] or self._read
        for table in read:
            for payload in table.payload_columns:
                if payload.name == column and not (wrong := _missing_member(column, payload.type, path)):
                    return ""
        return wrong

    def _names(self, tree: "exp.Query") -> Iterator[tuple[int, str, str]]:
        from sqlglot import exp
        from sqlglot.errors import SqlglotError
        from sqlglot.optimizer.annotate_types import annotate_types
        from sqlglot.optimizer.qualify import qualify
        from sqlglot.schema import MappingSchema

        every: dict[str, str] = {}
        schema = MappingSchema(dialect="hive")
        for table in self._read:
            columns = {column.name: column.type for column in table.columns}
            columns |= {EVENT_HOUR: "string", EVENT_DATE: "string"}
            schema.add_table(table.name, columns, dialect="hive")
            every |= columns
        for reference in self._references:
            columns = {column.name: column.type for column in reference.columns} | {EDITION: "varchar"}
            schema.add_table(reference.table, columns, dialect="athena")
            every |= columns
        try:
            qualified = annotate_types(qualify(tree.copy(), schema=schema, dialect="athena"), schema=schema)
        except SqlglotError as error:
            said = str(error).splitlines()[0]
            unknown = re.search(r"'([^']+)'", said)
            near = _suggestion(unknown[1], every) if unknown else ""
            place = re.search(r"Line: (\d+)", str(error))
            yield (
                int(place[1]) if place else 1,
                "names",
                f"{said}{near} The source has: {', '.join(every)}.",
            )
            return
        assert isinstance(qualified, exp.Query)
        yield from self._members(qualified)
        returned = {one.alias_or_name: one.type for one in qualified.selects}
        declared = {column.name: column for column in self._report.columns}
        if self._report.grain not in returned:
            yield (
                1,
                "grain",
                f"The SELECT does not return {self._report.grain}, the report's partition. Add it.",
            )
        for name in declared.keys() - returned.keys():
            yield 1, "columns", f"The header declares {name!r}, which the SELECT does not return."
        for name in returned.keys() - declared.keys() - {self._report.grain}:
            yield 1, "columns", f"The SELECT returns {name!r}, which the header does not declare."
        for name, column in declared.items():
            kind = returned.get(name)
            if kind is not None and _family(kind.this.name) not in ("", _family(column.type)):
                message = f"{name} is {kind.sql('athena')} and declared {column.type}. Cast it in the SELECT."
                yield 1, "types", message


def _missing_member(column: str, kind: str, path: list[str]) -> str:
    said = column
    for step in path:
        members = {member.name: member.type for member in struct_members(kind)}
        if step not in members:
            near = _suggestion(step, members)
            return f"{said} has no field {step!r}.{near} It has: {', '.join(members)}."
        kind, said = members[step], f"{said}.{step}"
        if not kind.startswith("struct<"):
            break
    return ""


def _suggestion(name: str, known: Iterable[str]) -> str:
    near = get_close_matches(name.lower(), list(known), n=1)
    return f" Did you mean {near[0]!r}?" if near else ""


def _family(kind: str) -> str:
    kind = kind.lower().partition("(")[0]
    families = {
        "number": ("bigint", "int", "integer", "smallint", "tinyint", "double", "float", "decimal", "real"),
        "text": ("varchar", "text", "char", "string"),
        "boolean": ("boolean",),
        "time": ("timestamp", "timestamptz", "timestampntz"),
        "date": ("date",),
    }
    return next((family for family, kinds in families.items() if kind in kinds), "")
