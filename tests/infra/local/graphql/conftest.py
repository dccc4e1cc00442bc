"""One running local AppSync for all tests that change no limits."""

from collections.abc import Iterator

import pytest

from tests.infra.local.graphql.rig import Rig, served


@pytest.fixture(scope="package")
def rig(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rig]:
    with served(tmp_path_factory.mktemp("graphql")) as running:
        yield running
