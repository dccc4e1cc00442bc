"""Computing a period again from the command line: forecast, question, progress, result."""

import time
from dataclasses import asdict

import typer

from queries.commands import backfill, present
from queries.commands.cost import human_bytes
from queries.commands.target import Target
from queries.commands.waiting import wait_for
from queries.contracts import echo
from queries.reference.versions import current_versions
from queries.refresh.catalog import ReportQuery
from queries.service import ReportService


class DeclinedError(Exception):
    """Somebody was asked whether to go on, and did not say yes."""

    def __init__(self) -> None:
        super().__init__("nothing was computed. Answer y to go on, or pass --yes.")


def compute_again(
    target: Target,
    service: ReportService,
    query: ReportQuery,
    period: tuple[str, str],
    *,
    words: tuple[str, str],
    yes: bool,
    timeout: float,
    as_json: bool,
    force: bool = False,
) -> None:
    """Say what it costs, ask unless `yes`, and wait at most `timeout` seconds until it is done.

    `period` is the first and the last partition; `words` say what partitions are called, and what those are
    that need nothing. Raises DeclinedError when the answer is no.
    """
    references = current_versions(service.store, query.report)
    plan = backfill.forecast(service.ledger, service.lake, query, *period, force=force, references=references)
    echo(
        f"{len(plan.partitions)} {words[0]} ({plan.unchanged} more are {words[1]}), "
        f"{plan.statements} statements, {'about' if plan.measured else 'at most'} "
        f"{human_bytes(plan.bytes_scanned)} scanned, ${plan.dollars:.4f}",
        err=True,
    )
    if plan.partitions and not yes and not _agrees():
        raise DeclinedError
    service.refresher.mark(plan.partitions, force=force, at_once=True)
    standing = wait_for(
        plan.partitions,
        ledger=service.ledger,
        lambda_client=target.client("lambda"),
        query_function=target.query_function,
        timeout_seconds=timeout,
        clock=time.monotonic,
        sleep=time.sleep,
        progress=present.progress_bar(len(plan.partitions)),
    )
    told = asdict(plan) | {"partitions": len(plan.partitions)} | standing
    present.show_one(told, as_json=as_json or target.json)


def _agrees() -> bool:
    """The answer; where nobody can be asked, or Ctrl-C is pressed, it is no."""
    try:
        return typer.confirm("Go on?", err=True)
    except typer.Abort:
        echo(err=True)
        return False
