"""Repairs that are missing, wrong, or leave records as they are."""

import json
import sys
from pathlib import Path

import pytest

from tests.transforms.failed.console import REPAIR, Console
from transforms.failed.repair import RepairFailedError, RepairNotFoundError


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
    if not asked:  # no repair at all is not an error: what the rules accept by now still lands
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
