"""EXPLAIN: the plan that DuckDB would run, or (TYPE VALIDATE) only whether the query is right."""

import re

from infra.local.athena.engine import Engine, Run
from infra.local.athena.errors import refused
from infra.local.athena.sql.compiler import CompiledQuery
from infra.local.athena.statements import Reader, statement


def explain(engine: Engine, sql: str, run: Run) -> list[str]:
    """Lines of the answer. Raises QueryError when the query is wrong."""
    reader = Reader(sql)
    reader.expect("EXPLAIN")
    if reader.accept("ANALYZE"):
        raise refused("EXPLAIN ANALYZE", "Run the query and read its statistics.")
    kind, options = "LOGICAL", ""
    if reader.is_word("(") and not statement(reader.rest()).sql.upper().startswith(("(SELECT", "(WITH")):
        options = reader.parenthesised()
    if match := re.search(r"TYPE\s+(\w+)", options, re.IGNORECASE):
        kind = match[1].upper()
    compiled = engine.compile(reader.rest(), run, engine.catalog())
    if kind == "VALIDATE":
        return ["true"]
    if kind not in ("LOGICAL", "DISTRIBUTED", "IO"):
        raise refused(f"EXPLAIN (TYPE {kind})", "Use LOGICAL, DISTRIBUTED or VALIDATE.")
    return _plan(compiled)


def _plan(compiled: CompiledQuery) -> list[str]:
    lines = ["Plan of the local endpoint (DuckDB), not Athena's:"]
    for scan in compiled.scans:
        columns = ", ".join(column.name for column in scan.columns)
        lines.append(f"- Scan {scan.table.database}.{scan.table.name} [{columns}]")
        for name, domain in scan.domains.items():
            lines.append(
                f"    {name}: {sorted(domain.values) if domain.values is not None else [domain.low, domain.high]}"
            )
    lines.append(f"- Output [{', '.join(f'{name}:{of}' for name, of in compiled.columns)}]")
    return lines
