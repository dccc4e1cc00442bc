"""Names of the functions that Python computes: what is the same has one name, what differs has two."""

from hypothesis import given
from hypothesis import strategies as st

from infra.local.athena.sql.functions.registry import udf_name
from infra.local.athena.sql.tree import build

PARTS = st.lists(st.text("aA_b(), %'\"Y", max_size=200), min_size=1, max_size=3)


@given(PARTS, PARTS)
def test_two_functions_share_a_name_only_if_they_are_the_same(one: list[str], other: list[str]) -> None:
    assert (udf_name("f", *one) == udf_name("f", *other)) == (one == other)


@given(PARTS)
def test_a_name_is_a_bounded_word_that_duckdb_does_not_confuse_with_another(parts: list[str]) -> None:
    name = udf_name("to_json", *parts)
    assert str(build("{}", name)) == name == name.lower()
    assert len(name) < 140


def test_a_name_says_what_is_computed() -> None:
    assert udf_name("from_json", "array(bigint)") == "t_from_json_array_28_bigint_29_"
