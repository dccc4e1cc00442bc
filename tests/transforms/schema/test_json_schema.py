"""The emitted JSON Schema means in JavaScript what the declared types mean here."""

import json
import re
import subprocess
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest

from infra.aws.node import node
from tests.shop import STREAMS
from transforms.schema.json_schema import ecmascript, json_schema

CLASSES = sorted({each.event_class for stream in STREAMS.values() for each in stream.all_types}, key=str)
TEXTS = (
    "EUR", "EURZ", "EUR\n", "eur", "", "Z", "a", "a\n", "order-1", "order 1", "-", "a:b.c_d",
    "018f3e2a-7c1d-4b5e-9f00-0123456789ab", "018f3e2a-7c1d-4b5e-9f00-0123456789abZ", "018f3e2a-7c1d-4b5e-9f00-0123456789ab\n",
)  # fmt: skip
_JUDGE = """
const [patterns, texts] = JSON.parse(process.argv[1]);
console.log(JSON.stringify(patterns.map((pattern) => texts.map((text) => new RegExp(pattern, "u").test(text)))));
"""


def patterns(value: Any) -> Iterator[str]:
    """Every pattern in a schema."""
    if isinstance(value, dict):
        if isinstance(value.get("pattern"), str):
            yield value["pattern"]
        for inner in value.values():
            yield from patterns(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from patterns(inner)


def test_javascript_takes_and_refuses_what_the_declared_patterns_do() -> None:
    declared = sorted({p for each in CLASSES for p in patterns(msgspec.json.schema(each))})
    assert any(r"\\Z" in repr(pattern) for pattern in declared)
    emitted = [ecmascript(pattern) for pattern in declared]
    ran = subprocess.run(
        [node(), "-e", _JUDGE, json.dumps([emitted, TEXTS])], capture_output=True, text=True, check=True
    )
    assert json.loads(ran.stdout) == [
        [re.search(pattern, text) is not None for text in TEXTS] for pattern in declared
    ]


@pytest.mark.parametrize("event_class", CLASSES, ids=lambda each: each.__name__)
def test_no_emitted_pattern_has_an_escape_that_javascript_reads_otherwise(event_class: type) -> None:
    assert not [pattern for pattern in patterns(json_schema(event_class)) if re.search(r"\\[AZz]", pattern)]


def test_only_the_escape_itself_is_translated() -> None:
    assert ecmascript(r"^\\Z\d\Z") == r"^\\Z\d$"
