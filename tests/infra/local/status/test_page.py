"""The live page's answers are made of answers of the same server: many viewers must not lock it."""

import json
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from infra.local.cloud import LocalCloud

VIEWERS = 40


@pytest.mark.cloud
def test_many_viewers_may_look_for_events_at_once(local_cloud: LocalCloud) -> None:
    """Each of these answers runs a query at the very server that gives it."""

    def look_for(number: int) -> dict[str, Any]:
        url = f"{local_cloud.context.server_url}/_event/01998f3e-0000-7000-8000-{number:012d}"
        with urllib.request.urlopen(url, timeout=60) as answer:
            found: dict[str, Any] = json.load(answer)
            return found

    with ThreadPoolExecutor(VIEWERS) as viewers:
        assert not any(found["is_found"] for found in viewers.map(look_for, range(VIEWERS)))
