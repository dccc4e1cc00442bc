"""`penstock failed` on a bucket of the local cloud, with error objects as Firehose writes them."""

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.golden.poison.corpus import ARRIVAL_MS
from tests.transforms.failed.console import FOLDER, REPAIR, Console, unreadable_line
from tests.transforms.failed.memory_bucket import error_line
from transforms.failed import cli as failed_cli
from transforms.failed.records import RecordNotFoundError
from transforms.failed.s3_bucket import S3Objects

pytestmark = pytest.mark.cloud


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
    [(("--by", "colour"), "none of: reason, stream"), (("--since", "yesterday"), "2026-11-24T10:00")],
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


def test_an_explanation_of_bytes_that_are_not_json_points_at_the_byte(console: Console) -> None:
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
