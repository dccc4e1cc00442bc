"""Whatever a value holds, it is printed as data: no terminal codes, no markup, no forged lines."""

import ast
import io
import json
import logging
from collections.abc import Callable
from functools import cache
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console
from typer import BadParameter
from typer.testing import CliRunner

from infra.accounting.present import report_tables
from infra.command import failures, local_cli
from infra.command.progress import Steps
from infra.local.parts.log_lines import LogLines
from infra.local.paths import LocalPaths
from producers.commands.cli import app as produce_app
from producers.commands.target import own_target
from producers.contracts import message, printable, printable_lines
from producers.spool.folder import Spool
from queries.commands import cli as queries_cli
from queries.commands import dlq_cli, present, sealing_cli
from queries.engine.port import QueryFailedError, Rows
from tests.shop import REPORTS, SHOP
from tests.transforms.failed.memory_bucket import MemoryObjects, error_line
from transforms.failed import cli as failed_cli
from transforms.settings import read_keys

ROOT = Path(__file__).parents[2]
HOSTILE = (
    "\x1b]0;owned\x07\x1b[2J[/x][bold red]\x9b31m\x7f\u202egpj.exe\u2066\u2028\u200b\r\nforged :smile: \\ "
    "/blog/[slug] \ud800 [link=http://x]"
)
SHOWN = (
    r"\x1b]0;owned\x07\x1b[2J[/x][bold red]\x9b31m\x7f\u202egpj.exe\u2066\u2028\u200b\r\nforged :smile: \ "
)
KEYS = "k1:" + "ab" * 32


def is_shown_as_data(text: str, *, whole: str = SHOWN) -> bool:
    return whole in text and all(each.isprintable() or each in "\n\t" for each in text)


@given(st.text(st.characters()))
def test_every_character_that_is_printed_can_be_seen(text: str) -> None:
    assert printable(text).isprintable()
    assert all(each.isprintable() or each in "\n\t" for each in printable_lines(text))
    assert not any(line and line[:2] != "  " for line in message(text).split("\n")[1:])


@given(st.text(st.characters(categories=("L", "N", "P", "S"))))
def test_what_can_be_seen_is_printed_as_it_is(text: str) -> None:
    assert printable(text) == text


def test_a_hostile_value_keeps_every_character_of_it_readable() -> None:
    assert printable(HOSTILE).startswith(SHOWN)
    assert printable(HOSTILE).endswith(r"/blog/[slug] \ud800 [link=http://x]")


class HostileEngine:
    """Answers every query with the hostile value, as column name and as cell."""

    def rows(self, sql: str, parameters: Any = ()) -> Rows:
        if "broken" in sql:
            raise QueryFailedError(f"Column '{HOSTILE}' cannot be resolved")
        columns = [HOSTILE, "n", "nested"]
        return Rows(columns, ["varchar", "bigint", "row"], [(HOSTILE, 1, {"a": [HOSTILE]})], 10, 0.1)


@pytest.fixture
def target(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """What the verbs are given, with an engine, a ledger and a queue that hold the hostile value."""
    state = SimpleNamespace(
        key="top_pages_by_day/2026-11-24",
        report="top_pages_by_day",
        partition=HOSTILE,
        published=None,
        is_stale=True,
        condition="quarantined",
        last_error=HOSTILE,
    )
    service = SimpleNamespace(
        store=None,
        engine=HostileEngine(),
        ledger=SimpleNamespace(report=lambda name: [state] if "top" in name else []),
    )
    monkeypatch.setattr(queries_cli, "report_service", lambda *_, **__: service)
    monkeypatch.setattr(sealing_cli, "report_service", lambda *_, **__: service)

    def client(name: str) -> Any:
        sent = [{"Messages": [{"MessageId": "1", "ReceiptHandle": "1", "Body": HOSTILE}]}, {}]
        return SimpleNamespace(
            receive_message=lambda **_: sent.pop(0), change_message_visibility=lambda **_: None
        )

    return SimpleNamespace(
        json=False, client=client, dead_letter_queue_url="q", queue_url="q", query_function="f", project=SHOP
    )


REPORT_VERBS: dict[str, tuple[str, ...]] = {
    "list": ("list", "top_pages_by_day"),
    "run": ("run", "top_pages_by_day", "--day", "2026-11-24"),
}


@pytest.mark.parametrize("verb", REPORT_VERBS)
def test_a_verb_of_reports_prints_values_as_data(target: SimpleNamespace, verb: str) -> None:
    ran = CliRunner().invoke(queries_cli.reports_app, REPORT_VERBS[verb], obj=target)
    assert ran.exit_code == 0, ran.exception
    assert is_shown_as_data(ran.output)


def test_a_query_prints_values_and_names_of_columns_as_data(
    target: SimpleNamespace, capsys: pytest.CaptureFixture[str]
) -> None:
    queries_cli.query(SimpleNamespace(obj=target), "SELECT 1")  # type: ignore[arg-type]
    assert capsys.readouterr().out.count(SHOWN) == 3 - 1  # the nested one is the value's own repr
    queries_cli.query(SimpleNamespace(obj=target), "SELECT 1", as_json=True)  # type: ignore[arg-type]
    told = json.loads(capsys.readouterr().out)
    assert told["rows"][0][HOSTILE] == HOSTILE


def test_differences_between_reports_are_printed_as_data(capsys: pytest.CaptureFixture[str]) -> None:
    present.show([{"row": {"path": HOSTILE}, "old": HOSTILE}], as_json=False)
    assert is_shown_as_data(capsys.readouterr().out)


def test_one_object_is_printed_as_data(capsys: pytest.CaptureFixture[str]) -> None:
    present.show_one({HOSTILE: HOSTILE}, as_json=False)
    printed = capsys.readouterr().out
    assert is_shown_as_data(printed)
    assert printed.count("\n") == 1


def test_dead_letters_are_printed_as_data(target: SimpleNamespace) -> None:
    ran = CliRunner().invoke(dlq_cli.app, ["list"], obj=target)
    assert ran.exit_code == 0, ran.exception
    assert is_shown_as_data(ran.output)


def test_the_tables_of_the_demo_are_printed_as_data() -> None:
    told = io.StringIO()

    class Engine(HostileEngine):
        def rows(self, sql: str, parameters: Any = ()) -> Rows:
            columns = sql.removeprefix("SELECT ").partition(" FROM")[0].split(", ")
            return Rows(columns, ["varchar"] * len(columns), [["[/x]\x1b]0;t\x07"] * len(columns)], 0, 0)

    console = Console(file=told, width=2_000, highlight=False, markup=False, emoji=False)
    report_tables(Engine(), REPORTS.values(), console)
    assert is_shown_as_data(told.getvalue(), whole=r"[/x]\x1b]0;t\x07")


def test_steps_and_their_details_are_printed_as_data() -> None:
    told = io.StringIO()
    steps = Steps(told, clock=lambda: 0.0)
    with steps.step(HOSTILE) as detail:
        detail(HOSTILE)
    steps.say(HOSTILE)
    with pytest.raises(OSError), steps.step(HOSTILE):
        raise OSError
    assert is_shown_as_data(told.getvalue())
    assert told.getvalue().count(SHOWN) == 4
    assert told.getvalue().count("\n") == 3


@pytest.mark.parametrize(
    "error",
    [
        QueryFailedError(HOSTILE),
        OSError(2, "No such file", HOSTILE),
        ValueError(HOSTILE),
        BadParameter(HOSTILE),
    ],
)
@pytest.mark.parametrize("debug", [False, True])
def test_errors_that_quote_their_input_are_printed_as_data(error: Exception, debug: bool) -> None:
    told = io.StringIO()
    failures.report(error, told, debug=debug)
    assert is_shown_as_data(told.getvalue(), whole=r"\x1b[2J[/x][bold red]\x9b31m\x7f\u202egpj")
    assert not any(line.startswith("forged") for line in told.getvalue().splitlines())


@pytest.fixture
def failed(monkeypatch: pytest.MonkeyPatch) -> Callable[..., str]:
    """Runs a verb of `penstock failed` over a record whose every part is hostile."""
    objects = MemoryObjects()
    members = dict.fromkeys(("event_type", "producer_id", "event_time", "epoch", "seq"), HOSTILE[:-25])
    line = {"event_type": "unreadable_line", "event_id": "01927f2e-7b1c-7abc-8def-0123456789ab"}
    text = HOSTILE.replace("\ud800", "")
    payload = {"line": text, "position": f"{text}:3", "reason": text}
    head = {"schema_version": 1, "event_time": "2026-11-24T10:11:12Z", "source": "s", "producer_id": "p"}
    unread = json.dumps({**line, **head, "epoch": 1, "seq": 1, "payload": payload})
    objects.bodies["failed/\x1b]0;x\x07[/x]/dt=2026-11-24/a"] = b"".join(
        error_line(raw, 1, errorCode=HOSTILE, errorMessage=HOSTILE)
        for raw in (json.dumps(members).encode(), HOSTILE.encode("utf-8", "replace"), unread.encode())
    )
    monkeypatch.setattr(failed_cli, "_objects", lambda _: objects)
    monkeypatch.setattr(failed_cli, "deployed_keys", lambda *_: read_keys(KEYS))

    def run(*arguments: str) -> str:
        ran = CliRunner().invoke(
            failed_cli.failed_app, arguments, obj=SimpleNamespace(json=False, project=SHOP)
        )
        assert ran.exit_code == 0, ran.exception
        return ran.output

    return run


def test_failed_records_are_listed_explained_and_replayed_as_data(failed: Callable[..., str]) -> None:
    listed = failed("list", "--records", "--by", "kind")
    assert is_shown_as_data(listed, whole="(none)")
    assert "owned" not in listed
    found = json.loads(failed("list", "--json"))["records"]
    for record in found:
        assert is_shown_as_data(failed("explain", record["record_id"]))
    assert is_shown_as_data(failed("replay", "--dry-run"), whole="events")


def test_the_spool_and_the_summary_of_a_replay_are_printed_as_data(tmp_path: Path) -> None:
    name = HOSTILE.replace("/", "").replace("\ud800", "")
    folder = tmp_path / name
    Spool(folder).close()
    ran = CliRunner().invoke(produce_app, ["spool", "list", str(folder)], obj=own_target())
    assert ran.exit_code == 0, ran.exception
    assert is_shown_as_data(ran.output, whole=r"\x1b]0;owned\x07\x1b[2J[x][bold red]\x9b31m")


def test_the_status_of_the_local_cloud_is_printed_as_data(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    from infra.local.status import summary

    found = {"up": True, "processes": {"ministack": None, "server": None}, "message": HOSTILE}
    monkeypatch.setattr(summary, "of", lambda _: found)
    monkeypatch.setattr(local_cli, "here", lambda: LocalPaths.of(tmp_path))
    ran = CliRunner().invoke(local_cli.app, ["status"], obj=SimpleNamespace(json=False))
    assert ran.exit_code == 0, ran.exception
    whole = SHOWN.replace(r"\n", "\n").replace(r"\r", r"\r")
    assert is_shown_as_data(ran.output, whole=whole.partition("forged")[0])


def test_a_line_of_the_local_servers_log_is_one_line_of_data() -> None:
    try:
        raise ValueError(HOSTILE)
    except ValueError as error:
        info = (type(error), error, error.__traceback__)
    record = logging.LogRecord("n", logging.ERROR, "p", 1, "defect: %s", (HOSTILE,), info)
    text = LogLines().format(record)
    assert is_shown_as_data(text, whole=r"\x1b[2J[/x][bold red]\x9b31m\x7f\u202egpj")
    assert not any(line.startswith("forged") for line in text.splitlines())


# --- that no place prints in another way

PACKAGES = ("producers", "transforms", "queries", "dashboards", "infra")
WRITES_ITSELF = {
    "producers/contracts/printing.py": "is what the others write through",
    "producers/commands/progress.py": "moves the cursor; writes numbers and a word of ours",
    "infra/command/failures.py": "writes to a stream that it is given; escapes itself",
    "infra/aws/role_matrix.py": "writes a page of the documents",
    "infra/cost/page.py": "writes a page of the documents",
    "infra/aws/relock.py": "for developers: names of our own files",
    "infra/aws/synth.py": "for developers: names of our own files",
}
_PRINTS = (
    "typer.echo",
    "typer.secho",
    "click.echo",
    "click.secho",
    "print",
    "sys.stdout.write",
    "sys.stderr.write",
)
_MARKUP = ("Table", "Panel", "Status", "Text.from_markup", "Prompt.ask")
_TEXTS = ("Text", "_line", "Text.assemble")


@cache
def calls() -> list[tuple[str, ast.Call, str]]:
    return [
        (str(file.relative_to(ROOT)), node, ast.unparse(node.func))
        for package in PACKAGES
        for file in (ROOT / package).rglob("*.py")
        for node in ast.walk(ast.parse(file.read_text()))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name | ast.Attribute)
    ]


def test_everything_is_printed_through_one_function() -> None:
    wrong = [
        f"{file}:{call.lineno}: {name}"
        for file, call, name in calls()
        if name in _PRINTS and file not in WRITES_ITSELF
    ]
    assert wrong == []


def test_every_exception_from_it_is_still_needed() -> None:
    assert {file for file, _, name in calls() if name in _PRINTS} | {
        "producers/contracts/printing.py"
    } == set(WRITES_ITSELF)


def test_no_console_reads_markup_or_emoji() -> None:
    consoles = [
        (file, call) for file, call, name in calls() if name == "Console" or name.endswith(".Console")
    ]
    off = [
        {
            each.arg
            for each in call.keywords
            if isinstance(each.value, ast.Constant) and each.value.value is False
        }
        for _, call in consoles
    ]
    assert len(consoles) >= 4
    assert all({"markup", "emoji", "highlight"} <= given for given in off), consoles


def _is_no_markup(argument: ast.expr) -> bool:
    if isinstance(argument, ast.Starred):
        argument = argument.value
    if isinstance(argument, ast.GeneratorExp):
        argument = argument.elt
    if isinstance(argument, ast.Constant):
        return True
    return isinstance(argument, ast.Call) and ast.unparse(argument.func) in _TEXTS


def test_what_rich_would_read_for_markup_is_text_that_it_does_not_read() -> None:
    wrong = []
    for file, call, name in calls():
        method = name.rpartition(".")[2]
        reads = name in _MARKUP or method in ("add_row", "add_column") or name == "status.update"
        shown = [*call.args, *(each.value for each in call.keywords if each.arg in ("title", "caption"))]
        if reads and "athena" not in file and not all(map(_is_no_markup, shown)):
            wrong.append(f"{file}:{call.lineno}: {ast.unparse(call)}")
    assert wrong == []
