"""`python -m tests.golden.athena.grammar`: part of `make check`, skipped with a line where npm is not available.

DuckDB, which answers locally, takes SQL that Athena refuses. The grammar is the part of that which can be seen
offline; names and types are `penstock reports lint`'s.
"""

import json
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from queries.refresh.rendering import select
from tests.golden.athena import corpus
from tests.shop import CATALOG

HERE = Path(__file__).parent
INSTALLED = Path(".cache") / "grammar"
BROKEN = "SELECT a FROM WHERE b"
"""Is refused, or the check is blind."""
_SECONDS = 120
"""An installation without a network would otherwise retry for minutes."""


def statements() -> dict[str, str]:
    """Name to text: what each report runs, and every golden query that a real Trino answered."""
    partition = {"event_hour": "2026-11-24-10", "event_date": "2026-11-24"}
    reports = {
        f"report {name}": select(query, [partition[query.report.grain]]) for name, query in CATALOG.items()
    }
    answered = [each for each in (*corpus.golden_queries(), *corpus.golden_expressions()) if not each.error]
    return reports | {f"golden {number}: {each.sql}": each.full for number, each in enumerate(answered)}


def check(node: str, texts: Mapping[str, str]) -> dict[str, list[str]]:
    """Name to the errors of each text that has any. Raises CalledProcessError."""
    ran = subprocess.run(
        [node, str(HERE / "check.mjs"), str(INSTALLED.resolve())],
        input=json.dumps(list(texts.values())),
        capture_output=True,
        text=True,
        check=True,
    )
    return {name: errors for name, errors in zip(texts, json.loads(ran.stdout), strict=True) if errors}


def install(npm: str) -> bool:
    """Fetch the parser unless it is there; False when it cannot be fetched."""
    wanted = (HERE / "package.json").read_text(encoding="utf-8")
    kept = INSTALLED / "package.json"
    if (INSTALLED / "node_modules").is_dir() and kept.read_text(encoding="utf-8") == wanted:
        return True
    INSTALLED.mkdir(parents=True, exist_ok=True)
    kept.write_text(wanted, encoding="utf-8")
    command = [npm, "install", "--no-audit", "--no-fund", "--no-package-lock", "--ignore-scripts", "--silent"]
    try:
        subprocess.run(command, cwd=INSTALLED, check=True, timeout=_SECONDS)
    except (subprocess.CalledProcessError, subprocess.TimeoutExpired):
        shutil.rmtree(INSTALLED)
        return False
    return True


def main() -> int:
    """Print what is wrong; 1 when anything is."""
    npm, node = shutil.which("npm"), shutil.which("node")
    if npm is None or node is None:
        _say("Grammar check skipped: it needs npm and Node.")
        return 0
    if not install(npm):
        _say("Grammar check skipped: npm could not install dt-sql-parser.")
        return 0
    texts = statements()
    found = check(node, {"": BROKEN} | texts)
    if not found.pop("", None):
        _say(f"The grammar check is blind: it takes {BROKEN!r}.")
        return 1
    for name, errors in found.items():
        _say(f"{name}\n  " + "\n  ".join(errors))
    _say(f"Grammar: {len(texts) - len(found)} of {len(texts)} statements are Trino's.")
    return 1 if found else 0


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")


if __name__ == "__main__":
    sys.exit(main())
