"""Two streams through one deployment, with the permissions of every call checked: one on Kinesis, one straight
to Firehose; event types of one name; each accounted for, checked and found by itself.
"""

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError
from ministack.core.iam_evaluator import EvalContext, combine_resource_policy, evaluate, parse_policy_document
from typer.testing import CliRunner

from infra.accounting.evidence import gather
from infra.accounting.present import stream_identities
from infra.accounting.reconcile import Accounting, reconcile
from infra.aws.canary import hourly_report
from infra.aws.doctor import findings
from infra.aws.outputs import Outputs, OutputsError
from infra.aws.synth import synthesize
from infra.command.local_check_cli import _sentence
from infra.command.target import Target
from infra.demo.demo import evidence_places, stream_tables
from infra.local import cloud, processes
from infra.local.access import permissions_check
from infra.local.access.expected_permissions import Question, questions
from infra.local.cloud import LocalCloud
from infra.local.paths import LocalPaths
from infra.local.settings import LocalSettings
from infra.local.status import summary
from infra.project.project import Project
from infra.stacks.artefact_folder import source_folder
from producers.commands.target import sink_of
from producers.producer import Producer
from queries.reference.cli import app as reference_app
from tests import two_streams
from tests.queries.cloud import Chain
from transforms.contracts import EVENT_HOUR_FORMAT
from transforms.failed.cli import _objects
from transforms.failed.records import index
from transforms.failed.review import keyless_reviewer

pytestmark = pytest.mark.cloud

EVENTS = 300
BROKEN = 7
BEATS = 5


@dataclass
class Depot:
    """The project, deployed, with events of both streams delivered."""

    project: Project
    target: Target
    cloud: LocalCloud

    @property
    def outputs(self) -> Outputs:
        return self.target.outputs

    def query(self, sql: str) -> Sequence[Sequence[Any]]:
        return evidence_places(self.target).engine.rows(sql).rows

    def publish(self) -> Any:
        """Publish the reference table; what the command says."""
        ran = CliRunner().invoke(reference_app, ["publish", "--wait", "--json"], obj=self.target)
        assert ran.exit_code == 0, ran.output
        return json.loads(ran.stdout)[0]

    def accounting(self) -> Accounting:
        return reconcile(gather(evidence_places(self.target)))


def _payloads(stream: Any, count: int) -> Iterator[Any]:
    scanned, beat = (each.payload for each in stream.event_types)
    for n in range(count):
        if stream.name == "parcels":
            yield scanned(parcel=f"p-{n}", gate=f"g-{n % 3}", grams=n)
        else:
            yield scanned(room=f"r-{n % 4}", celsius=float(n % 20))
    for n in range(BEATS):
        yield beat(gate=f"g-{n}") if stream.name == "parcels" else beat(sensor=f"s-{n}")


def send(
    depot: Depot,
    stream_name: str,
    count: int = EVENTS,
    broken: int = BROKEN,
    *,
    at: datetime | None = None,
    producer: str = "gateway",
) -> None:
    """Events, beats and broken records of a stream."""
    stream = depot.project.streams[stream_name]
    sender = Producer(
        sink=sink_of(stream, depot.target.entrance(stream_name), depot.target.client),
        producer_id=f"{stream_name}-{producer}",
        source="test",
    )
    now = at or datetime.now(UTC) - timedelta(minutes=5)
    for payload in _payloads(stream, count):
        sender.put(payload, event_time=now)
    for n in range(broken):
        sender.put_raw(
            json.dumps(
                {
                    "event_type": "scanned", "event_id": f"01927f2e-7b1c-7abc-8def-{n:012x}", "schema_version": 1,
                    "event_time": now.isoformat().replace("+00:00", "Z"), "source": "test",
                    "producer_id": sender.producer_id, "epoch": sender.epoch, "seq": sender.last_seq + 1,
                    "payload": {"parcel": 7} if stream_name == "parcels" else {"room": "r", "celsius": 1000},
                }
            ).encode(),
            "key",
        )  # fmt: skip
    assert not sender.close().pending


@pytest.fixture(scope="module")
def depot(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Depot]:
    folder = tmp_path_factory.mktemp("depot")
    project = two_streams.write(folder)
    assembly = synthesize(
        project, project.default, tmp_path_factory.mktemp("made") / "assembly", source_folder
    )
    paths = LocalPaths.of(folder)
    port, server_port = processes.free_ports(2)
    settings = LocalSettings(port=port, server_port=server_port, enforce_iam=True)
    environ = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    try:
        up = cloud.up(paths, settings, lambda _: None, project=project, folder=assembly, environ=environ)
        before = dict(os.environ)
        made = Depot(project, Target("local", os.environ, directory=folder), up)
        made.publish()
        for name in project.streams:
            send(made, name)
        flushed = up.context.ask("/_firehose/flush?seconds=120", method="POST", timeout=150)
        assert flushed["drained"]
        yield made
        os.environ.clear()
        os.environ.update(before)
    finally:
        cloud.down(paths, lambda _: None)


def test_each_stream_has_its_events_in_a_table_of_its_own(depot: Depot) -> None:
    for name, fact in (("parcels", "grams"), ("sensors", "celsius")):
        rows = depot.query(f"SELECT count(*), count(scanned.{fact}) FROM {name}_events WHERE seq > 0")
        assert [int(value) for value in rows[0]] == [EVENTS, EVENTS]
        views = depot.query(f"SELECT count(*) FROM {name}_producer_audited WHERE last_seq > 0")
        assert int(views[0][0]) >= 0


def test_every_event_of_both_is_accounted_for_dropped_and_failed_ones_too(depot: Depot) -> None:
    accounting = depot.accounting()
    assert accounting.is_balanced
    lines = {line.name.producer_id: line for line in accounting.lines}
    assert lines.keys() == {"parcels-gateway", "sensors-gateway"}
    for line in lines.values():
        assert (line.produced, line.landed, line.dropped, line.failed) == (
            EVENTS + BEATS + BROKEN, EVENTS, BEATS, BROKEN,
        )  # fmt: skip


def test_a_failed_record_is_validated_by_the_rules_of_its_own_stream(depot: Depot) -> None:
    found = list(
        index(_objects(depot.target), keyless_reviewer(depot.project.tables.values()), lambda _: None)
    )
    places = {(entry.stream, entry.place) for entry in found}
    assert len(found) == 2 * BROKEN
    assert {stream for stream, _ in places} == {"parcels", "sensors"}
    assert any("parcel" in place for stream, place in places if stream == "parcels")
    assert not any("parcel" in place for stream, place in places if stream == "sensors")


def test_where_there_are_several_streams_the_one_that_is_meant_is_named(depot: Depot) -> None:
    with pytest.raises(OutputsError, match=r"parcels, sensors.*--stream"):
        depot.outputs.stream()
    with pytest.raises(OutputsError, match="parcels, sensors"):
        depot.outputs.stream("web")
    assert depot.outputs.stream("sensors").is_direct
    assert not depot.outputs.stream("parcels").is_direct


def test_the_doctor_names_each_stream(depot: Depot) -> None:
    found = list(findings(depot.target.client, depot.outputs, depot.project, depot.project.default))
    named = {promise.promise.partition(":")[0] for promise in found if ":" in promise.promise}
    assert named == {"parcels", "sensors"}
    # What the emulator does not know is not this test's matter.
    assert not [
        each
        for each in found
        if each.holds is False and each.promise.startswith(("parcels: the del", "sensors: the del"))
    ]


def test_the_page_hears_the_alarms_of_each_stream(depot: Depot) -> None:
    sns = depot.target.client("sns")
    topics = [topic["TopicArn"] for topic in sns.list_topics()["Topics"]]
    heard = {
        topic.rpartition(":")[2]
        for topic in topics
        for each in sns.list_subscriptions_by_topic(TopicArn=topic)["Subscriptions"]
        if each["Endpoint"].startswith(depot.cloud.context.server_url)
        and each["SubscriptionArn"].startswith("arn:")
    }
    assert heard == {"depot-alarms", "depot-parcels-alarms", "depot-sensors-alarms"}


def test_the_status_has_what_passed_each_stream(depot: Depot) -> None:
    found = summary.of(LocalPaths.of(depot.target.directory))
    facts = {
        each["name"]: (each["ingest"], each["rows"] > EVENTS, each["failed"]) for each in found["streams"]
    }
    assert facts == {"parcels": ("kinesis", True, BROKEN), "sensors": ("direct", True, BROKEN)}
    lines = summary.text(found).splitlines()
    for name, (ingest, _, failed) in facts.items():
        assert [line for line in lines if name in line and ingest in line and f"{failed} failed" in line]


def test_the_accounting_is_shown_for_each_stream(depot: Depot) -> None:
    told = stream_identities(depot.accounting(), stream_tables(depot.target))
    assert [line.partition(" produced")[0] for line in told] == [
        f"{name}: balanced: {EVENTS + BEATS + BROKEN}" for name in ("parcels", "sensors")
    ]


def test_the_canary_is_followed_to_a_report_of_each_stream(depot: Depot) -> None:
    found = {
        table: hourly_report(depot.project, table) for table in ("parcels_events", "sensors_events", "others")
    }
    assert {table: report and report.sources for table, report in found.items()} == {
        "parcels_events": ("parcels_events", "sensors_events"),
        "sensors_events": ("parcels_events", "sensors_events"),
        "others": None,
    }


def test_what_was_put_directly_and_acknowledged_is_gone_from_the_log_once_delivered(depot: Depot) -> None:
    metrics = depot.cloud.context.ask("/_firehose/metrics")
    direct = metrics[depot.outputs.stream("sensors").delivery_stream]
    assert direct["DeliveryToS3.DataFreshness"] == 0
    assert "KinesisMillisBehindLatest" not in direct
    with pytest.raises(ClientError, match="not permitted"):
        depot.target.client("firehose").put_record(
            DeliveryStreamName=depot.outputs.stream("parcels").delivery_stream, Record={"Data": b"x"}
        )


def test_a_report_on_both_tables_follows_each_of_them(depot: Depot) -> None:
    at = (datetime.now(UTC) - timedelta(hours=3)).replace(minute=7)
    hour = at.strftime(EVENT_HOUR_FORMAT)

    def shown() -> list[Any]:
        flushed = depot.cloud.context.ask("/_firehose/flush?seconds=120", method="POST", timeout=150)
        assert flushed["drained"]
        Chain.of(depot.cloud).refresh()
        rows = depot.query(f"SELECT scans, measured, warmest FROM depot_by_hour WHERE event_hour = '{hour}'")
        return [list(map(float, row)) for row in rows]

    send(depot, "parcels", 5, broken=0, at=at, producer="late-gate")
    send(depot, "sensors", 7, broken=0, at=at, producer="late-room")
    assert shown() == [[5, 7, 6]]
    send(depot, "sensors", 30, broken=0, at=at, producer="later-room")
    assert shown() == [[5, 37, 19]]
    send(depot, "parcels", 2, broken=0, at=at, producer="later-gate")
    assert shown() == [[7, 37, 19]]


def test_a_changed_place_of_a_gate_computes_the_reports_that_join_it_again_and_no_other(depot: Depot) -> None:
    Chain.of(depot.cloud).refresh()
    paths = 'SELECT DISTINCT event_hour, "$path" FROM {}'

    def files() -> dict[str, dict[str, str]]:
        return {name: dict(depot.query(paths.format(name))) for name in depot.project.reports}  # type: ignore[arg-type]

    def places() -> set[str]:
        return {row[0] for row in depot.query("SELECT place FROM places_by_hour")}

    before = files()
    (depot.project.folders.reference / "gates.csv").write_text(two_streams.PLACES.replace("Roof", "Attic"))
    told, known = depot.publish(), len(before["places_by_hour"])
    assert told["reports"] == ["places_by_hour"] and told["partitions"] >= known  # with empty ones
    after = files()
    assert places() == {"North", "South", "Attic"}
    assert {name for name in after if after[name] != before[name]} == {"places_by_hour"}
    assert not set(before["places_by_hour"].values()) & set(after["places_by_hour"].values())


def _asked(depot: Depot) -> list[Question]:
    return questions(depot.outputs, depot.project.default.prefix, depot.project)


def test_every_role_may_what_it_must_and_nothing_of_another_stream(depot: Depot) -> None:
    asked = _asked(depot)
    found = permissions_check.check(
        depot.cloud.context.client("iam"),
        permissions_check.deployed(depot.cloud.outputs, depot.outputs.region),
        asked,
        permissions_check.key_policies(depot.cloud.context.client("kms"), asked),
    )
    assert found.is_right, [*map(_sentence, found.wrong), *found.unasked, *found.missing]
    roles = {question.principal.removeprefix("depot-") for question in asked}
    assert {
        "parcels-source", "parcels-delivery", "parcels-transform", "parcels-producer",
        "sensors-delivery", "sensors-transform", "sensors-producer",
    } <= roles  # fmt: skip
    assert "sensors-source" not in roles


def _statements(depot: Depot, principal: str) -> list[Mapping[str, Any]]:
    iam = depot.cloud.context.client("iam")
    kind, identity = permissions_check.deployed(depot.cloud.outputs, depot.outputs.region)[principal]
    documents = permissions_check._policies(iam, kind, identity).documents
    return [statement for each in documents for statement in json.loads(each)["Statement"]]


def _decides(statements: Sequence[Mapping[str, Any]], question: Question, key: str | None) -> bool:
    context = EvalContext(
        principal_arn=f"arn:aws:sts::000000000000:assumed-role/{question.principal}/check",
        principal_type="AssumedRole",
        principal_account="000000000000",
        action=question.action,
        resource_arn=question.resource,
        region="us-east-1",
        service_context={name.lower(): value for name, value in question.context.items()},
    )
    document = {"Version": "2012-10-17", "Statement": list(statements)}
    decided = evaluate(context, [parse_policy_document(document)])
    if key is not None:
        decided = combine_resource_policy(decided, context, key, "000000000000", required=True)
    return bool(decided.decision == "Allow")


def test_a_statement_that_is_dropped_from_a_policy_of_a_stream_is_missed(depot: Depot) -> None:
    asked = _asked(depot)
    keys = permissions_check.key_policies(depot.cloud.context.client("kms"), asked)
    for principal in sorted({question.principal for question in asked}):
        if principal.removeprefix("depot-").partition("-")[0] not in depot.project.streams:
            continue
        statements = _statements(depot, principal)
        mine = [question for question in asked if question.principal == principal and question.allowed]
        for dropped in statements:
            left = [statement for statement in statements if statement is not dropped]
            missed = [each for each in mine if not _decides(left, each, keys.get(each.resource))]
            assert missed, f"{principal}: nothing asks for {dropped['Sid']}"
