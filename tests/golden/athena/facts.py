"""What `docs/athena.md` says of functions, bounds and answers, made of the code: `python -m tests.golden.athena.facts`."""

import sys
from itertools import groupby
from pathlib import Path

from infra.local.athena import executions, results, worker, workers
from infra.local.athena.sandbox import DISK
from infra.local.athena.sql.functions.catalog import FUNCTIONS
from tests.golden.athena.corpus import (
    FOLDER,
    generated_golden_queries,
    golden_expressions,
    golden_queries,
)

PAGE = FOLDER.parents[2] / "docs" / "athena.md"
BEGIN, END = (f"<!-- made of the code: {word} -->" for word in ("begin", "end"))


def facts() -> str:
    """The part of the page between the marks."""
    kinds = {
        kind: sorted(
            name
            for name, listed in FUNCTIONS.overloads.items()
            if listed[0].kind == kind and name.isidentifier()
        )
        for kind in ("scalar", "aggregate", "window")
    }
    answered = "\n\n".join(
        f"**{kind.capitalize()} functions that are answered** ({len(names)}): {_listed(names)}."
        for kind, names in kinds.items()
    )
    refused = "\n".join(
        f"| {_listed(sorted(name for name, _ in group))} | {remedy} |"
        for remedy, group in groupby(
            sorted(FUNCTIONS.unsupported.items(), key=lambda item: item[1]), key=lambda item: item[1]
        )
    )
    return f"""{answered}

| functions that Trino has and that are refused | instead |
|---|---|
{refused}

| bound of an execution | |
|---|---|
| memory of its process | {worker.PROCESS_BYTES / 1e9:g} GB, of which DuckDB {worker.MEMORY} |
| what it may spill to disk | {DISK} |
| a result, or the files of an UNLOAD | {results.MOST_BYTES >> 30} GiB |
| time | {workers.QUERY_SECONDS / 60:g} minutes |
| executions at once, queued ones too | {executions.MOST_ACTIVE} |
| finished executions that are remembered | {executions.MOST_KEPT} |

| answers of Trino 476 that the tests hold | |
|---|---|
| expressions of its documentation | {len(golden_expressions())} |
| queries written for this | {len(golden_queries())} |
| expressions by chance | {len(golden_expressions("generated.jsonl"))} |
| queries by chance | {len(generated_golden_queries())} |"""


def _listed(names: list[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)


def page(text: str) -> str:
    """The page with the facts of today. Raises ValueError when a mark is missing."""
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"{PAGE.name} has no lines {BEGIN} and {END}")
    return f"{before}{BEGIN}\n\n{facts()}\n\n{END}{after}"


def main(path: Path = PAGE) -> int:
    """Write it."""
    path.write_text(page(path.read_text(encoding="utf-8")), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
