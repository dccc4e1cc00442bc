"""Which paths a deployed distribution hands to the HTTP API, and which distribution is meant."""

from typing import Any

from infra.local.edge.behaviors import distribution_of

PARSED: dict[str, Any] = {
    "origins": {
        "page": {"domain_name": "shell.s3.us-east-1.amazonaws.com"},
        "api": {"domain_name": "abc123.execute-api.us-east-1.amazonaws.com"},
    },
    "ordered_behaviors": [
        {"path_pattern": "/api/*", "target_origin_id": "api"},
        {"path_pattern": "/files/*", "target_origin_id": "page"},
    ],
}


def test_paths_go_where_the_configuration_says() -> None:
    found = distribution_of("d1.cloudfront.net", PARSED, "abc123")
    assert found is not None
    asked = ("/api/v1/jobs", "/api/", "/api", "/files/a", "/", "/API/v1")
    assert [path for path in asked if found.is_of_api(path)] == ["/api/v1/jobs", "/api/"]


def test_a_distribution_before_another_api_is_not_the_sites() -> None:
    assert distribution_of("d1.cloudfront.net", PARSED, "abc") is None
