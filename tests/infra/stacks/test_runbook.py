"""Every alarm has an entry in the runbook, and every command of the runbook exists."""

import re
import shlex
from pathlib import Path
from typing import Any

import pytest
import typer
from msgspec import structs
from typer.core import TyperGroup
from typer.main import get_command

from infra.aws.synth import PACKAGED
from infra.command.cli import app
from infra.stacks.alarms import alarm_rules, stream_rules
from infra.stacks.templates import of_type, read
from tests.shop import SHOP, WEB

DOCS = Path(__file__).parents[3] / "docs"
RUNBOOK = (DOCS / "runbook.md").read_text(encoding="utf-8")
PAGES = {"runbook.md": RUNBOOK, "deploy.md": (DOCS / "deploy.md").read_text(encoding="utf-8")}
RULES = {rule.name: rule for rule in alarm_rules(SHOP.default, [WEB], hooks=True, imports=True)}
DIRECT = structs.replace(WEB, ingest="direct", plain_names=False)


def kinds() -> list[str]:
    """Every kind of alarm: the shop's, and behind those of its stream those that only a direct stream has."""
    shop = list(RULES)
    others = [rule.kind for rule in stream_rules(SHOP.default, DIRECT) if rule.kind not in RULES]
    at = shop.index("stream-throttled") + 1
    return [*shop[:at], *others, *shop[at:]]


def entries() -> dict[str, str]:
    parts = re.split(r"^## (.+)$", RUNBOOK.partition("# Not an alarm")[0], flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def test_the_runbook_has_one_entry_for_each_alarm_in_the_same_order() -> None:
    assert list(entries()) == kinds()


@pytest.mark.parametrize("name", sorted(kinds()))
def test_each_entry_says_what_it_means_what_fixes_it_and_how_one_sees_that(name: str) -> None:
    text = entries()[name]
    assert "**Means**" in text
    assert "**Resolved when**" in text
    assert re.search(r"\*\*(Fix|Then|First)\*\*", text)
    assert "`penstock" in text or "](#" in text or "quota" in text


def test_the_templates_alarms_are_the_rules_and_point_into_the_runbook() -> None:
    alarms = {
        each.properties["AlarmName"]: each.properties
        for each in of_type(read(PACKAGED), "AWS::CloudWatch::Alarm")
    }
    assert alarms.keys() == {f"penstock-{name}" for name in RULES}
    for name, rule in RULES.items():
        alarm = alarms[f"penstock-{name}"]
        assert alarm["AlarmDescription"].endswith(f"docs/runbook.md#{name}")
        assert alarm["AlarmActions"]
        assert (alarm["Namespace"], alarm["MetricName"]) == (rule.namespace, rule.metric)
        assert alarm["TreatMissingData"] == rule.missing


def test_silence_fires_where_silence_is_the_fault() -> None:
    assert {name for name, rule in RULES.items() if rule.missing == "breaching"} == {
        "queries-silent",
        "reports-stale",
    }


def commands() -> list[tuple[str, str]]:
    found = []
    for page, text in PAGES.items():
        joined = re.sub(r"`([^`]*)`", lambda match: f"`{' '.join(match[1].split())}`", text)
        inline = re.findall(r"`(penstock [^`]*)`", joined)
        blocks = re.findall(r"^(penstock [^#\n]*)", text, flags=re.MULTILINE)
        found += [(page, command.strip()) for command in (*inline, *blocks)]
    return sorted({(page, command) for page, command in found if "-" not in command.split()[0]})


@pytest.mark.parametrize(("page", "command"), commands())
def test_every_command_of_the_pages_exists_with_its_options(page: str, command: str) -> None:
    words = shlex.split(command)[1:]
    group: Any = get_command(app)
    context = typer.Context(group)
    while words and isinstance(group, TyperGroup):
        while words and words[0].startswith("--"):
            assert words.pop(0) in {opt for parameter in group.params for opt in parameter.opts}
            words.pop(0)
        name, found, rest = group.resolve_command(context, words)
        assert found is not None, f"{page}: {name}"
        group, words, context = found, rest, typer.Context(found, parent=context)
    known = {opt for parameter in group.params for opt in (*parameter.opts, *parameter.secondary_opts)}
    unknown = [word for word in words if word.startswith("--") and word not in known]
    assert not unknown, f"{page}: {command}: {unknown} are none of {sorted(known)}"
