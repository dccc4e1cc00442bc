"""What a declaration cannot say is refused with file and line."""

import pytest

from dashboards.declaration import DeclarationError
from dashboards.reading import load, load_all

GOOD = """title = "T"
about = "A"

[report.traffic_by_hour]
import_mode = "direct"
stale_after = "2h"

[report.traffic_by_hour.measures]
views = { title = "Views", expression = "sum({page_views})", format = "integer" }
errors = { title = "Errors", expression = "sum({errors})", format = "integer" }

[[filter]]
id = "time"
kind = "range"
title = "Time"
default = "7d"

[[sheet]]
id = "one"
title = "One"

[[sheet.visual]]
id = "views"
kind = "kpi"
report = "traffic_by_hour"
title = "Views"
y = ["views"]
span = [9, 4]
"""

# What is written instead of what, the line it is refused at, and words of the message.
WRONG = [
    ('title = "T"', 'titel = "T"', 1, "Unknown key 'titel'"),
    ('about = "A"', "", 1, "'about' is missing"),
    ('about = "A"', 'about = ""', 2, "'about' is empty"),
    ('about = "A"', "about = 7", 2, "must be a string"),
    ('about = "A"', 'about = "A', 2, "This is not TOML"),
    ('import_mode = "direct"', 'import_mode = "live"', 5, "Unknown import_mode 'live'"),
    ('stale_after = "2h"', 'stale_after = "soon"', 6, "Cannot read the duration"),
    ('default = "7d"', 'default = "2013-12-31 to 2013-01-01"', 16, "ends before it begins"),
    ('default = "7d"', 'default = "2013 to 2014"', 16, "Cannot read the period"),
    ('default = "7d"', 'default = "always"', 16, "Write 90m, 6h or 7d, all, or"),
    ('format = "integer" }\nerrors', 'format = "roman" }\nerrors', 9, "Unknown format 'roman'"),
    ('kind = "range"', 'kind = "slider"', 14, "Unknown kind 'slider'"),
    ('kind = "kpi"', 'kind = "gauge"', 24, "Unknown kind 'gauge'"),
    ('report = "traffic_by_hour"\n', 'report = "sales"\n', 25, "has no [report.sales]"),
    ('y = ["views"]', 'y = ["sales"]', 27, "has no measure 'sales'"),
    ('y = ["views"]', "y = []", 27, "'y' is empty"),
    ('y = ["views"]', 'y = ["views", "errors"]', 22, "A kpi shows one measure"),
    ("span = [9, 4]", "span = [40, 4]", 28, "out of the grid"),
    ("span = [9, 4]", "span = [9]", 28, "must be [columns, rows]"),
    ('id = "views"', 'id = "Views 1"', 23, "is not a valid name"),
    ('id = "views"', 'id = "one"', 22, "taken already"),
    ('kind = "kpi"', 'kind = "bar"', 22, "A bar needs 'x'"),
    ('kind = "kpi"', 'kind = "pivot"\nx = "hour_start:hour"', 22, "A pivot needs 'color'"),
    ('kind = "kpi"', 'kind = "combo"\nx = "hour_start:hour"', 22, "'line' belongs to a combo"),
    ('kind = "kpi"', 'kind = "line"\nx = "hour_start:minute"', 25, "Unknown granularity"),
    ('kind = "kpi"', 'kind = "line"\nx = "hour_start:hour"\ndrill = true', 22, "'drill' needs a time column"),
    ('y = ["views"]', 'x = "hour_start:hour"\ncolor = "path"\ny = ["views", "errors"]', 22, "one measure"),
]  # fmt: skip


@pytest.mark.parametrize(("old", "new", "line", "said"), WRONG, ids=[wrong[3] for wrong in WRONG])
def test_a_wrong_declaration_is_refused_at_its_line(old: str, new: str, line: int, said: str) -> None:
    assert old in GOOD
    text = GOOD.replace(old, new, 1)
    if "kpi shows one" in said or said == "one measure":
        text = text.replace('kind = "kpi"', 'kind = "line"') if said == "one measure" else text
    with pytest.raises(DeclarationError) as caught:
        load(text, "test", "test.toml")
    assert said in caught.value.message
    assert str(caught.value).startswith(f"test.toml:{caught.value.line}: ")
    assert caught.value.line == line


def test_the_declaration_that_is_broken_in_these_tests_is_right_itself() -> None:
    assert len(load(GOOD, "test", "test.toml").visuals) == 1


def test_a_report_has_one_dataset_and_one_place_that_declares_it() -> None:
    with pytest.raises(DeclarationError, match=r"has its dataset in .*a.toml:4 already"):
        load_all({"a.toml": GOOD, "b.toml": GOOD}, "dashboards")
