"""Whose signature is valid: by each provider's documented formula, with what a forger or a slow queue would send."""

import pytest

from producers.hooks.signatures import TOLERANCE_SECONDS, is_signed
from tests.producers.hooks.world import NOW_MS, definitions, github, partner, stripe, text

BODY = text("stripe_checkout")
SECONDS = NOW_MS // 1000


def signed(
    source: str, signature: str, *, body: str = BODY, secrets: tuple[str, ...] = ("whsec_first",)
) -> bool:
    webhook = definitions()[source].webhook
    assert webhook is not None
    return is_signed(webhook, secrets, body.encode(), signature, NOW_MS)


def test_githubs_own_example_is_signed() -> None:
    signature = "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"
    secret = ("It's a Secret to Everybody",)
    assert signed("github", signature, body="Hello, World!", secrets=secret)
    assert not signed("github", signature, body="Hello, World?", secrets=secret)
    assert not signed("github", signature, body="Hello, World!", secrets=("it's a secret to everybody",))


@pytest.mark.parametrize("source", ["github", "stripe", "partner"])
@pytest.mark.parametrize(
    "signature",
    [
        "",
        "sha256=",
        "sha256=zz",
        "sha1=0123",
        "t=,v1=",
        "t=1,v1=",
        "v1=00",
        "t=1764500100",
        "é",
        "a" * 9000,
        "==",
    ],
)
def test_what_is_not_a_signature_is_not_valid(source: str, signature: str) -> None:
    assert not signed(source, signature, secrets=("whsec_first", ""))


def test_an_empty_secret_signs_nothing() -> None:
    assert not signed("stripe", stripe(BODY, secret=""), secrets=("",))
    assert not signed("github", github(BODY, secret=""), secrets=("",))


@pytest.mark.parametrize(
    ("seconds", "is_valid"),
    [(0, True), (-TOLERANCE_SECONDS, True), (TOLERANCE_SECONDS, True),
     (-TOLERANCE_SECONDS - 1, False), (TOLERANCE_SECONDS + 1, False)],
)  # fmt: skip
def test_stripes_time_counts_from_when_the_gateway_took_the_delivery(seconds: int, is_valid: bool) -> None:
    assert signed("stripe", stripe(BODY, at=SECONDS + seconds)) is is_valid


def test_the_time_is_part_of_what_stripe_signs() -> None:
    assert not signed(
        "stripe", stripe(BODY, at=SECONDS - 9_000).replace(f"t={SECONDS - 9_000}", f"t={SECONDS}")
    )


def test_while_a_secret_is_replaced_both_are_valid_on_either_side() -> None:
    old, new = stripe(BODY), stripe(BODY, secret="whsec_second")
    assert signed("stripe", old, secrets=("whsec_first", "whsec_second"))
    assert signed("stripe", new, secrets=("whsec_first", "whsec_second"))
    both = f"{old},{new.split(',')[1]}"  # Stripe signs with both of its secrets meanwhile
    assert signed("stripe", both, secrets=("whsec_second",))
    assert not signed("stripe", both, secrets=("whsec_third",))


def test_a_generic_signature_has_the_algorithm_and_encoding_of_the_header() -> None:
    assert signed("partner", partner(BODY), secrets=("shared",))
    assert signed("partner", "sha512=" + partner(BODY), secrets=("shared",))
    assert not signed("partner", github(BODY, secret="shared"), secrets=("shared",))
