"""What the site shows is what the preview shows, number for number and chart for chart, for everybody."""

import csv
import gzip
import io
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from dashboards.board.access import NOBODY, OWNER
from dashboards.board.board import Board
from dashboards.board.payload import tiles
from dashboards.preview.charts import vega
from dashboards.render.state import Drill, State
from dashboards.site import places, pointer
from dashboards.site.drawing import Declared, ExtractError, drawn, loaded, token
from dashboards.site.publishing import publish
from dashboards.site.tables import FileTables
from dashboards.site.views import (
    UnknownPlaceError,
    VersionGoneError,
    Views,
    audiences_of,
    hidden_from,
    viewer_of,
)
from tests.dashboards import rows
from tests.dashboards.site.world import READ_AT, Bucket, PartitionFiles, declarations, without
from tests.shop import REPORTS

DIGEST = "ab" * 32
VERSION = places.version_of(READ_AT, DIGEST)


@pytest.fixture(scope="module")
def declared() -> Mapping[str, Declared]:
    return declarations()


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> PartitionFiles:
    return PartitionFiles(rows.report_rows(), tmp_path_factory.mktemp("published"))


@pytest.fixture(scope="module")
def bucket(declared: Mapping[str, Declared], files: PartitionFiles) -> Bucket:
    """Every dashboard, published."""
    made = Bucket()
    for name, each in declared.items():
        board = loaded(each, FileTables(files).query, READ_AT)
        found, objects = drawn(each, board, READ_AT, DIGEST)
        assert publish(made, name, found, objects, lambda *_: None)
    return made


@pytest.fixture(scope="module")
def views(bucket: Bucket, declared: Mapping[str, Declared]) -> Views:
    return Views(bucket, declared)


def plain(value: Any) -> Any:
    """As it is after it was JSON."""
    return json.loads(json.dumps(value))


def sheets(declared: Mapping[str, Declared]) -> list[tuple[str, str]]:
    return [(name, sheet.id) for name, each in declared.items() for sheet in each.dashboard.sheets]


def seen_by(declared: Mapping[str, Declared], name: str) -> dict[str, Any]:
    """The preview's viewers of a dashboard -> the same ones of the site."""
    groups = audiences_of(declared, name)
    found: dict[str, Any] = {OWNER: OWNER}
    if groups:
        found |= {group: frozenset([group]) for group in groups} | {NOBODY: frozenset()}
    return found


def test_every_sheet_is_the_previews_for_everybody(
    views: Views, declared: Mapping[str, Declared], board: Board
) -> None:
    compared = 0
    for name, sheet in sheets(declared):
        for theirs, ours in seen_by(declared, name).items():
            expected = plain(tiles(board, name, sheet, State(), theirs, REPORTS, charts=vega))
            found = json.loads(gzip.decompress(views.sheet(name, sheet, VERSION, ours)))
            assert without(found, "frame", "fresh") == without(expected, "fresh")
            compared += len(found["tiles"])
    assert compared > 60


def test_a_file_of_each_visual_has_the_numbers_that_everybody_sees(
    views: Views, declared: Mapping[str, Declared]
) -> None:
    compared = 0
    for name, sheet in sheets(declared):
        for viewer in seen_by(declared, name).values():
            drawn = json.loads(gzip.decompress(views.sheet(name, sheet, VERSION, viewer)))["tiles"]
            for tile in drawn:
                if tile["state"] == "data" and "rows" in tile:
                    text = views.csv(name, sheet, tile["id"], VERSION, State(), viewer)
                    [_, *found] = list(csv.reader(io.StringIO(text)))
                    assert [list(map(number, row)) for row in found] == [
                        list(map(number, row)) for row in tile["rows"]
                    ], (name, tile["id"], viewer)
                    compared += 1
    assert compared > 40


def number(value: Any) -> Any:
    """A number by its value, whatever its spelling; a text as it is, and nothing as an empty one."""
    try:
        return float(value)
    except (TypeError, ValueError):
        return "" if value is None else value


def test_a_group_that_sees_every_row_has_the_owners_sheets(
    bucket: Bucket, declared: Mapping[str, Declared]
) -> None:
    rules = [each.access for each in declared["orders"].dashboard.sources.values() if each.access]
    whole = bucket.objects[places.sheet_key("orders", "overview", VERSION)]
    for group in audiences_of(declared, "orders"):
        key = places.sheet_key("orders", "overview", VERSION, places.audience_of([group]))
        is_whole = all(rule.groups[group] == () for rule in rules)
        assert (bucket.objects[key] == whole) == is_whole, group


def test_what_is_hidden_is_said_with_the_groups_that_see_it(declared: Mapping[str, Declared]) -> None:
    groups = audiences_of(declared, "orders")
    assert hidden_from(declared, "orders", frozenset({"operators"})) == {"orders_by_hour": groups}
    assert hidden_from(declared, "orders", frozenset({"viewers", groups[0]})) == {}
    assert hidden_from(declared, "traffic", frozenset()) == {}


def test_choices_and_drills_are_answered_as_the_preview_answers_them(views: Views, board: Board) -> None:
    for state in (
        State(parameters={"TimeFrom": ("2026-11-20T00:00:00",)}),
        State(picks={"currency": ("EUR", "SEK")}),
        State(drills={"orders-by-day": (Drill("day", "2026-11-23T00:00:00"),)}),
    ):
        for sheet in ("overview", "days"):
            expected = plain(tiles(board, "orders", sheet, state, asked=REPORTS, charts=vega))
            found = plain(views.view("orders", sheet, VERSION, state, OWNER))
            assert without(found, "frame", "fresh") == without(expected, "fresh")


def test_a_rule_leaves_the_rows_that_sql_by_hand_leaves(
    views: Views, declared: Mapping[str, Declared]
) -> None:
    access = next(
        each.access for each in declared["orders"].dashboard.sources.values() if each.access is not None
    )
    published, first = rows.report_rows()["orders_by_hour"], _from(views)
    for groups in (*({each} for each in access.groups), set(access.groups), set()):
        mine = [access.groups[group] for group in groups]
        allowed = None if mine and not all(mine) else {value for values in mine for value in values}
        visible = [row for row in published if allowed is None or row[access.column] in allowed]
        viewer = viewer_of(frozenset(groups) | {"viewers"}, audiences_of(declared, "orders"))
        text = views.csv("orders", "info", "orders-by-hour-rows", VERSION, State(), viewer)
        [_, *counted] = list(csv.reader(io.StringIO(text)))
        within = [row for row in visible if row["event_hour"] >= first]
        assert counted == ([[str(len(within))]] if within else []), groups


def _from(views: Views) -> str:
    """Where the dashboard's range of time begins, as a partition."""
    answer = views.view("orders", "overview", VERSION, State(), OWNER)
    begins = answer["parameters"]["TimeFrom"]["value"]
    return str(begins[:13]).replace("T", "-")


def test_the_pointer_says_how_fresh_and_whose_a_dashboard_is(
    bucket: Bucket, declared: Mapping[str, Declared]
) -> None:
    latest = pointer.read(bucket.objects[places.LATEST])
    assert set(latest.dashboards) == set(declared)
    orders = latest.dashboards["orders"]
    assert orders.version == VERSION
    assert orders.data_sets["orders_by_hour"].through == "2026-11-25T10:00:00"
    assert orders.audiences == tuple(audiences_of(declared, "orders"))
    assert latest.dashboards["traffic"].audiences == ()


def test_a_sheet_of_a_dashboard_is_small(bucket: Bucket) -> None:
    sizes = {key: len(body) for key, body in bucket.objects.items() if key.endswith(".json.gz")}
    assert max(sizes.values()) <= 16_000, sizes


def test_what_is_not_there_is_said_to_be_missing(views: Views) -> None:
    with pytest.raises(UnknownPlaceError, match="no dashboard"):
        views.sheet("nothing", "overview", VERSION, OWNER)
    with pytest.raises(UnknownPlaceError, match="no sheet"):
        views.view("orders", "nothing", VERSION, State(), OWNER)
    with pytest.raises(UnknownPlaceError, match="no visual"):
        views.csv("orders", "overview", "nothing", VERSION, State(), OWNER)
    for version in ("", "../latest", places.version_of(1, DIGEST)):
        with pytest.raises(VersionGoneError, match="newest"):
            views.sheet("orders", "overview", version, OWNER)


def test_a_dataset_that_cannot_be_read_is_not_published(
    declared: Mapping[str, Declared], files: PartitionFiles, tmp_path: Path
) -> None:
    damaged = PartitionFiles({}, tmp_path)
    damaged.files = {**files.files, "orders_by_hour": [*files.files["orders_by_hour"]]}
    broken = tmp_path / "broken.parquet"
    broken.write_bytes(b"PAR1 and nothing else")
    damaged.files["orders_by_hour"].append(
        files.files["orders_by_hour"][0].__class__("2026-11-25-11", broken)
    )
    with pytest.raises(ExtractError, match="orders_by_hour could not be read"):
        loaded(declared["orders"], FileTables(damaged).query, READ_AT)


def test_a_version_follows_what_is_published_and_the_hour(declared: Mapping[str, Declared]) -> None:
    orders = declared["orders"]
    first = token(orders, {"orders_by_hour": "a"}, READ_AT)
    assert token(orders, {"orders_by_hour": "a", "traffic_by_hour": "b"}, READ_AT + 1) == first
    others = {
        token(orders, {"orders_by_hour": "b"}, READ_AT),
        token(orders, {"orders_by_hour": "a"}, READ_AT + 3_600_000),
    }
    assert len(others | {first}) == 3
