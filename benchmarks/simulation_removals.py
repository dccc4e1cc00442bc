"""The protections of the reports' code, taken away one at a time: the simulation must notice each."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any
from unittest.mock import patch

from msgspec.structs import replace

from benchmarks.simulation_parts import QUERIES
from queries.ledger import rules
from queries.refresh.catalog import ReportQuery


@contextmanager
def removed(protection: str) -> Iterator[None]:
    """The product without one of its protections."""
    claim, render = rules.claim, ReportQuery
    with ExitStack() as stack:

        def swap(name: str, value: Any) -> None:
            stack.enter_context(patch.object(rules, name, value))

        match protection:
            case "fence":
                # Claims are not told apart: every run of the same partitions has the same name and token.
                swap(
                    "claim",
                    lambda states, *rest, **named: claim(
                        [replace(one, fence=0) for one in states], *rest, **named | {"as_of": 0}
                    ),
                )
                swap("_owned", lambda run, _: run)
            case "run prefix":
                swap("claim", lambda states, *rest, **named: _in_place(claim(states, *rest, **named)))
            case "lease":
                swap("is_adoptable", lambda *_: True)
            case "dedupe":
                plain = {
                    name: render(_without_dedupe(one.report), one.sql, one.tables)
                    for name, one in QUERIES.items()
                }
                stack.enter_context(patch.dict(QUERIES, plain))
        yield


def _in_place(claimed: Any) -> Any:
    run, states = claimed
    return replace(run, location=run.location.rpartition("run=")[0] + "live/"), states


def _without_dedupe(report: Any) -> Any:
    from dataclasses import replace as changed

    return changed(report, dedupe=False)
