"""The page of the first week has every finding once, and names tests and promises of the doctor that exist."""

import re
from pathlib import Path

from infra.aws.canary import LAKE_PROMISE, REPORT_PROMISE, SWAP_PROMISE
from infra.aws.doctor import _CHECKS

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs" / "first-week.md").read_text(encoding="utf-8")
FINDINGS = 26
PROMISES = {LAKE_PROMISE, REPORT_PROMISE, SWAP_PROMISE, *(check.promise for check in _CHECKS)}


def rows() -> dict[int, tuple[str, str]]:
    """Number of a finding to what was done and what holds it."""
    found = re.findall(r"^\| (\d+) \| (.+) \| (.+) \| (.*?) ?\|$", PAGE, re.MULTILINE)
    return {int(number): (done, held) for number, _, done, held in found}


def test_every_finding_is_there_once_with_what_was_done() -> None:
    numbers = re.findall(r"^\| (\d+) \|", PAGE, re.MULTILINE)
    assert [int(number) for number in numbers] == list(range(1, FINDINGS + 1))
    assert list(rows()) == list(range(1, FINDINGS + 1))


def test_what_nothing_holds_is_open_and_says_why() -> None:
    for number, (done, held) in rows().items():
        assert held or "**open**: " in done, number
        for reason in re.findall(r"\*\*open\*\*: ([^|]+)", done):
            assert len(reason.split()) >= 5, number


def test_what_is_said_of_costs_is_held_or_open_with_a_reason() -> None:
    _, _, costs = PAGE.partition("Of what it costs:")
    found = re.findall(r"^\| (?!item|---)([^|]+) \| ([^|]+) \| (.*?) ?\|$", costs, re.MULTILINE)
    assert len(found) >= 8
    assert [item for item, done, held in found if not held and "**open**: " not in done] == []


def test_every_test_and_every_promise_that_it_names_exists() -> None:
    paths = set(re.findall(r"`(tests/[\w/]+\.py)`", PAGE))
    assert paths
    assert [path for path in sorted(paths) if not (ROOT / path).is_file()] == []
    named = {promise for _, held in rows().values() for promise in re.findall(r'"([^"]+)"', held)}
    assert named
    assert named <= PROMISES
