"""The cost model: rates that were published elsewhere, directions that must hold, and the page."""

import json
import math
from dataclasses import replace

import pytest
from typer.testing import CliRunner

from infra.command.cli import app
from infra.cost.capacity import uses
from infra.cost.cost import (
    Assumptions,
    Load,
    delivered_objects,
    kinesis,
    monthly,
    total,
)
from infra.cost.page import GAME_ANALYTICS, PAGE, page
from infra.cost.prices import NoPricesError, as_of, prices
from infra.cost.suggestions import safe_shards, suggestions
from tests.shop import SHOP

PRODUCTION = SHOP.default
ONE_DAY = replace(PRODUCTION, stream_retention_hours=24)


def test_kinesis_costs_what_the_game_analytics_guidance_publishes_for_the_same_load() -> None:
    line = kinesis(Load(100, 1024, aggregated=False), ONE_DAY, prices(), Assumptions())
    assert line.dollars == pytest.approx(GAME_ANALYTICS[100][1], abs=0.01)


def test_two_shards_cost_what_the_game_analytics_guidance_publishes() -> None:
    line = kinesis(Load(100, 1024, aggregated=False), replace(ONE_DAY, shards=2), prices(), Assumptions())
    assert line.dollars == pytest.approx(25.58, abs=0.1)


def test_firehose_with_a_record_per_event_costs_what_the_guidance_publishes_and_partitioning_besides() -> (
    None
):
    firehose = monthly(Load(100, 1024, aggregated=False), SHOP, PRODUCTION, prices())[1]
    partitioning = 100 * 86_400 * 30 * 1024 / 2**30 * 0.02
    assert firehose.dollars - partitioning == pytest.approx(GAME_ANALYTICS[100][2], rel=0.02)


@pytest.mark.parametrize("rate", [100, 1_000, 10_000])
def test_packing_is_cheaper_than_a_record_per_event(rate: float) -> None:
    packed, single = (
        monthly(Load(rate, 400, aggregated=yes), SHOP, PRODUCTION, prices()) for yes in (True, False)
    )
    assert total(packed) < total(single)


def test_cost_never_falls_when_the_load_grows() -> None:
    totals = [
        total(monthly(Load(rate), SHOP, PRODUCTION, prices()))
        for rate in (1, 10, 100, 1_000, 10_000, 100_000)
    ]
    assert totals == sorted(totals)


def test_a_deployment_at_rest_pays_for_what_is_there_and_for_no_event() -> None:
    lines = {line.service: line.dollars for line in monthly(Load(0), SHOP, PRODUCTION, prices())}
    assert {name for name, dollars in lines.items() if not dollars} == {
        "Firehose",
        "Transform",
        "S3",
        "Athena",
    }
    stream = prices()["kinesis"]["on_demand_stream_hour"] * prices()["hours_of_month"]
    assert lines["Kinesis"] == pytest.approx(stream)
    assert CliRunner().invoke(app, ["cost", "--events-per-second", "0"]).exit_code == 0


def test_an_event_that_is_kept_for_a_year_costs_its_storage_only() -> None:
    month, year = (monthly(Load(100, lake_months=n), SHOP, PRODUCTION, prices()) for n in (1, 12))
    assert [one.service for one, other in zip(month, year, strict=True) if one != other] == ["S3"]
    grown = 11 * 100 * 86_400 * 30 * 1024 * Assumptions().parquet_share / 2**30
    assert total(year) - total(month) == pytest.approx(grown * prices()["s3"]["storage_gb_month"])


def test_what_a_suggestion_saves_is_what_the_changed_deployment_costs_less() -> None:
    load = Load(1_000)
    (provisioned,) = (each for each in suggestions(load, SHOP, PRODUCTION, prices()) if "shards" in each.text)
    changed = replace(PRODUCTION, shards=safe_shards(load))
    assert provisioned.saves == pytest.approx(
        total(monthly(load, SHOP, PRODUCTION, prices())) - total(monthly(load, SHOP, changed, prices()))
    )


def test_suggested_shards_take_twice_the_load_in_bytes_and_in_records() -> None:
    assert safe_shards(Load(10_000, 1024)) == math.ceil(2 * 10_000 * 1024 / 2**20)
    assert safe_shards(Load(10_000, 100, aggregated=False)) == 20


def test_objects_follow_the_clock_at_low_volume_and_the_size_at_high_volume() -> None:
    slow, fast = (
        delivered_objects(Load(rate), PRODUCTION, Assumptions(late_share=0)) for rate in (1, 100_000)
    )
    assert slow == 43_200
    assert fast > 2 * 43_200


def test_prices_are_dated_and_an_unknown_region_says_which_there_are() -> None:
    assert as_of().year >= 2026
    with pytest.raises(NoPricesError, match="us-east-1"):
        prices("mars-north-1")


def test_the_page_is_what_the_model_computes() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "Run: python -m infra.cost.page --write"


def test_the_command_answers_programs_in_json() -> None:
    answer = CliRunner().invoke(app, ["cost", "--events-per-second", "100", "--bytes", "1024", "--json"])
    document = json.loads(answer.stdout)
    assert document["dollars"] == round(total(monthly(Load(100), SHOP, PRODUCTION, prices())), 2)
    assert document["prices"]["as_of"] == str(as_of())


def test_capacity_says_at_which_load_a_limit_is_reached() -> None:
    at_once = {use.limit: use for use in uses(Load(1_000), SHOP, PRODUCTION)}
    limit = at_once["Kinesis, new on-demand stream"]
    reached = {use.limit: use for use in uses(Load(limit.events_per_second), SHOP, PRODUCTION)}[limit.limit]
    assert reached.share == pytest.approx(1)
    assert all(use.remedy for use in at_once.values())


def test_records_limit_shards_before_bytes_do_when_nobody_packs() -> None:
    found = {
        use.limit: use.share
        for use in uses(Load(500, 100, aggregated=False), SHOP, replace(PRODUCTION, shards=1))
    }
    assert found["Kinesis, records of the shards"] == pytest.approx(0.5)
    assert found["Kinesis, bytes of the shards"] < 0.1
