"""Expressions by chance, asked of a real Trino and of the endpoint's engine: `make test-trino`.

The seed follows from the last commit, so that what is asked was not known when the code was written. Wrong is another
value or type, or an answer where Trino has an error; unclear is any error but a refusal where Trino has an answer.
`--freeze` writes expressions and Trino's answers into `generated.jsonl`, which the tests read.
"""

import argparse
import re
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from rich.progress import track

from infra.local.athena.sandbox import Sandbox
from tests.golden.athena.corpus import Golden, frozen
from tests.golden.athena.generated import expressions, overloads
from tests.golden.athena.ours import answer, sandbox_in
from tests.golden.athena.trino_oracle import OracleMissingError, asked, server, write
from tests.golden.athena.wire import same_type, same_value

COUNT, FROZEN = 10_000, 600
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
    if not same_type(ours.columns[0][1], golden.columns[0][1]):
        return f"wrong: type {ours.columns[0][1]} where Trino says {golden.columns[0][1]}"
    if not same_value(ours.rows, golden.rows):
        return f"wrong: {ours.rows} where Trino says {golden.rows}"
    return "right"


def is_compared(sql: str) -> bool:
    """Whether Trino's answer counts."""
    return not any(re.search(each, sql) for each in EXCEPTIONS)


def _seed() -> int:
    last = subprocess.run(["git", "rev-parse", "HEAD"], capture_output=True, text=True, check=True).stdout
    return int(last.strip()[:12], 16)


def _goldens(url: str, seed: int, count: int) -> Iterator[Golden]:
    for sql in track(expressions(seed, count), "Asking", disable=not sys.stderr.isatty()):
        if is_compared(sql):
            yield asked(url, sql)


def main() -> int:
    """Compare and print; 0 when nothing is wrong or unclear, or Trino cannot run here."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=COUNT)
    parser.add_argument("--seed", type=int, default=None)
    parser.add_argument("--freeze", action="store_true", help=f"write {FROZEN} answers down")
    arguments = parser.parse_args()
    seed = _seed() if arguments.seed is None else arguments.seed
    counts: Counter[str] = Counter()
    try:
        with server() as url, tempfile.TemporaryDirectory() as folder:
            if arguments.freeze:
                write("generated.jsonl", [frozen(golden) for golden in _goldens(url, seed, FROZEN)])
                return 0
            sandbox = sandbox_in(Path(folder))
            for golden in _goldens(url, seed, arguments.count):
                found = verdict(sandbox, golden)
                counts[found.partition(":")[0]] += 1
                if ":" in found:
                    sys.stdout.write(f"{golden.sql}\n    {found}\n")
            sandbox.close()
    except OracleMissingError as missing:
        sys.stderr.write(f"{missing}\n")
        return 0
    answered = counts["right"] + counts["refused"] + counts["wrong"] + counts["unclear"]
    sys.stdout.write(
        f"seed {seed}: {dict(counts)}; {counts['right'] / max(answered, 1):.1%} of what Trino answers is right; "
        f"{len({each.name for each in overloads()})} functions in {len(overloads())} signatures\n"
    )
    return 1 if counts["wrong"] or counts["unclear"] or counts["right"] < LEAST_RIGHT * answered else 0


if __name__ == "__main__":
    sys.exit(main())
