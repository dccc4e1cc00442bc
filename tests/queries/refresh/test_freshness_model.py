"""What the README and docs/reports.md say of freshness, held to the model; and the model to the product."""

import re
from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks.freshness_model import AWS, Deployed, lag, on_aws, on_laptop, shipped
from tests.shop import SHOP

ROOT = Path(__file__).parents[3]
WORDS = {"event_hour": "hourly", "event_date": "daily"}


@pytest.mark.parametrize("grain", WORDS)
def test_the_readme_agrees_with_the_model_within_a_tenth(grain: str) -> None:
    row = next(line for line in (ROOT / "README.md").read_text().splitlines() if line.startswith("| fresh"))
    aws, laptop = row.split("On a laptop")
    said = re.search(WORDS[grain] + r" reports p50 (\d+) s, p95 (\d+) s", aws)
    said_of_laptop = re.search(WORDS[grain] + r" p50 (\d+) s", laptop)
    assert said and said_of_laptop
    found = on_aws(shipped()[grain])
    assert [int(each) for each in said.groups()] == pytest.approx([found.p50, found.p95], rel=0.1)
    assert int(said_of_laptop[1]) == pytest.approx(on_laptop(shipped()[grain]).p50, rel=0.1)


@pytest.mark.parametrize("grain", WORDS)
def test_the_page_on_reports_agrees_with_the_model_within_a_tenth(grain: str) -> None:
    text = (ROOT / "docs" / "reports.md").read_text()
    said = re.search(rf"^\| {WORDS[grain]}, [^|]*\| (\d+) s \| (\d+) s \| (\d+) \|$", text, re.MULTILINE)
    assert said
    found = on_aws(shipped()[grain])
    assert [int(each) for each in said.groups()] == pytest.approx([found.p50, found.p95, found.runs], rel=0.1)


def test_the_model_takes_its_times_from_the_deployed_template() -> None:
    deployment = SHOP.default
    assert Deployed.read() == Deployed(
        deployment.buffer_seconds, deployment.notification_window_seconds, 60.0
    )


def test_waiting_for_quiet_before_each_run_would_make_an_event_wait_for_minutes() -> None:
    waiting = replace(shipped()["event_hour"], debounce_seconds=60, max_delay_seconds=300)
    assert lag(waiting, Deployed.read(), AWS).p50 > 3 * on_aws(shipped()["event_hour"]).p50


def test_being_called_just_when_something_is_due_would_gain_little() -> None:
    for report in shipped().values():
        now, woken = on_aws(report), on_aws(report, wakes=True)
        assert woken.p50 == pytest.approx(now.p50, rel=0.1)
        assert woken.p95 == pytest.approx(now.p95, rel=0.1)
