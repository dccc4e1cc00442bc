"""From an execution's statement to its outcome: which part runs it, and what it leaves in the output location."""

from typing import Any

from infra.local.athena import ddl, explain, statements
from infra.local.athena.engine import Engine, Run
from infra.local.athena.errors import QueryError
from infra.local.athena.execution import Execution, Outcome
from infra.local.athena.layout import folder
from infra.local.athena.results import ResultFiles
from infra.local.athena.sql.types import BIGINT, Type
from infra.local.athena.store import Store
from infra.local.athena.writer import Output, Written

PREPARED = "prepared"


class StatementRunner:
    """Runs every kind of statement."""

    def __init__(self, engine: Engine, results: ResultFiles, store: Store) -> None:
        self._engine, self._results, self._store = engine, results, store

    def __call__(self, execution: Execution, run: Run) -> Outcome:
        """Run the execution's statement. Raises QueryError."""
        return self._statement(statements.statement(execution.query), execution, run)

    def _statement(self, statement: statements.Statement, execution: Execution, run: Run) -> Outcome:
        match statement.kind:
            case "SELECT":
                return self._select(statement.sql, execution, run)
            case "UNLOAD":
                return self._unload(statement.sql, execution, run)
            case "EXPLAIN":
                return self._texts(
                    execution, explain.explain(self._engine, statement.sql, run), "Query Plan", header=False
                )
            case "PREPARE":
                return self._prepare(statement.sql, execution)
            case "DEALLOCATE":
                return self._deallocate(statement.sql, execution)
            case "EXECUTE":
                return self._execute(statement.sql, execution, run)
            case "CREATE_TABLE_AS_SELECT":
                return self._manifest(
                    execution,
                    ddl.create_table_as(
                        self._engine, statement.sql, run, folder(execution.output_location.rsplit("/", 1)[0])
                    ),
                )
            case "INSERT":
                return self._manifest(execution, ddl.insert(self._engine, statement.sql, run))
        made = ddl.run(self._engine, statement, run)
        self._put_text(execution, made.rows)
        self._results.keep(execution.id, made.rows, len(made.columns))
        return Outcome([[n, str(t)] for n, t in made.columns], len(made.rows), header=False)

    def _select(self, sql: str, execution: Execution, run: Run) -> Outcome:
        columns, batches = self._engine.rows(sql, run)
        rows = self._results.write(execution.id, execution.output_location, columns, batches)
        return Outcome([[name, str(of)] for name, of in columns], rows)

    def _unload(self, sql: str, execution: Execution, run: Run) -> Outcome:
        asked = statements.unload(sql)
        properties = asked.properties
        output = Output(
            folder(asked.location),
            str(properties["format"]).lower(),
            str(properties.get("compression", "")),
            tuple(properties.get("partitioned_by", ())),
            str(properties.get("field_delimiter", "\x01")),
        )
        written, _ = self._engine.write(asked.query, run, output)
        return self._manifest(execution, written, update_count=False)

    def _manifest(self, execution: Execution, written: Written, *, update_count: bool = True) -> Outcome:
        stem = execution.output_location.rsplit("/", 1)[0]
        location = f"{stem}/{execution.id}-manifest.csv"
        self._results.put_text(location, "".join(f"{address}\n" for address in written.addresses))
        if not update_count:
            return Outcome(manifest=location, rows=written.rows, update_count=written.rows)
        return Outcome([["rows", str(BIGINT)]], manifest=location, update_count=written.rows)

    def _texts(self, execution: Execution, lines: list[str], column: str, *, header: bool) -> Outcome:
        self._put_text(execution, [[line] for line in lines])
        self._results.keep(execution.id, [[line] for line in lines], 1)
        return Outcome([[column, str(Type("varchar"))]], len(lines), header=header)

    def _put_text(self, execution: Execution, rows: Any) -> None:
        text = "".join("\t".join(value or "" for value in row) + "\n" for row in rows)
        self._results.put_text(execution.output_location, text)

    def _prepare(self, sql: str, execution: Execution) -> Outcome:
        name, query = statements.prepare(sql)
        body = {
            "StatementName": name,
            "QueryStatement": query,
            "WorkGroupName": execution.work_group,
            "LastModifiedTime": execution.submitted,
        }
        self._store.put(PREPARED, execution.work_group, name, body)
        return Outcome(header=False)

    def _deallocate(self, sql: str, execution: Execution) -> Outcome:
        reader = statements.Reader(sql)
        reader.expect("DEALLOCATE", "PREPARE")
        name = reader.name()
        if not self._store.delete(PREPARED, execution.work_group, name):
            raise QueryError("NOT_FOUND", f"Prepared statement not found: {name}")
        return Outcome(header=False)

    def _execute(self, sql: str, execution: Execution, run: Run) -> Outcome:
        name, parameters = statements.execute(sql)
        body = self._store.get(PREPARED, execution.work_group, name)
        if body is None:
            raise QueryError(
                "NOT_FOUND",
                f"Prepared statement not found: {name}. Create it in workgroup {execution.work_group}.",
            )
        if parameters:
            run.parameters = parameters
        return self._statement(statements.statement(body["QueryStatement"]), execution, run)
