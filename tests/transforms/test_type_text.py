"""Where a type's text, or a list of declarations, is split."""

import pytest

from transforms.contracts import type_parts


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a:string,b:map<string,array<int>>", ["a:string", "b:map<string,array<int>>"]),
        ("varchar, row(a bigint, b decimal(10,2))", ["varchar", "row(a bigint, b decimal(10,2))"]),
        ("bigint", ["bigint"]),
        ("  ", []),
    ],
)
def test_a_type_is_split_at_the_commas_of_its_own_level(text: str, expected: list[str]) -> None:
    assert type_parts(text) == expected


def test_a_comparison_is_not_a_bracket_where_checks_are_listed() -> None:
    assert type_parts("views >= 1, a <= b, unique(a, b)", "()") == ["views >= 1", "a <= b", "unique(a, b)"]
