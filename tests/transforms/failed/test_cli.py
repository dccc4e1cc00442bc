"""`penstock failed` on a bucket of the local cloud, with error objects as Firehose writes them."""

import json
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from typer.testing import CliRunner, Result

from infra.aws.outputs import Outputs
from infra.local.cloud import LocalCloud
from tests.golden.poison.corpus import ARRIVAL_MS, changed, unpaid
from tests.transforms.failed.memory_bucket import error_line
from transforms.contracts import LAKE_TABLES
from transforms.failed import cli as failed_cli
from transforms.failed.arrow import read_parquet
from transforms.failed.cli import failed_app
from transforms.failed.records import RecordNotFoundError
from transforms.failed.repair import RepairFailedError, RepairNotFoundError
from transforms.failed.s3_bucket import S3Objects

pytestmark = pytest.mark.cloud

TABLE = LAKE_TABLES["web_events"]
FOLDER = "failed/processing-failed/dt=2026-11-24/"
REPAIR = """
def mend(raw):
    return raw.replace(b'"status":"200"', b'"status":200') if b'"status":"200"' in raw else None
"""


def event(number: int, **members: Any) -> bytes:
    return changed(event_id=f"01927f2e-7b1c-7abc-8def-{number:012x}", seq=number, **members)


def broken(number: int, **members: Any) -> bytes:
    """An event that REPAIR mends."""
    return event(number, **members).replace(b'"status":200', b'"status":"200"')


def unreadable_line(number: int = 17, reason: str = "the quotes are not closed") -> bytes:
    line = '203.0.113.9 - - [20/May/2015:12:05:17 +0000] "GET /a HTTP/1.1" 200 235 "-" "Mozilla/5.0 (X11)'
    payload = {"position": f"access.log:{number}", "line": line, "reason": reason}
    return event(0 if number == 17 else 100 + number, event_type="unreadable_line", payload=payload)


@dataclass
class Console:
    """What the command is given: a bucket, the deployed function, clients. Runs the command."""

    cloud: LocalCloud
    lake_bucket: str
    pseudonym_secret: str
    pseudonym_key_ids: str
    json: bool = False

    def client(self, service: str) -> Any:
        return self.cloud.context.client(service)

    def run(self, *arguments: str, code: int = 0) -> Result:
        ran = CliRunner().invoke(failed_app, arguments, obj=self)
        assert ran.exit_code == code, (ran.output, ran.exception)
        return ran

    def told(self, *arguments: str, code: int = 0) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.run(*arguments, "--json", code=code).stdout)
        return found

    def put(self, key: str, body: bytes) -> None:
        self.client("s3").put_object(Bucket=self.lake_bucket, Key=key, Body=body)

    def objects(self, prefix: str = "") -> dict[str, bytes]:
        objects = S3Objects(self.client("s3"), self.lake_bucket)
        return {name.key: objects.get(name.key) or b"" for name in objects.names(prefix)}

    def landed(self) -> list[int]:
        """Sequence numbers of the rows of the lake."""
        return sorted(
            row["seq"]
            for body in self.objects(TABLE.prefix).values()
            for row in read_parquet(body, TABLE).to_pylist()
        )


@pytest.fixture
def make_console(local_cloud: LocalCloud) -> Callable[[], Console]:
    """Makes consoles, each with a bucket of its own with the same failed records."""
    outputs = Outputs.from_document(local_cloud.outputs)

    def make() -> Console:
        made = Console(
            local_cloud, f"failed-{uuid4().hex}", outputs.pseudonym_secret, outputs.pseudonym_key_ids
        )
        made.client("s3").create_bucket(Bucket=made.lake_bucket)
        first = [
            error_line(broken(1), ARRIVAL_MS),
            error_line(b"nothing", ARRIVAL_MS),
            error_line(unpaid("status").replace(b":123,", b":5,"), ARRIVAL_MS + 3_600_000),
            error_line(unreadable_line(), ARRIVAL_MS),
        ]
        made.put(f"{FOLDER}a", b"".join(first))
        made.put(f"{FOLDER}b", error_line(broken(2, producer_id="p-2"), ARRIVAL_MS))
        made.put(
            "failed/activePartitionExceeded/dt=2026-11-24/c",
            error_line(event(3), ARRIVAL_MS, errorCode="ActivePartitionExceeded") + b"no document\n",
        )
        return made

    return make


@pytest.fixture
def console(make_console: Callable[[], Console]) -> Console:
    return make_console()


@pytest.fixture
def repair(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A repair in a file of the working directory, under a name that no other test has imported."""
    name = f"mending_{uuid4().hex}"
    (tmp_path / f"{name}.py").write_text(REPAIR)
    monkeypatch.chdir(tmp_path)
    yield f"{name}:mend"
    sys.modules.pop(name, None)


def test_failed_records_are_counted_by_every_facet(console: Console) -> None:
    found = console.told("list")
    assert found["failed"] == 6
    assert found["unreadable_stretches"] == 1
    assert found["by_reason"] == {
        "wrong_type": 2,
        "accepted_now": 1,
        "missing_field": 1,
        "not_json": 1,
        "unreadable_line": 1,
    }
    assert found["by_type"] == {"page_viewed": 4, "(none)": 1, "unreadable_line": 1}
    assert found["by_kind"] == {"processing-failed": 5, "activePartitionExceeded": 1}
    assert found["by_producer"] == {"p-1": 4, "(none)": 1, "p-2": 1}
    assert found["by_hour"] == {"2026-11-24T10": 5, "2026-11-24T11": 1}


@pytest.mark.parametrize(
    ("options", "seqs"),
    [
        (("--reason", "wrong_type"), [1, 2]),
        (("--reason", "wrong_type", "--reason", "missing_field"), [1, 2, 5]),
        (("--producer", "p-2"), [2]),
        (("--kind", "activePartitionExceeded"), [3]),
        (("--type", "page_viewed", "--until", "2026-11-24T11:00"), [1, 2, 3]),
        (("--since", "2026-11-24T12:00+01:00", "--type", "page_viewed"), [5]),
        (("--since", "2027-01-01"), []),
    ],
)
def test_a_listing_holds_what_was_asked_for(
    console: Console, options: tuple[str, ...], seqs: list[int]
) -> None:
    assert sorted(entry["seq"] for entry in console.told("list", *options)["records"]) == seqs


def test_a_listing_shows_where_records_break_the_contract_and_nothing_that_they_say(console: Console) -> None:
    ran = console.run("list", "--records")
    assert "$.payload.status" in ran.stdout
    (line,) = [each for each in ran.stdout.splitlines() if "(" in each and "line 17" in each]
    (record,) = [entry["record_id"] for entry in console.told("list")["records"] if entry["line"]]
    assert line.split() == ["the", "quotes", "are", "not", "closed", "1", "1", "line", "17", f"({record})"]
    assert "1 stretches of error objects could not be read" in ran.stderr
    for said in ("203.0.113.9", "user-4711", "Mozilla", "access.log", "GET", "20/May"):
        assert said not in ran.stdout
        assert said not in console.run("list", "--json").stdout


def test_no_failed_records_is_said_in_words(console: Console) -> None:
    assert console.run("list", "--producer", "nobody").stdout == "No failed records.\n"


@pytest.mark.parametrize(
    ("options", "words"),
    [(("--by", "colour"), "none of: reason, type"), (("--since", "yesterday"), "2026-11-24T10:00")],
)
def test_an_option_that_is_not_understood_says_what_is(
    console: Console, options: tuple[str, ...], words: str
) -> None:
    assert words in console.run("list", *options, code=2).stderr


def test_an_explanation_points_at_the_place_at_fault(console: Console) -> None:
    (entry,) = console.told("list", "--producer", "p-2")["records"]
    text = console.run("explain", entry["record_id"]).stdout
    (line,) = [line for line in text.splitlines() if line.endswith("<-- here")]
    assert line.split() == ['"status":', '"200",', "<--", "here"]
    assert "reason     wrong_type" in text
    assert f"object     {FOLDER}b" in text
    told = console.told("explain", entry["record_id"])
    assert [each["place"] for each in told["events"]] == ["$.payload.status"]
    assert "203.0.113.9" in told["events"][0]["text"]


def test_an_explanation_of_bytes_that_are_no_json_points_at_the_byte(console: Console) -> None:
    (entry,) = console.told("list", "--reason", "not_json")["records"]
    assert "^ here" in console.run("explain", entry["record_id"]).stdout


def test_an_id_that_no_record_has_says_where_ids_are_listed(console: Console) -> None:
    error = console.run("explain", "0123456789ab:1", code=1).exception
    assert isinstance(error, RecordNotFoundError)
    assert "penstock failed list --records" in str(error)


def test_a_dry_run_writes_nothing_and_tells_what_the_replay_will(console: Console, repair: str) -> None:
    before = console.objects()
    dry = console.told("replay", "--repair", repair, "--dry-run")
    assert console.objects() == before
    done = console.told("replay", "--repair", repair)
    of_dry = {"dry_run": True, "objects_written": 0, "to_replay": 1, "replay_command": dry["replay_command"]}
    assert {**done, **of_dry} == dry
    assert (done["events"], done["replayed"], done["dropped"], done["not_selected"]) == (6, 3, 0, 0)
    assert done["still_failed"] == {"missing_field": 1, "not_json": 1, "unreadable_line": 1}
    assert console.landed() == [1, 2, 3]


def test_a_replay_says_on_stderr_how_far_it_is_and_on_stdout_what_it_did(
    console: Console, repair: str
) -> None:
    ran = console.run("replay", "--repair", repair)
    assert "3 error objects, 6 events, 3 into the lake: done" in ran.stderr
    assert [line.split() for line in ran.stdout.splitlines() if "into the lake" in line] == [
        ["into", "the", "lake", "3"]
    ]


def test_a_second_replay_passes_over_what_was_done(console: Console, repair: str) -> None:
    console.run("replay", "--repair", repair)
    before = console.objects()
    second = console.told("replay", "--repair", repair)
    assert (second["done_before"], second["objects_written"]) == (3, 0)
    assert console.objects() == before
    assert console.told("replay", "--repair", repair, "--again")["done_before"] == 0
    assert console.landed() == [1, 2, 3]


def test_a_repair_that_was_changed_is_carried_out_again(console: Console, repair: str) -> None:
    console.run("replay", "--repair", repair)
    name = repair.partition(":")[0]
    changed_repair = REPAIR.replace(
        "else None", 'else raw.replace(b\'"user_agent"\', b\'"status":200,"user_agent"\')'
    )
    Path(f"{name}.py").write_text(changed_repair)
    sys.modules.pop(name)
    again = console.told("replay", "--repair", repair)
    assert again["done_before"] == 0
    assert console.landed() == [1, 2, 3, 5]


def test_a_replay_of_one_reason_leaves_the_others(console: Console) -> None:
    done = console.told("replay", "--reason", "accepted_now")
    assert (done["replayed"], done["not_selected"]) == (1, 5)
    assert console.landed() == [3]


def test_a_replay_that_was_broken_off_goes_on_where_it_was(
    make_console: Callable[[], Console], repair: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = make_console()
    whole.run("replay", "--repair", repair)
    expected = {key for key in whole.objects() if not key.startswith("replays/")}
    for writes in range(8):
        console = make_console()
        with monkeypatch.context() as patched:
            patched.setattr(failed_cli, "S3Objects", _breaking_off_after(writes))
            assert isinstance(console.run("replay", "--repair", repair, code=1).exception, ConnectionError)
        console.run("replay", "--repair", repair)
        assert {key for key in console.objects() if not key.startswith("replays/")} == expected
        assert console.landed() == [1, 2, 3]


def _breaking_off_after(writes: int) -> type[S3Objects]:
    class BreakingOff(S3Objects):
        left = writes

        def put(self, key: str, data: bytes) -> None:
            if not self.left:
                raise ConnectionError("the connection broke off")
            self.left -= 1
            super().put(key, data)

    return BreakingOff


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("no_such_module:mend", "No module named 'no_such_module'"),
        ("{module}:no_such_function", "has no attribute 'no_such_function'"),
        ("{module}:__name__", "that is a str, not a function"),
        ("{module}", "Write it as `module:function`"),
        ("", ""),
    ],
)
def test_a_repair_that_is_not_there_is_named_before_anything_is_done(
    console: Console, repair: str, name: str, words: str
) -> None:
    asked = name.format(module=repair.partition(":")[0])
    if not asked:  # no repair at all is no error: what the rules accept by now still lands
        assert console.told("replay")["replayed"] == 1
        return
    before, path = console.objects(), list(sys.path)
    error = console.run("replay", "--repair", asked, code=1).exception
    assert isinstance(error, RepairNotFoundError)
    assert words in str(error)
    assert console.objects() == before
    assert sys.path == path


def test_a_record_on_which_the_repair_raises_stays_failed_and_the_others_land(
    console: Console, repair: str
) -> None:
    name = repair.partition(":")[0]
    Path(f"{name}.py").write_text(REPAIR.replace("return raw", "assert b'p-2' not in raw\n    return raw"))
    for _ in range(2):  # done before is no less wrong
        ran = console.run("replay", "--repair", repair, "--json", code=1)
        assert json.loads(ran.stdout)["still_failed"]["repair_failed"] == 1
        assert isinstance(ran.exception, RepairFailedError)
        (entry,) = console.told("list", "--producer", "p-2")["records"]
        where = f"on record {entry['record_id']}"
        assert f"{repair} raised AssertionError in line 3, {where}" in str(ran.exception)
    assert console.landed() == [1, 3]


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("def mend(raw): return raw.decode()", "returned str, which is neither bytes nor None"),
        ("def mend(raw): return bytearray(raw)", "returned bytearray"),
        ("async def mend(raw): return raw", "returned coroutine"),
        ("def mend(raw): yield raw", "returned generator"),
        ("def mend(raw): raise KeyError(raw)", "raised KeyError in line 1"),
        ("def mend(raw): raise SystemExit(0)", "raised SystemExit in line 1"),
        ("def mend(raw): return mend(raw)", "raised RecursionError in line 1"),
        ("from functools import partial\nmend = partial(int, 'a')", "raised TypeError"),
    ],
)
def test_a_repair_that_gives_no_bytes_is_a_sentence_that_names_function_and_record(
    console: Console, repair: str, source: str, words: str
) -> None:
    Path(f"{repair.partition(':')[0]}.py").write_text(source)
    ran = console.run("replay", "--repair", repair, code=1)
    assert isinstance(ran.exception, RepairFailedError)
    assert f"{repair} {words}" in str(ran.exception)
    assert "on record " in str(ran.exception)
    assert "still failed: repair_failed 6" in " ".join(ran.stdout.split())
    assert not {"203.0.113.9", "user-4711"} & set(str(ran.exception).replace('"', " ").split())
    assert console.landed() == []


@pytest.mark.parametrize(
    "source",
    ["def mend(raw): pass", "mend = lambda raw: None", "class mend:\n    def __new__(cls, raw): ..."],
)
def test_a_repair_that_returns_nothing_leaves_records_as_they_are(
    console: Console, repair: str, source: str
) -> None:
    Path(f"{repair.partition(':')[0]}.py").write_text(source)
    done = console.told("replay", "--repair", repair)
    assert (done["replayed"], done["still_failed"].get("repair_failed")) == (1, None)
    assert console.landed() == [3]


def test_a_repair_that_returns_no_bytes_at_all_leaves_a_record_failed_as_empty(
    console: Console, repair: str
) -> None:
    Path(f"{repair.partition(':')[0]}.py").write_text("def mend(raw): return b''")
    assert console.told("replay", "--repair", repair)["still_failed"] == {"empty": 6}


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("def mend(): return b''", "has to take one argument, the record's bytes"),
        ("def mend(raw, key): return raw", "it takes (raw, key), and has to take one argument"),
        ("1 / 0", "cannot be imported, it raises ZeroDivisionError"),
        ("raise SystemExit(0)", "cannot be imported, it raises SystemExit"),
        ("def mend(raw:", "cannot be imported, it raises SyntaxError"),
        ("import no_such_module_at_all", "No module named 'no_such_module_at_all'"),
    ],
)
def test_a_repair_that_cannot_be_called_is_named_before_anything_is_done(
    console: Console, repair: str, source: str, words: str
) -> None:
    Path(f"{repair.partition(':')[0]}.py").write_text(source)
    before = console.objects()
    error = console.run("replay", "--repair", repair, code=1).exception
    assert isinstance(error, RepairNotFoundError)
    assert f"--repair {repair}" in str(error)
    assert words in str(error)
    assert console.objects() == before


def test_what_failed_for_no_fault_of_its_own_is_to_be_replayed_until_it_is(console: Console) -> None:
    command = "penstock failed replay --kind activePartitionExceeded"
    asked = ("list", "--kind", "activePartitionExceeded")
    told = console.told(*asked)
    assert (told["to_replay"], told["replay_command"]) == (1, command)
    assert f"1 failed records pass the rules as they are and are not in the lake. {FAILED}: {command}" in (
        " ".join(console.run(*asked).stdout.split())
    )
    other = console.told("replay", "--reason", "wrong_type")
    assert (other["to_replay"], other["replay_command"]) == (1, "penstock failed replay")
    assert console.told(*command.split()[2:], "--dry-run")["to_replay"] == 1
    assert console.told(*command.split()[2:])["to_replay"] == 0
    told = console.told(*asked)
    assert (told["failed"], told["to_replay"], told["replay_command"]) == (1, 0, "")
    assert [entry["is_replayed"] for entry in told["records"]] == [True]
    assert console.told("replay", "--reason", "wrong_type")["to_replay"] == 0


FAILED = "They count as failed until they are replayed"


def test_unreadable_lines_are_counted_by_reason_with_few_examples(console: Console) -> None:
    lines = [
        unreadable_line(n, f"time '{n}/Foo/2015' is not like 17/May/2015:10:05:03 +0000") for n in range(1, 9)
    ]
    copies = [lines[0], unreadable_line(9, "Jane Doe 203.0.113.9")]
    console.put(f"{FOLDER}c", b"".join(error_line(each, ARRIVAL_MS) for each in (*lines, *copies)))
    groups = console.told("list")["unreadable_lines"]
    assert [(each["reason"], each["lines"], each["events"]) for each in groups] == [
        ("time '...' is not like ...", 8, 9),
        ("", 1, 1),
        ("the quotes are not closed", 1, 1),
    ]
    assert [line for _, line in groups[0]["first"]] == [1, 2, 3]
    printed = console.run("list").stdout
    assert sum("time '...'" in line for line in printed.splitlines()) == 1
    assert not any(text in printed for text in ("Jane", "203.0.113.9", "Foo"))
