"""What a source's header says of webhooks, and what it is told when that cannot be."""

import pytest

from producers.sources.definition import SourceDefinition, SourceDefinitionError, parse_source
from producers.sources.webhook import Webhook


def source(*lines: str, form: str = "ndjson") -> SourceDefinition:
    header = [
        "source: hooked",
        "stream: web",
        "event: page_viewed",
        f"format: {form}",
        "event_time: at",
        *lines,
    ]
    text = "\n".join(f"-- {line}" for line in header) + "\nSELECT url FROM file\n"
    return parse_source(text, "sources/hooked.sql")


def test_a_source_without_the_line_takes_no_webhooks() -> None:
    assert source().webhook is None
    assert source().key == ()


def test_what_is_known_of_a_provider_need_not_be_said() -> None:
    github = source("webhook: github")
    assert github.webhook == Webhook(
        "github", "x-hub-signature-256", "x-github-delivery", kind_header="x-github-event"
    )
    assert github.key == ("hook_delivery",)
    assert source("webhook: stripe", "key: id").key == ("id",)


def test_a_generic_scheme_says_where_everything_is() -> None:
    found = source(
        "webhook: hmac", "signature_header: X-Sign", "signature: sha512 base64", "delivery_member: nr"
    )
    assert found.webhook == Webhook("hmac", "x-sign", "", "nr", algorithm="sha512", encoding="base64")
    plain = source("webhook: hmac", "signature_header: X-Sign", "delivery_header: X-Id").webhook
    assert plain is not None
    assert (plain.algorithm, plain.encoding, plain.delivery_header) == ("sha256", "hex", "x-id")


@pytest.mark.parametrize(
    ("lines", "line", "words"),
    [
        (("webhook: gitlab",), 6, "one of: github, stripe, hmac"),
        (("webhook:",), 6, "Say whose webhook it is"),
        (("signature_header: X-Sign",), 6, "Say whose webhook it is"),
        (("webhook: github", "signature_header: X-Sign"), 7, "is for webhook hmac"),
        (("webhook: hmac", "signature_header: X-Sign"), 6, "Say where the delivery id is"),
        (
            ("webhook: hmac", "signature_header: X-Sign", "delivery_header: X-Id", "delivery_member: id"),
            6,
            "Say where the delivery id is",
        ),
        (("webhook: hmac", "delivery_header: X-Id"), 1, "no line '-- signature_header"),
        (("webhook: hmac", "signature_header: X Sign", "delivery_header: X-Id"), 7, "not a name of a header"),
        (
            ("webhook: hmac", 'signature_header: X"}', "delivery_header: X-Id"),
            7,
            "not a name of a header",
        ),
        (
            ("webhook: hmac", "signature_header: X-Sign", "signature: md5 hex", "delivery_header: X-Id"),
            8,
            "sha256, sha512",
        ),
    ],
)
def test_what_cannot_be_is_refused_with_its_line(lines: tuple[str, ...], line: int, words: str) -> None:
    with pytest.raises(SourceDefinitionError) as refused:
        source(*lines)
    assert refused.value.line == line
    assert words in refused.value.message


def test_deliveries_are_json_objects() -> None:
    with pytest.raises(SourceDefinitionError, match="its format is ndjson"):
        source("webhook: github", form="lines")
