"""Which table of hours `penstock reports hours` and `seal` mean."""

from pathlib import Path

import pytest
import typer

from infra.command.target import Target
from queries.commands.sealing_cli import _sealing
from tests import two_streams


def test_no_table_of_hours_is_taken_for_another_where_there_are_several(tmp_path: Path) -> None:
    two_streams.write(tmp_path)
    target = Target("local", {}, directory=tmp_path)
    assert _sealing(target, None, "sensors").report.name == "sensors_events_hours"
    assert _sealing(target, "parcels_events_hours", None).report.name == "parcels_events_hours"
    for table, stream, says in (
        (None, None, "several tables of hours"),
        ("parcels_events_hours", "sensors", "There is no table of hours"),
        (None, "doors", "It has: parcels, sensors."),
    ):
        with pytest.raises(typer.BadParameter, match=says):
            _sealing(target, table, stream)


def test_the_only_table_of_hours_needs_no_name(tmp_path: Path) -> None:
    assert _sealing(Target("local", {}, directory=tmp_path), None, None).report.name == "web_events_hours"
