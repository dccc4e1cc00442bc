"""`penstock explain`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import msgspec
import typer

from infra.command.exits import Exit
from producers.contracts import echo, printable

if TYPE_CHECKING:
    from infra.command.target import Target
    from queries.receipts.cell import Asked
    from queries.receipts.explaining import Explainer
    from queries.receipts.model import Comparison, Receipt
    from queries.refresh.catalog import ReportQuery


class NotAgreedError(Exception):
    """Somebody was asked whether to go on, and did not say yes."""

    def __init__(self) -> None:
        super().__init__("nothing was asked of Athena. Answer y to go on, or pass --yes.")


def explain(
    context: typer.Context,
    report: Annotated[str, typer.Argument(metavar="REPORT", help="Name of a report.")],
    partition: Annotated[str, typer.Argument(metavar="PARTITION", help="An hour or a day of it.")],
    words: Annotated[
        list[str],
        typer.Argument(metavar="[KEY=VALUE]... COLUMN", help="The row by its keys, and the number in it."),
    ],
    diff: Annotated[
        int | None,
        typer.Option("--diff", metavar="VERSION", help="What made the difference to this earlier version."),
    ] = None,
    html: Annotated[
        Path | None, typer.Option("--html", metavar="FILE", help="Write one HTML file, too.")
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", help="On AWS: do not ask before Athena is paid.")] = False,
    json: Annotated[bool, typer.Option("--json", help="One JSON object on stdout.")] = False,
) -> None:
    """Say what a number was computed from: events, objects, SQL, versions, and what is missing of it.

    Exits with 3 when something is lost, or a sequence has a gap.
    """
    from infra.receipts.explainer import explainer_of, surroundings_of
    from infra.receipts.place import place_of
    from queries.receipts import page, text
    from queries.receipts.cell import parse_words
    from queries.receipts.comparing import compare
    from queries.refresh.catalog import report_query

    target: Target = context.obj
    query = report_query(target.project.catalog, report)
    asked = parse_words(query.report, partition, words)
    place = place_of(target)
    around = surroundings_of(place)
    explainer = explainer_of(place, around)
    if target.kind == "aws":
        _agree(explainer, query, asked, yes=yes)
    as_json = json or target.json
    if diff is not None:
        found = compare(explainer, around, query, asked, diff)
        _show(found, list(text.comparison_lines(found)), as_json=as_json)
        _write(html, page.comparison_page(found) if html else "")
        return
    receipt = explainer.explain(query, asked)
    _show(receipt, list(text.receipt_lines(receipt)), as_json=as_json)
    _write(html, page.receipt_page(receipt) if html else "")
    if any(each.startswith(("LOST", "GAP")) for each in receipt.findings):
        raise typer.Exit(Exit.UNBALANCED)


def _show(found: "Receipt | Comparison", lines: list[str], *, as_json: bool) -> None:
    if as_json:
        echo(msgspec.json.encode(found).decode())
        return
    for line in lines:
        echo(printable(line))


def _write(file: Path | None, content: str) -> None:
    if file is not None:
        file.write_text(content, encoding="utf-8")
        echo(f"written: {printable(str(file))}", err=True)


def _agree(explainer: "Explainer", query: "ReportQuery", asked: "Asked", *, yes: bool) -> None:
    """Say what it costs at most, and ask. Raises NotAgreedError."""
    echo(str(explainer.forecast(query.report, asked.partition)), err=True)
    if not yes and not _said_yes():
        raise NotAgreedError


def _said_yes() -> bool:
    """The answer; where nobody can be asked, or Ctrl-C is pressed, it is no."""
    try:
        return typer.confirm("Go on?", err=True)
    except typer.Abort:
        echo(err=True)
        return False
