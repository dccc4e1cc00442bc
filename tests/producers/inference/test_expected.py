"""Inferred contracts beside those that a careful person wrote down before. `make sample-contracts` reads them all;
here are the files that need nothing fetched.
"""

from pathlib import Path

import pytest

from tests.producers.inference.expectations import Expected, expected_files, score
from tests.producers.inference.generated import FILES

GENERATED = [each for each in expected_files() if not each.package]


@pytest.mark.parametrize("expected", GENERATED, ids=lambda each: each.name)
def test_every_field_of_a_generated_file_is_as_expected(expected: Expected, tmp_path: Path) -> None:
    assert score(expected, FILES[expected.name](tmp_path)).wrong == ()


def test_thirty_files_are_expected_and_more_than_fifteen_of_them_are_in_packages_named_with_version() -> None:
    files = list(expected_files())
    assert len(files) >= 30
    assert sum("==" in each.package and each.path != "" for each in files) >= 15
    assert {each.name for each in GENERATED} == {*FILES}
