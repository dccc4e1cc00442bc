"""Prefixes and their expressions."""

from datetime import UTC, datetime

import pytest

from infra.local.firehose.prefixes import (
    PrefixError,
    formatted,
    object_name,
    parse_error_prefix,
    parse_prefix,
    zone,
)

AT = datetime(2026, 11, 4, 9, 5, 7, 120000, UTC)


def _evaluated(text: str, **partition: str) -> str:
    return parse_prefix(text).evaluate(at=AT, random=lambda: "r" * 11, partition=partition)


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("", "2026/11/04/09/"),
        ("data", "data2026/11/04/09/"),
        ("data/", "data/2026/11/04/09/"),
        ("a/!{timestamp:yyyy}/!{timestamp:MM-dd}/", "a/2026/11-04/"),
        ("a/!{timestamp:yyyy/'d'HH}/", "a/2026/d09/"),
        ("a/!{firehose:random-string}/", "a/rrrrrrrrrrr/"),
        ("a/hour=!{partitionKeyFromLambda:hour}/", "a/hour=10/"),
        ("a/!{partitionKeyFromQuery:hour}", "a/10"),
    ],
)
def test_a_prefix_is_evaluated(text: str, wanted: str) -> None:
    assert _evaluated(text, hour="10") == wanted


def test_the_random_string_is_new_in_each_place() -> None:
    letters = iter(["first", "second"])
    prefix = parse_prefix("!{firehose:random-string}/!{firehose:random-string}/")
    assert prefix.evaluate(at=AT, random=lambda: next(letters)) == "first/second/"


def test_an_error_prefix_tells_the_kind_of_error() -> None:
    prefix = parse_error_prefix("failed/!{firehose:error-output-type}/dt=!{timestamp:yyyy-MM-dd}/")
    made = prefix.evaluate(at=AT, random=str, error_type="processing-failed")
    assert made == "failed/processing-failed/dt=2026-11-04/"


def test_an_error_prefix_without_expressions_gets_the_kind_and_the_hour() -> None:
    made = parse_error_prefix("bad/").evaluate(at=AT, random=str, error_type="processing-failed")
    assert made == "bad/processing-failed/2026/11/04/09/"


@pytest.mark.parametrize(
    "text", ["!{firehose:error-output-type}/", "!{x:y}/", "!{timestamp:QQQ}/", "!{broken", "!{timestamp:}/"]
)
def test_an_expression_that_is_not_allowed_is_refused(text: str) -> None:
    with pytest.raises(PrefixError):
        parse_prefix(text)


@pytest.mark.parametrize("text", ["!{partitionKeyFromLambda:a}/", "a/!{timestamp:yyyy}/"])
def test_an_error_prefix_that_aws_refuses_is_refused(text: str) -> None:
    with pytest.raises(PrefixError):
        parse_error_prefix(text)


def test_a_prefix_over_512_characters_is_refused() -> None:
    with pytest.raises(PrefixError, match="513"):
        _evaluated("!{partitionKeyFromLambda:hour}", hour="x" * 513)


def test_times_are_in_the_delivery_streams_zone() -> None:
    assert formatted("yyyy-MM-dd HH", AT.astimezone(zone("America/New_York"))) == "2026-11-04 04"
    assert zone("").utcoffset(AT) == zone("UTC").utcoffset(AT)


def test_an_object_is_named_for_its_stream_time_and_an_id() -> None:
    assert object_name("events", AT, "id", ".parquet") == "events-1-2026-11-04-09-05-07-id.parquet"
