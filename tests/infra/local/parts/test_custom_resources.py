"""Resources that CloudFormation asks of the local cloud's own services."""

import json
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from infra.local.deploy.assembly import AssemblyError, read
from infra.local.deploy.deployer import serve_locally
from infra.local.parts.cfn import ResourceEndpoint, ResourceStore
from infra.local.parts.requests import RequestError, read_request


def test_served_types_become_custom_resources_and_others_stay() -> None:
    bucket = {"Type": "AWS::S3::Bucket", "Properties": {"BucketName": "b"}}
    named = {"Type": "AWS::Athena::NamedQuery", "Properties": {"Name": "n"}, "DependsOn": ["B"]}
    template = {"Resources": {"B": bucket, "N": named}, "Outputs": {}}
    before = json.dumps(template)
    made = serve_locally(template, "arn:provider", {"AWS::Athena::NamedQuery"}, "http://127.0.0.1:1")
    assert json.dumps(template) == before
    assert made["Resources"]["B"] == bucket
    assert made["Resources"]["N"] == {
        "Type": "Custom::LocalAthenaNamedQuery",
        "DependsOn": ["B"],
        "Properties": {
            "Name": "n",
            "ServiceToken": "arn:provider",
            "ServiceTimeout": 60,
            "__Type": "AWS::Athena::NamedQuery",
        },
    }


def test_a_resource_that_names_its_address_changes_with_the_port() -> None:
    kind = "AWS::AppSync::GraphQLApi"
    template = {"Resources": {"A": {"Type": kind, "Properties": {"Name": "a"}}}}
    made = [
        serve_locally(template, "arn:provider", {kind}, f"http://127.0.0.1:{port}")["Resources"]["A"]
        for port in (1, 1, 2)
    ]
    assert made[0] == made[1] != made[2]
    taken: list[dict[str, Any]] = []

    class Handler:
        def create(self, logical_id: str, properties: dict[str, Any]) -> tuple[str, dict[str, str]]:
            taken.append(properties)
            return logical_id, {}

    store = ResourceStore(Path(":memory:"))
    endpoint = ResourceEndpoint({kind: Handler()}, store)  # type: ignore[dict-item]
    same = {"StackId": "s", "RequestId": "r", "LogicalResourceId": "A", "ResponseURL": "u"}
    answer = endpoint.answer({**same, "RequestType": "Create", "ResourceProperties": made[0]["Properties"]})
    store.close()
    assert (answer["Status"], taken) == ("SUCCESS", [{"Name": "a"}])


def test_a_folder_that_is_not_an_assembly_is_refused_with_the_remedy(tmp_path: Path) -> None:
    with pytest.raises(AssemblyError, match="penstock synth"):
        read(tmp_path, account_id="1", region="r")


def test_a_stack_comes_after_those_that_it_depends_on(tmp_path: Path) -> None:
    def stack(*needs: str) -> dict[str, Any]:
        file = {"templateFile": "t.json"}
        return {"type": "aws:cloudformation:stack", "properties": file, "dependencies": list(needs)}

    (tmp_path / "t.json").write_text('{"Resources": {}}')
    artifacts = {"c": stack("b"), "a": stack(), "b": stack("a")}
    (tmp_path / "manifest.json").write_text(json.dumps({"artifacts": artifacts}))
    assert [s.name for s in read(tmp_path, account_id="1", region="r")] == ["a", "b", "c"]


class _Handler:
    def __init__(self) -> None:
        self.calls: list[tuple[str, ...]] = []

    def create(self, logical_id: str, properties: dict[str, Any]) -> tuple[str, dict[str, str]]:
        if properties.get("Name") == "bad":
            raise ValueError("no such thing")
        self.calls.append(("create", logical_id))
        return "made", {"Arn": "arn:made"}

    def update(self, physical_id: str, properties: dict[str, Any]) -> dict[str, str]:
        self.calls.append(("update", physical_id, str(properties["Name"])))
        return {"Arn": "arn:made"}

    def delete(self, physical_id: str) -> None:
        self.calls.append(("delete", physical_id))


def _message(request: str, physical_id: str = "", **properties: Any) -> dict[str, Any]:
    return {
        "RequestType": request,
        "StackId": "s",
        "RequestId": "r",
        "LogicalResourceId": "L",
        "PhysicalResourceId": physical_id,
        "ResourceProperties": {"__Type": "AWS::X::Y", "ServiceToken": "t", **properties},
    }


def test_a_resource_is_created_updated_deleted_and_restored(tmp_path: Path) -> None:
    handler, file = _Handler(), tmp_path / "resources.sqlite"
    endpoint = ResourceEndpoint({"AWS::X::Y": handler}, ResourceStore(file))
    created = endpoint.answer(_message("Create", Name="n"))
    assert (created["Status"], created["PhysicalResourceId"]) == ("SUCCESS", "made")
    assert created["Data"] == {"Arn": "arn:made"}
    endpoint.answer(_message("Update", "made", Name="m"))
    ResourceEndpoint({"AWS::X::Y": handler}, ResourceStore(file)).restore()
    endpoint.answer(_message("Delete", "made"))
    ResourceEndpoint({"AWS::X::Y": handler}, ResourceStore(file)).restore()
    assert handler.calls == [
        ("create", "L"),
        ("update", "made", "m"),
        ("update", "made", "m"),
        ("delete", "made"),
    ]


@pytest.mark.parametrize(
    ("properties", "reason"), [({"Name": "bad"}, "no such thing"), ({"__Type": "AWS::Z::Z"}, "no handler")]
)
def test_a_resource_that_cannot_be_made_fails_with_its_reason(
    tmp_path: Path, properties: dict[str, Any], reason: str
) -> None:
    endpoint = ResourceEndpoint({"AWS::X::Y": _Handler()}, ResourceStore(tmp_path / "r.sqlite"))
    answer = endpoint.answer(_message("Create", **properties))
    assert answer["Status"] == "FAILED"
    assert reason in answer["Reason"]


def test_a_resource_keeps_the_time_of_its_creation_over_updates_and_restarts(tmp_path: Path) -> None:
    file, now = tmp_path / "resources.sqlite", [5.0]
    endpoint = ResourceEndpoint({"AWS::X::Y": _Handler()}, ResourceStore(file), clock=lambda: now[0])
    endpoint.answer(_message("Create", Name="n"))
    now[0] = 9.0
    endpoint.answer(_message("Update", "made", Name="m"))
    assert ResourceStore(file).created_at("AWS::X::Y", "made") == 5.0
    assert ResourceStore(file).created_at("AWS::X::Y", "another") is None


def test_resources_of_before_are_of_unknown_age(tmp_path: Path) -> None:
    file = tmp_path / "resources.sqlite"
    with sqlite3.connect(file) as old:
        old.execute("create table resources (type text, id text, properties text, primary key (type, id))")
        old.execute("insert into resources values ('AWS::X::Y', 'made', '{}')")
    old.close()
    store = ResourceStore(file)
    assert store.all() == [("AWS::X::Y", "made", {})]
    assert store.created_at("AWS::X::Y", "made") is None


@pytest.mark.parametrize(
    ("prefix", "operation", "body", "code", "words"),
    [
        ("AmazonAthena", "StartQueryExecution", b"{", "SerializationException", "not JSON"),
        ("AmazonAthena", "StartQueryExecution", b"\xff", "SerializationException", "not JSON"),
        ("AmazonAthena", "StartQueryExecution", b"[" * 100_000, "SerializationException", "not JSON"),
        ("AmazonAthena", "StartQueryExecution", b"[1]", "SerializationException", "not a JSON object"),
        ("AmazonAthena", "StartQueryExecution", b"{}", "InvalidRequestException", "QueryString"),
        ("AmazonAthena", "GetQueryExecution", b'{"QueryExecutionId": 5}', "InvalidRequestException", "type"),
        (
            "AmazonAthena",
            "GetQueryExecution",
            b'{"QueryExecutionId": ""}',
            "InvalidRequestException",
            "length",
        ),
        ("AmazonAthena", "Unheard", b'"x"', "SerializationException", "not a JSON object"),
        ("Firehose_20150804", "ListDeliveryStreams", b'{"Limit": "x"}', "InvalidArgumentException", "Limit"),
        (
            "Firehose_20150804",
            "PutRecord",
            b'{"DeliveryStreamName": "s", "Record": {"Data": 5}}',
            "InvalidArgumentException",
            "base64",
        ),
    ],
)
def test_a_malformed_request_is_refused_with_what_is_wrong_in_it(
    prefix: str, operation: str, body: bytes, code: str, words: str
) -> None:
    with pytest.raises(RequestError, match=words) as caught:
        read_request(prefix, operation, body)
    assert caught.value.code == code


def test_a_request_in_order_is_handed_on_as_it_came() -> None:
    body = {"DeliveryStreamName": "s", "Record": {"Data": "AAE="}}
    assert read_request("Firehose_20150804", "PutRecord", json.dumps(body).encode()) == body
    assert read_request("AmazonAthena", "ListWorkGroups", b"") == {}
