"""The README's sequence again and again:
`python -m benchmarks.readme_sequence access.log.gz --wanted 9999`

`produce replay FILE`, `reports refresh --wait`, `query`: readers must see every page view of the file each
time. Runs on the local cloud of the folder that is given, which stays up.
"""

import argparse
import calendar
import gzip
import json
import re
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

MONTH = re.compile(rb"/[A-Z][a-z]{2}/\d{4}:")
PAGE_VIEWS = (
    "SELECT sum(page_views) AS views FROM top_pages_by_day WHERE event_date BETWEEN '{first}' AND '{last}'"
)


@dataclass(frozen=True)
class Round:
    """One round: page views that it added, and how long replay and refresh took."""

    added: int
    replay_seconds: float
    refresh_seconds: float
    waited_for: str


def page_views(folder: Path, days: tuple[str, str]) -> int:
    """What readers see of these days (first, last)."""
    answer = penstock(folder, "query", PAGE_VIEWS.format(first=days[0], last=days[1]), "--json")
    return int(json.loads(answer.stdout)["rows"][0]["views"] or 0)


def one_round(folder: Path, log: Path, days: tuple[str, str]) -> Round:
    """The sequence, once."""
    before = page_views(folder, days)
    began = time.monotonic()
    # Every real log has a line that is not a request: it is sent as unreadable, and the exit code says so.
    penstock(folder, "produce", "replay", str(log), codes=(0, 3))
    replayed = time.monotonic()
    refreshed = penstock(folder, "reports", "refresh", "--wait")
    ended = time.monotonic()
    return Round(page_views(folder, days) - before, replayed - began, ended - replayed, refreshed.stderr)


def penstock(
    folder: Path, *arguments: str, codes: tuple[int, ...] = (0,)
) -> "subprocess.CompletedProcess[str]":
    """The command, on the local cloud of the folder. Raises CalledProcessError for an exit code that is none
    of these, and shows what it said.
    """
    command: list[Any] = [sys.executable, "-m", "infra.command.cli", *arguments]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode not in codes:
        sys.stderr.write(done.stderr)
        done.check_returncode()
    return done


def moved(log: Path, into: Path, number: int) -> tuple[str, str]:
    """The log of one month, in another month for each number; the first and the last day of that month.

    The ids of events follow from their lines: the same file again would add nothing.
    """
    text = gzip.decompress(log.read_bytes()) if log.suffix == ".gz" else log.read_bytes()
    found = MONTH.search(text)
    assert found is not None, f"{log} has no time of an access log"
    year, month = 2014 - number // 12, number % 12 + 1
    into.write_bytes(text.replace(found[0], f"/{calendar.month_abbr[month]}/{year}:".encode()))
    return f"{year}-{month:02d}-01", f"{year}-{month:02d}-31"


def main() -> int:
    """Run the rounds; 1 when one of them lacks an event."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("log", type=Path, help="A combined log of one month, perhaps gzipped.")
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--wanted", type=int, required=True, help="Page views in the file.")
    parser.add_argument("--folder", type=Path, default=Path.cwd())
    asked = parser.parse_args()
    penstock(asked.folder, "local", "up")
    short = 0
    for number in range(asked.rounds):
        log = asked.folder.resolve() / "moved.log"
        days = moved(asked.log, log, number)
        if page_views(asked.folder, days):
            parser.error(f"{asked.folder} has events of {days[0]} already, which count once: take another")
        found = one_round(asked.folder, log, days)
        short += found.added != asked.wanted
        print(
            f"{number + 1:>3}: {found.added:,} of {asked.wanted:,} page views; "
            f"replay {found.replay_seconds:.1f} s, refresh --wait {found.refresh_seconds:.1f} s",
            flush=True,
        )
    print(f"{asked.rounds - short} of {asked.rounds} rounds right")
    return int(short > 0)


if __name__ == "__main__":
    sys.exit(main())
