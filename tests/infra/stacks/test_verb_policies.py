"""Of each verb it is said which policies it needs; those on call may do what the runbook asks of them."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

from infra.aws.verb_policies import ASK_NOTHING, DEPLOYERS, VERBS
from infra.stacks.people import policies
from infra.stacks.templates import ACCOUNT_ID, REGION
from tests.infra.stacks.decision_places import Case
from tests.infra.stacks.test_permissions import PRINCIPALS, decide
from tests.infra.stacks.test_runbook import RUNBOOK
from tests.shop import SHOP

CLI = Path(__file__).parents[3] / "docs" / "cli.md"
PLACE = f"{REGION}:{ACCOUNT_ID}"
OF_OTHERS = {"quicksight", "report-reader"}
"""Policies of a service's role and of programs that read reports over HTTP, as which no verb acts."""
RUNBOOKS = {
    "kinesis increase-stream-retention-period": "kinesis:IncreaseStreamRetentionPeriod",
    "logs tail": "logs:FilterLogEvents",
    "events enable-rule": "events:EnableRule",
    "sns subscribe": "sns:Subscribe",
}
"""Commands of AWS's own program that the runbook gives those on call, and the call that each makes."""
CONSOLE = (
    ("athena:ListWorkGroups", "*"),
    ("athena:ListNamedQueries", f"arn:aws:athena:{PLACE}:workgroup/penstock-analysts"),
    ("athena:ListTableMetadata", f"arn:aws:athena:{PLACE}:datacatalog/AwsDataCatalog"),
    ("glue:GetDatabases", f"arn:aws:glue:{PLACE}:database/penstock"),
    ("glue:GetTables", f"arn:aws:glue:{PLACE}:table/penstock/*"),
)
"""What Athena's console asks on its first page."""


def test_of_every_verb_it_is_said_which_policies_it_needs() -> None:
    said = {verb.partition(" --")[0] for verb in (*VERBS, *DEPLOYERS, *ASK_NOTHING)}
    documented = re.findall(r"^### `penstock (.+)`$", CLI.read_text(encoding="utf-8"), re.MULTILINE)
    assert said == set(documented)
    assert {name for names in VERBS.values() for name in names} == set(
        policies(SHOP.default, SHOP)
    ) - OF_OTHERS


def test_those_on_call_may_do_what_the_runbook_asks_of_them() -> None:
    asked = list(_runbook())
    assert {action for action, _ in asked} == set(RUNBOOKS.values())
    assert [each for each in asked if not _may("operator", *each)] == []


def test_analysts_and_quicksight_may_open_athenas_console() -> None:
    assert [
        (who, each) for who in ("analyst", "quicksight") for each in CONSOLE if not _may(who, *each)
    ] == []


def _may(policy: str, action: str, resource: str) -> bool:
    return decide(PRINCIPALS[policy].statements, Case(policy, action, resource, True))


def _runbook() -> Iterator[tuple[str, str]]:
    """(action, resource) of each command of AWS's own program that is for those on call."""
    told = (
        f"{RUNBOOK}`aws sns subscribe --topic-arn arn:aws:sns:{PLACE}:penstock-alarms`"  # as the doctor says
    )
    for text in sorted(set(re.findall(r"`aws ([^`]+)`", told))):
        words = shlex.split(" ".join(text.split()))
        action = RUNBOOKS.get(" ".join(words[:2]))
        match action:
            case "kinesis:IncreaseStreamRetentionPeriod":
                yield action, f"arn:aws:kinesis:{PLACE}:stream/{words[words.index('--stream-name') + 1]}"
            case "logs:FilterLogEvents":
                yield action, f"arn:aws:logs:{PLACE}:log-group:{words[2]}:*"
            case "events:EnableRule":
                yield action, f"arn:aws:events:{PLACE}:rule/{words[words.index('--name') + 1]}"
            case "sns:Subscribe":
                yield action, words[words.index("--topic-arn") + 1]
