"""What pages are given: the script's size, and the types of the events."""

import gzip
import re

from infra.collector.commands import script
from infra.collector.openapi import declared
from infra.collector.typings import typings
from producers.collector.events import REQUEST_FIELDS
from tests.shop import SHOP


def test_the_script_is_smaller_than_two_kilobytes_compressed_and_loads_nothing() -> None:
    text = script()
    assert len(gzip.compress(text.encode(), 9)) < 2_000
    assert not re.search(r"\bimport\b|\brequire\(|https?:", text)


def test_every_event_type_is_typed_with_its_fields_and_what_the_collector_fills_in_is_optional() -> None:
    text = typings(SHOP.streams)
    events = declared(SHOP.streams)
    assert "page_viewed" in [each.name for each in events]
    for each in events:
        name = each.payload.__name__
        assert f"  {each.name}: {name};" in text
        [body] = re.findall(rf"interface {name} {{\n(.*?)}}", text, re.DOTALL)
        fields = dict(re.findall(r"^  (\w+)(\??): .+;$", body, re.MULTILINE))
        assert list(fields) == list(each.payload.__struct_fields__)
        assert all(fields[field] for field in REQUEST_FIELDS if field in fields)
    assert '  action: "added" | "removed";' in text
