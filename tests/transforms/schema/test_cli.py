"""`penstock contracts`, in this process."""

import copy
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from typer.testing import CliRunner, Result

from infra.command.target import Target
from tests import two_streams
from tests.shop import SHOP, STREAMS, TABLES, WEB
from transforms.contracts import payload_type
from transforms.schema import cli as contracts_cli
from transforms.schema.cli import UnknownTypeError, contracts_app
from transforms.schema.evolution import describe
from transforms.schema.json_schema import json_schema
from transforms.schema.page import contract_page

ON_ARRIVAL = ("too_new", "too_old", "wrong_format_time_without_zone", "reserved_sequence")
"""Examples that break rules which no schema has."""


def run(*arguments: str, code: int = 0, folder: Path | None = None) -> Result:
    ran = CliRunner().invoke(
        contracts_app, arguments, obj=Target("local", {}, directory=folder or Path.cwd())
    )
    assert ran.exit_code == code, (ran.output, ran.exception)
    return ran


def test_a_schema_of_each_type_is_written_and_takes_what_its_examples_say(tmp_path: Path) -> None:
    assert run("schemas", "--out", str(tmp_path)).stderr == f"6 files written into {tmp_path}.\n"
    judged = {"pass": 0, "fail": 0}
    for example in (SHOP.folders.streams / "examples").glob("*.json"):
        name, version, what, verdict, _ = example.name.split(".")
        schema = json.loads((tmp_path / f"web/{name}.v{version}.json").read_text(encoding="utf-8"))
        event = json.loads(example.read_text(encoding="utf-8"))
        jsonschema.validators.validator_for(schema).check_schema(schema)
        if what not in ON_ARRIVAL:
            assert jsonschema.validators.validator_for(schema)(schema).is_valid(event) is (
                verdict == "pass"
            ), what
            judged[verdict] += 1
    assert min(judged.values()) > 5


def test_every_event_type_is_listed() -> None:
    listed = json.loads(run("list", "--json").stdout)
    declared = [
        (stream.name, each.name, each.version, each.partition_key)
        for stream in STREAMS.values()
        for each in stream.all_types
    ]
    assert [
        tuple(each[name] for name in ("stream", "event_type", "version", "partition_key")) for each in listed
    ] == (declared)
    assert {each["event_type"] for each in listed if each["delivered"] == "no"} == {
        each.name for each in WEB.all_types if not each.delivered
    }
    text = run("list").stdout
    assert all(name in text for _, name, _, _ in declared)


def test_an_event_type_is_shown_as_its_schema_and_its_column() -> None:
    shown = json.loads(run("show", "order_placed").stdout)
    order = WEB.latest["order_placed"]
    assert shown["lake_column"] == payload_type(order)
    assert shown["schema"] == json.loads(json.dumps(json_schema(order.event_class)))
    assert json.loads(run("show", "heartbeat", "--version", "1").stdout)["lake_column"] is None


def test_a_lake_table_is_shown_as_ddl() -> None:
    ddl = run("show", "web_events").stdout
    assert ddl.startswith("CREATE EXTERNAL TABLE")
    assert all(f"`{column.name}`" in ddl for column in TABLES["web_events"].columns)
    assert "projection.enabled" in ddl


def test_of_several_streams_with_a_type_of_one_name_the_one_that_is_meant_is_shown(tmp_path: Path) -> None:
    project = two_streams.write(tmp_path)
    error = run("show", "scanned", code=1, folder=tmp_path).exception
    assert str(error) == "Several streams declare scanned: parcels, sensors. Name one with --stream."
    for stream in project.streams.values():
        shown = json.loads(run("show", "scanned", "--stream", stream.name, folder=tmp_path).stdout)
        assert shown["lake_column"] == payload_type(stream.latest["scanned"])
    shown = json.loads(run("show", "producer_audited", folder=tmp_path).stdout)
    assert shown["lake_column"]
    assert "It has: parcels, sensors." in str(
        run("list", "--stream", "doors", code=1, folder=tmp_path).exception
    )


def test_a_contract_is_released_without_those_of_other_streams(tmp_path: Path) -> None:
    project = two_streams.write(tmp_path)
    run("release", "--stream", "sensors", folder=tmp_path)
    assert [file.name for file in (project.folders.streams / "released").iterdir()] == ["sensors.json"]
    listed = json.loads(run("list", "--json", "--stream", "parcels", folder=tmp_path).stdout)
    assert {each["stream"] for each in listed} == {"parcels"}


@pytest.mark.parametrize("asked", [("page_burned",), ("page_viewed", "--version", "9")])
def test_a_type_that_nobody_declares_is_answered_with_those_that_are(asked: tuple[str, ...]) -> None:
    error = run("show", *asked, code=1).exception
    assert isinstance(error, UnknownTypeError)
    assert "page_viewed" in str(error)
    assert "web_events" in str(error)


def test_the_contracts_of_this_repository_pass_their_own_check() -> None:
    assert "0 findings." in run("check").stderr


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda fields: fields.update(gone={"required": False, "type": "string"}), "gone"),
        (lambda fields: fields["url"].update(max_length=8192), "url"),
        (lambda fields: fields["status"].update(type="string"), "status"),
        (lambda fields: fields.pop("status"), "status"),
    ],
    ids=["removed", "narrowed", "retyped", "new and required"],
)
def test_a_change_that_breaks_readers_is_refused_with_file_and_line(
    change: Callable[[dict[str, Any]], object], words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = copy.deepcopy(json.loads(json.dumps(describe(WEB))))
    change(before["types"]["page_viewed.1"]["fields"])
    monkeypatch.setattr(contracts_cli, "released", lambda *_: before)
    ran = run("check", code=1)
    (finding,) = ran.stdout.splitlines()
    place, _, _ = finding.partition(" ")
    file, line, *_ = place.split(":")
    assert Path(file).name == "web.py"
    assert "class PageViewed" in Path(file).read_text() and int(line) > 1
    assert words in finding
    assert "1 findings." in ran.stderr


def test_without_a_released_contract_the_check_says_how_to_make_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(contracts_cli, "released", lambda *_: None)
    assert "Run: penstock contracts release" in run("check", code=1).stdout


@pytest.mark.parametrize("body", ['{"url": "/a"}', "no JSON", "[]"])
def test_an_example_that_is_not_a_whole_event_is_named(tmp_path: Path, body: str) -> None:
    streams = shutil.copytree(SHOP.folders.streams, tmp_path / "streams")
    (tmp_path / "penstock.toml").write_text('[project]\nname = "visits"\n')
    for name in ("page_viewed.1.bare.pass.json", "page_viewed.1.bare.fail.json"):
        (streams / "examples" / name).write_text(body)
    told = run("check", code=1, folder=tmp_path).output
    assert "page_viewed.1.bare.pass.json fails: " in told
    assert "page_viewed.1.bare.fail.json fails for " in told


def test_the_page_of_event_types_is_printed_or_written(tmp_path: Path) -> None:
    assert run("docs").stdout == contract_page(STREAMS, SHOP.folders.streams)
    out = tmp_path / "events.html"
    assert f"{out} written." in run("docs", "--out", str(out)).stderr
    page = out.read_text()
    assert page == contract_page(STREAMS, SHOP.folders.streams)
    assert all(each.name in page for each in WEB.all_types)


def test_the_page_in_docs_is_the_present_one() -> None:
    assert (Path(__file__).parents[3] / "docs" / "events.html").read_text() == contract_page(
        STREAMS, SHOP.folders.streams
    )
