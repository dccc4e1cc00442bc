"""Expressions and queries by chance, asked of a real Trino and of the endpoint's engine: `make test-trino`.

The seed follows from the last commit, so that what is asked was not known when the code was written. Wrong is another
value or type, or an answer where Trino has an error; unclear is any error but a refusal where Trino has an answer.
`--freeze` writes some of both with Trino's answers into `generated.jsonl` and `generated_queries.jsonl`, which the
tests read.
"""

import argparse
import re
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from rich.progress import track

from infra.local.athena.sandbox import Sandbox
from tests.golden.athena.corpus import Golden, frozen, frozen_query
from tests.golden.athena.generated import expressions, overloads
from tests.golden.athena.generated_queries import generated_queries
from tests.golden.athena.ours import answer, sandbox_in
from tests.golden.athena.trino_oracle import OracleMissingError, asked, asked_query, server, write
from tests.golden.athena.wire import same_type, same_value

COUNT, QUERIES, FROZEN, FROZEN_QUERIES = 10_000, 3_000, 600, 150
LEAST_RIGHT = 0.9
EXCEPTIONS = (
    # Trino 476 truncates towards zero before 1970: the second before is named.
    r"CAST\(TIMESTAMP '1969-12-31 23:00:00.001' AS time\)",
    # Trino 476 gives a value that its own type cannot hold, or fails on it.
    r"bitwise_right_shift\(.*-2147483648\)",
    r"from_unixtime\(nan\(\)",
)
"""What Trino 476 answers and nobody should: not compared."""


def verdict(sandbox: Sandbox, golden: Golden) -> str:
    """`right`, `refused`, `both fail`, or what is not so, beginning with `wrong` or `unclear`."""
    ours = answer(sandbox, golden.full)
    if golden.error:
        return "both fail" if ours.error else f"wrong: answers {ours.rows} where Trino says {golden.error}"
    if ours.error:
        return "refused" if ours.error.startswith("NOT_SUPPORTED") else f"unclear: {ours.error}"
    if len(ours.columns) != len(golden.columns) or not all(map(_same, ours.columns, golden.columns)):
        return f"wrong: columns {ours.columns} where Trino says {golden.columns}"
    if not same_value(ours.rows, golden.rows):
        return f"wrong: {ours.rows} where Trino says {golden.rows}"
    return "right"


def _same(ours: Sequence[str], theirs: Sequence[str]) -> bool:
    """Whether a column has Trino's name (an expression's is not kept) and type."""
    return theirs[0] in ("", ours[0]) and same_type(ours[1], theirs[1])


def is_compared(sql: str) -> bool:
    """Whether Trino's answer counts."""
    return not any(re.search(each, sql) for each in EXCEPTIONS)


def _seed() -> int:
    last = subprocess.run(["git", "rev-parse", "HEAD"], capture_output=True, text=True, check=True).stdout
    return int(last.strip()[:12], 16)


def _expressions(url: str, seed: int, count: int) -> Iterator[Golden]:
    for sql in track(expressions(seed, count), "Expressions", disable=not sys.stderr.isatty()):
        if is_compared(sql):
            yield asked(url, sql)


def _queries(url: str, seed: int, count: int) -> Iterator[Golden]:
    for sql in track(generated_queries(seed, count), "Queries", disable=not sys.stderr.isatty()):
        yield asked_query(url, sql)


def _compared(sandbox: Sandbox, goldens: Iterable[Golden]) -> Counter[str]:
    """How many of each verdict; what is wrong or unclear is printed."""
    counts: Counter[str] = Counter()
    for golden in goldens:
        found = verdict(sandbox, golden)
        counts[found.partition(":")[0]] += 1
        if ":" in found:
            sys.stdout.write(f"{golden.sql}\n    {found}\n")
    return counts


def _summed_up(what: str, counts: Counter[str]) -> bool:
    """Print the counts; whether they are good enough."""
    answered = counts["right"] + counts["refused"] + counts["wrong"] + counts["unclear"]
    share = counts["right"] / max(answered, 1)
    sys.stdout.write(f"{what}: {dict(counts)}; {share:.1%} of what Trino answers is right\n")
    return not counts["wrong"] and not counts["unclear"] and share >= LEAST_RIGHT


def main() -> int:
    """Compare and print; 0 when nothing is wrong or unclear, or Trino cannot run here."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=COUNT, help="expressions")
    parser.add_argument("--queries", type=int, default=QUERIES)
    parser.add_argument("--seed", type=int, default=None)
    parser.add_argument("--freeze", action="store_true", help="write some answers down")
    arguments = parser.parse_args()
    seed = _seed() if arguments.seed is None else arguments.seed
    sys.stdout.write(
        f"seed {seed}; {len({each.name for each in overloads()})} functions in {len(overloads())} signatures\n"
    )
    try:
        with server() as url, tempfile.TemporaryDirectory() as folder:
            if arguments.freeze:
                write("generated.jsonl", [frozen(golden) for golden in _expressions(url, seed, FROZEN)])
                write("generated_queries.jsonl", list(map(frozen_query, _queries(url, seed, FROZEN_QUERIES))))
                return 0
            sandbox = sandbox_in(Path(folder))
            alone = _compared(sandbox, _expressions(url, seed, arguments.count))
            whole = _compared(sandbox, _queries(url, seed, arguments.queries))
            sandbox.close()
    except OracleMissingError as missing:
        sys.stderr.write(f"{missing}\n")
        return 0
    good = [_summed_up("expressions", alone), _summed_up("queries", whole)]
    return 0 if all(good) else 1


if __name__ == "__main__":
    sys.exit(main())
