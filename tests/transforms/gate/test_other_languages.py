"""What other languages' own libraries write is read as they meant it: `tests/golden/languages` has how it was made."""

import base64
import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from infra.local.firehose.deaggregation import unpack
from producers.packing import aggregation
from tests.shop import STREAMS, TABLE
from transforms.gate.gate import Gate
from transforms.gate.outcome import Accepted
from transforms.schema.schema_files import schema_files

RECORDS = Path(__file__).parents[2] / "golden" / "languages"
# The gate keeps no query of a URL.
NAMES = {
    "node": ("page_viewed", ["/", "/größe\u2028", "/🛋", "/plain"], "url"),
    "go": ("order_placed", ["order-1", "order-2", "order-3"], "order_id"),
    "java": ("product_viewed", ["lamps", 'lamps "für" innen', "lamps", "rugs"], "category"),
}
SCHEMAS = {path: json.loads(text) for path, text in schema_files(STREAMS.values()).items()}


def user_records(language: str) -> list[tuple[str, bytes]]:
    """Key and bytes of each event, unpacked by the stand-in of Firehose."""
    found = json.loads((RECORDS / f"{language}.json").read_text())
    return [each for record in found for each in unpack(record["key"], base64.b64decode(record["data"]))]


@pytest.mark.parametrize("language", NAMES)
def test_their_events_pass_and_keep_their_values(language: str) -> None:
    event_type, values, field = NAMES[language]
    gate = Gate(TABLE, key_id="k1", key=bytes(32))
    rows: list[dict[str, Any]] = []
    for _, data in user_records(language):
        outcome = gate.judge(data, 1_795_514_500_000)
        assert isinstance(outcome, Accepted), outcome
        assert outcome.event_hour == "2026-11-24-10"
        rows.append(json.loads(outcome.row))
    assert [row[event_type][field] for row in rows] == values
    assert [row["seq"] for row in rows] == list(range(1, len(values) + 1))
    assert {(row["source"], row["producer_id"]) for row in rows} == {(language, f"{language}-1")}


@pytest.mark.parametrize("language", ["node", "java"])
def test_their_aggregates_are_those_that_the_producer_reads(language: str) -> None:
    found = json.loads((RECORDS / f"{language}.json").read_text())
    data = base64.b64decode(found[0]["data"])
    assert [record.data for record in aggregation.deaggregate(data)] == [
        record for _, record in user_records(language)[:3]
    ]


@pytest.mark.parametrize("language", NAMES)
def test_their_events_are_valid_by_the_schemas_that_they_are_given(language: str) -> None:
    schema = SCHEMAS[f"web/{NAMES[language][0]}.v1.json"]
    for _, data in user_records(language):
        jsonschema.validate(json.loads(data), schema)
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate(json.loads(data) | {"seq": "1"}, schema)
