"""`penstock local check`: the permissions of every role, asked of the local IAM."""

import json as json_text
from collections import Counter
from typing import TYPE_CHECKING, Annotated, Any

import typer

from infra.command.exits import Exit
from producers.contracts import echo, printable

EXPECTED, PEOPLE = "infra/local/access/expected_permissions.py", "infra/stacks/people.py"

if TYPE_CHECKING:
    from infra.local.access.expected_permissions import Question
    from infra.local.access.permissions_check import Checked, Verdict


def check(
    context: typer.Context,
    json: Annotated[bool, typer.Option("--json", help="One JSON object on stdout.")] = False,
) -> None:
    """Prove of each role that it may do what the chain needs, and nothing of what it must not.

    Asks the IAM of the local cloud that is up, so it checks the template before any account exists. Exits
    with 1 when a role may too little or too much, or when nothing is asked about it.
    """
    from infra.aws.outputs import Outputs
    from infra.local.access import permissions_check
    from infra.local.access.expected_permissions import questions

    local = context.obj.cloud
    names = Outputs.from_document(local.outputs)
    asked = questions(names, context.obj.project.default.prefix, context.obj.project)
    found = permissions_check.check(
        local.context.client("iam"),
        permissions_check.deployed(local.outputs, names.region),
        asked,
        permissions_check.key_policies(local.context.client("kms"), asked),
    )
    if json or context.obj.json:
        echo(json_text.dumps(_facts(found)))
    else:
        _show(found)
    if not found.is_right:
        raise typer.Exit(Exit.FAILED)


def _facts(found: "Checked") -> dict[str, Any]:
    return {
        "right": found.is_right,
        "asked": len(found.verdicts),
        "roles": {name: dict(zip(("may", "must_not"), counts, strict=True)) for name, counts in _rows(found)},
        "wrong": [
            {
                "role": verdict.question.principal,
                "action": verdict.question.action,
                "resource": verdict.question.resource,
                "context": dict(verdict.question.context),
                "must_be_allowed": verdict.question.allowed,
                "decision": verdict.decision,
            }
            for verdict in found.wrong
        ],
        "unasked": list(found.unasked),
        "missing": list(found.missing),
    }


def _rows(found: "Checked") -> list[tuple[str, tuple[int, int]]]:
    """Role to (how many allowed, how many denied) of the questions that are answered as they must be."""
    right = Counter((v.question.principal, v.question.allowed) for v in found.verdicts if v.is_right)
    names = sorted({verdict.question.principal for verdict in found.verdicts})
    return [(name, (right[name, True], right[name, False])) for name in names]


def _show(found: "Checked") -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table("role", "may, as it must", "denied, as it must", "wrong")
    wrong = Counter(verdict.question.principal for verdict in found.wrong)
    for name, (may, denied) in _rows(found):
        table.add_row(*(Text(printable(cell)) for cell in (name, may, denied, wrong[name])))
    console = Console(highlight=False, markup=False, emoji=False)
    console.print(table)
    for verdict in found.wrong:
        console.print(printable(_sentence(verdict)), style="red", soft_wrap=True)
    for name in found.unasked:
        line = f"{name} is deployed, and nothing is asked about it: add it to {EXPECTED}"
        console.print(printable(line), style="red", soft_wrap=True)
    for name in found.missing:
        console.print(
            printable(f"{name} is not deployed. Run: penstock local up"), style="red", soft_wrap=True
        )


def _sentence(verdict: "Verdict") -> str:
    question = verdict.question
    given = "".join(f" with {key}={value}" for key, value in question.context.items())
    what = f"{question.principal}: {question.action} on {question.resource}{given}"
    if question.allowed:
        return f"{what} is denied ({verdict.decision}), and the chain needs it: see {_source(question)}"
    return f"{what} is allowed, and must not be: narrow the grant in {_source(question)} or {PEOPLE}"


def _source(question: "Question") -> str:
    return (
        "infra/stacks/environment_key.py"
        if question.resource.startswith("arn:aws:kms:")
        else "infra/stacks/permissions.py"
    )
