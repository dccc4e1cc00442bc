"""What the tests of this stage share: a gate with a known key."""

import pytest

from tests.shop import TABLES
from transforms.gate.gate import Gate

KEY = bytes.fromhex("ab" * 32)


@pytest.fixture(scope="session")
def gate() -> Gate:
    return Gate(TABLES["web_events"], key_id="k1", key=KEY)
