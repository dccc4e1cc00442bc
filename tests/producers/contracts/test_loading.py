"""A folder's files as streams: found in order, told apart from everybody's modules, refused with what to do."""

import sys
from pathlib import Path

import pytest

from producers.contracts import StreamDefinitionError, load_streams

RIDES = """
from datetime import timedelta
from producers.contracts import EventType, Payload, Stream

class RideEnded(Payload):
    bicycle: str

STREAM = Stream("NAME", (EventType(RideEnded, version=1, partition_key="bicycle"),), timedelta(hours=1))
"""


def folder(path: Path, **files: str) -> Path:
    for name, text in files.items():
        (path / f"{name}.py").write_text(text)
    return path


def test_each_file_declares_a_stream_and_they_come_in_order_of_file_name(tmp_path: Path) -> None:
    made = folder(tmp_path, b=RIDES.replace("NAME", "first"), a=RIDES.replace("NAME", "second"))
    assert list(load_streams(made)) == ["second", "first"]


def test_the_same_files_give_the_same_classes_and_changed_ones_new_classes(tmp_path: Path) -> None:
    made = folder(tmp_path, rides=RIDES.replace("NAME", "rides"))
    before, again = load_streams(made)["rides"], load_streams(made)["rides"]
    assert before is again
    folder(tmp_path, rides=RIDES.replace("NAME", "rides").replace("bicycle", "station"))
    after = load_streams(made)["rides"].latest["ride_ended"].payload
    assert after.__struct_fields__ == ("station",)
    assert before.latest["ride_ended"].payload.__struct_fields__ == ("bicycle",)


def test_files_share_what_a_file_with_an_underscore_in_front_has(tmp_path: Path) -> None:
    rides = RIDES.replace("NAME", "rides").replace("bicycle: str", "bicycle: Bicycle")
    made = folder(tmp_path, _kinds="Bicycle = str\n", rides="from ._kinds import Bicycle\n" + rides)
    assert list(load_streams(made)) == ["rides"]


def test_a_file_may_have_the_name_of_anybodys_module_and_leaves_nothing_on_the_path(tmp_path: Path) -> None:
    path, json = list(sys.path), sys.modules["json"]
    made = folder(tmp_path, json=RIDES.replace("NAME", "json"), producers=RIDES.replace("NAME", "producers"))
    assert list(load_streams(made)) == ["json", "producers"]
    assert (sys.path, sys.modules["json"]) == (path, json)
    assert not list(tmp_path.rglob("__pycache__"))


@pytest.mark.parametrize(
    ("files", "where", "words"),
    [
        ({}, "", "Add one that assigns STREAM"),
        ({"a": "x = 1\n"}, "a.py", "declares no STREAM. Add STREAM = "),
        ({"a": "STREAM = 'web'\n"}, "a.py", "is of type str. It must be a producers.contracts.Stream"),
        ({"a": "\nimport nosuch\n"}, "a.py", "line 2: ModuleNotFoundError: No module named 'nosuch'"),
        ({"a": "x = (\n"}, "a.py", "line 1: SyntaxError"),
        ({"a-b": RIDES}, "a-b.py", "cannot be imported. Use letters"),
        (
            {"a": RIDES.replace("NAME", "rides"), "b": RIDES.replace("NAME", "rides")},
            "b.py",
            r"a.py already. Rename one",
        ),
    ],
    ids=["none", "no stream", "another kind", "failing import", "syntax", "file name", "two of one name"],
)
def test_a_folder_that_cannot_be_read_says_which_file_why_and_what_to_do(
    tmp_path: Path, files: dict[str, str], where: str, words: str
) -> None:
    with pytest.raises(StreamDefinitionError) as told:
        load_streams(folder(tmp_path, **files))
    assert told.value.file == tmp_path / where
    assert words in str(told.value)


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(StreamDefinitionError, match=r"does not exist\. Create it"):
        load_streams(tmp_path / "streams")
