"""Several streams of one deployment: whose is what, and what a change of one does to the others."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from infra.aws.synth import synthesize
from infra.project.loading import load
from infra.project.project import Project
from infra.stacks.artefact_folder import source_folder
from queries.store.event_views import event_views
from tests import two_streams

Templates = dict[str, dict[str, Any]]
PARCELS, SENSORS = "depot-parcels", "depot-sensors"
OWN = {name: [f"depot-{name}-stream", f"depot-{name}-monitoring"] for name in ("parcels", "sensors")}


def templates(project: Project, out: Path) -> Templates:
    """Every stack's template by name."""
    folder = synthesize(project, project.default, out, source_folder)
    return {
        path.name.removesuffix(".template.json"): json.loads(path.read_text())
        for path in folder.glob("*.template.json")
    }


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    return two_streams.write(tmp_path_factory.mktemp("depot"))


@pytest.fixture(scope="module")
def made(project: Project, tmp_path_factory: pytest.TempPathFactory) -> Templates:
    return templates(project, tmp_path_factory.mktemp("assembly"))


def of_type(template: dict[str, Any], kind: str) -> Iterator[dict[str, Any]]:
    return (each["Properties"] for each in template["Resources"].values() if each["Type"] == kind)


def test_every_stream_has_a_stack_and_alarms_of_its_own(made: Templates) -> None:
    shared = {f"depot-{part}" for part in ("lake", "reporting", "dashboards", "monitoring", "access")}
    assert made.keys() == shared | {*OWN["parcels"], *OWN["sensors"]}
    for name, (stack, monitoring) in OWN.items():
        [function] = of_type(made[stack], "AWS::Lambda::Function")
        assert function["FunctionName"] == f"depot-{name}-transform"
        assert function["Environment"]["Variables"]["PENSTOCK_STREAM"] == name
        [delivery] = of_type(made[stack], "AWS::KinesisFirehose::DeliveryStream")
        assert delivery["DeliveryStreamName"] == f"depot-{name}"
        [topic] = of_type(made[monitoring], "AWS::SNS::Topic")
        assert topic["TopicName"] == f"depot-{name}-alarms"
        alarms = [each["AlarmName"] for each in of_type(made[monitoring], "AWS::CloudWatch::Alarm")]
        assert alarms
        assert all(alarm.startswith(f"depot-{name}-") for alarm in alarms)


def test_everything_that_is_a_streams_own_says_whose_it_is(made: Templates) -> None:
    for name, owner in (("parcels", "depot-team"), ("sensors", "climate-team")):
        for stack in OWN[name]:
            tagged = [
                each for each in made[stack]["Resources"].values() if "Tags" in each.get("Properties", {})
            ]
            assert tagged
            for each in tagged:
                tags = each["Properties"]["Tags"]
                told = {tag["Key"]: tag["Value"] for tag in tags} if isinstance(tags, list) else tags
                assert (told["penstock:stream"], told["penstock:owner"]) == (name, owner)


def test_a_direct_stream_has_no_kinesis_stream_and_an_encrypted_delivery_stream(made: Templates) -> None:
    direct, streamed = made["depot-sensors-stream"], made["depot-parcels-stream"]
    assert "Kinesis::Stream" not in json.dumps(direct)
    assert "kinesis:" not in json.dumps(direct)
    [delivery] = of_type(direct, "AWS::KinesisFirehose::DeliveryStream")
    assert delivery["DeliveryStreamType"] == "DirectPut"
    assert delivery["DeliveryStreamEncryptionConfigurationInput"] == {"KeyType": "AWS_OWNED_CMK"}
    [other] = of_type(streamed, "AWS::KinesisFirehose::DeliveryStream")
    assert other["DeliveryStreamType"] == "KinesisStreamAsSource"
    assert "DeliveryStreamEncryptionConfigurationInput" not in other
    kinds = {
        each["MetricName"] for each in of_type(made["depot-sensors-monitoring"], "AWS::CloudWatch::Alarm")
    }
    assert "ThrottledRecords" in kinds
    assert not any("Iterator" in kind for kind in kinds)


def test_no_role_of_a_stream_may_touch_anything_of_another(made: Templates) -> None:
    for name, other in (("parcels", "sensors"), ("sensors", "parcels")):
        for stack in OWN[name]:
            text = json.dumps(made[stack])
            assert other not in text
            assert other.title() not in text


def test_a_change_of_one_stream_leaves_the_templates_of_another_as_they_are(
    made: Templates, tmp_path: Path
) -> None:
    folder = tmp_path / "changed"
    two_streams.write(folder)
    file = folder / "streams" / "sensors.py"
    changed = file.read_text().replace("le=90)]\n", "le=90)]\n    humidity: float | None = None\n")
    assert changed != file.read_text()
    file.write_text(changed)
    after = templates(load(folder), tmp_path / "assembly")
    for stack in OWN["parcels"]:
        assert after[stack] == made[stack]
    assert after["depot-sensors-stream"] != made["depot-sensors-stream"]
    assert after["depot-lake"] != made["depot-lake"]


def test_a_stream_more_leaves_the_templates_of_the_others_as_they_are(
    made: Templates, tmp_path: Path
) -> None:
    folder = tmp_path / "more"
    two_streams.write(folder)
    more = (folder / "streams" / "sensors.py").read_text().replace('name="sensors"', 'name="alerts"')
    (folder / "streams" / "alerts.py").write_text(more)
    after = templates(load(folder), tmp_path / "assembly")
    for stack in (*OWN["parcels"], *OWN["sensors"]):
        assert after[stack] == made[stack]
    assert {"depot-alerts-stream", "depot-alerts-monitoring"} <= after.keys()


def test_event_types_of_one_name_have_a_view_in_each_stream(project: Project, made: Templates) -> None:
    views = event_views(project.tables)
    assert {
        "parcels_scanned", "sensors_scanned", "parcels_producer_audited", "sensors_producer_audited"
    } == views.keys()  # fmt: skip
    assert [each.name for each in views["parcels_scanned"].columns if each.name in ("grams", "celsius")] == [
        "grams"
    ]
    assert {view.source for view in views.values()} == {"parcels_events_hours", "sensors_events_hours"}
    tables = {each["TableInput"]["Name"] for each in of_type(made["depot-reporting"], "AWS::Glue::Table")}
    assert views.keys() <= tables


def test_a_view_that_would_have_the_name_of_a_table_is_refused(tmp_path: Path) -> None:
    folder = tmp_path / "twice"
    two_streams.write(folder)
    file = folder / "streams" / "parcels.py"
    file.write_text(
        file.read_text().replace("class Scanned(", "class SensorsEvents(").replace("Scanned,", "SensorsEvents,")
        .replace('name="parcels",', 'name="parcels", plain_names=True,')
    )  # fmt: skip
    with pytest.raises(ValueError, match="sensors_events"):
        event_views(load(folder).tables)
