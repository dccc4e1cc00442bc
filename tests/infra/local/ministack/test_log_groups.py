"""A log group is compared by the ARN that policies name it by."""

import pytest

from infra.local.ministack.log_groups import compared_by, naming

GROUP = "arn:aws:logs:us-east-1:000000000000:log-group:/aws/lambda/penstock-reports-query"


@pytest.mark.parametrize(
    ("arn", "compared"),
    [
        (GROUP, f"{GROUP}:*"),
        (f"{GROUP}:*", f"{GROUP}:*"),
        ("arn:aws:logs:us-east-1:000000000000:*", "arn:aws:logs:us-east-1:000000000000:*"),
        ("*", "*"),
    ],
)
def test_its_end_is_the_one_that_aws_asks_for(arn: str, compared: str) -> None:
    assert compared_by(arn) == compared


def test_other_services_keep_their_names() -> None:
    found = naming(lambda service, *given, **named: f"{service}{given}{named}:log-group:x")
    assert found("logs", "FilterLogEvents", view=1).endswith(":log-group:x:*")
    assert found("s3", "GetObject", view=1).endswith(":log-group:x")
